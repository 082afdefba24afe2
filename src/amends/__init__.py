"""Carry a release through its gates, watch it, and prove that what escaped cannot pass again."""
