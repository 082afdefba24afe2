"""Everything that touches the outside. Imported by ``bootstrap`` alone."""
