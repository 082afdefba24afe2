"""Redaction: which names are secret, how a secret is masked, and where secrets are looked for."""
