"""Migrations of the log's tables. A revision is a number: the schema version."""
