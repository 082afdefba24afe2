"""From measurements of two arms to the verdict of a watch."""
