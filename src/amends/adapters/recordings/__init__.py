"""Recorded metrics in files: rows, pairs of series, and watches that were once live."""
