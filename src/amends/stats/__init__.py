"""Sequential tests and confidence sequences. Numbers in, numbers out."""
