"""What a replay needs from outside: captures on a disk, services over HTTP, and its page."""
