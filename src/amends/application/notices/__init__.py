"""Telling people: previews with their price, sending, digests, statements to customers."""
