"""What amends can be asked to do (commands), to tell (queries), and what it needs from outside (ports)."""
