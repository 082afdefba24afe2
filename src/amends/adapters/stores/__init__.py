"""Stores of the event log: memory, SQLite, PostgreSQL."""
