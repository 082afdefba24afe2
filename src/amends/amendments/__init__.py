"""Amendments: tests and gates that are proven to catch what escaped, and what they cost."""
