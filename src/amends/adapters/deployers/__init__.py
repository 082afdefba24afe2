"""Deployers: they carry out orders, refuse stale ones and report what really runs."""
