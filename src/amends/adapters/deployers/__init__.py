"""Deployers: your own commands, and local processes behind a weighted proxy."""
