"""Notices: who is told when, what is on its way, what waits for the digest, what customers are told."""
