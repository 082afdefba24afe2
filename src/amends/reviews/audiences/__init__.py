"""One record, told to each audience in its own length: what is said, left out, and what it costs to read."""
