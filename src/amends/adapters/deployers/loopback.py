"""The HTTP client for what runs on this machine: no proxies, no connection kept that a server might close."""

from __future__ import annotations

from functools import cache

import httpx


@cache
def client() -> httpx.Client:
    """Return the client; made once, since each one reads all certificates of the system."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
