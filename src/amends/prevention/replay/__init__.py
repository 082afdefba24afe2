"""Comparing two releases by their replies to recorded requests: fields, noise, decision, causes."""
