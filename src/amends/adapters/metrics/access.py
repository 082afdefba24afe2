"""How a metric source is reached: certificates, headers and credentials, per source."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from amends.errors import UsageError


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """Settings of one source's HTTP client.

    ``ca`` is a PEM file to trust instead of the system's; ``verify`` false trusts anyone. ``bearer`` and
    ``basic`` (user and password) exclude one another. None of these is ever shown.
    """

    timeout_seconds: float = 5.0
    ca: Path | None = None
    verify: bool = True
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    bearer: str = field(default="", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)

    def client(self) -> httpx.Client:
        """Return a client with these settings.

        Raises
        ------
        UsageError
            If both credentials are given, or the certificate file cannot be read.
        """
        if self.bearer and self.basic:
            raise UsageError(
                "a metric source has both a bearer token and a user name.", remedy="Keep one of them."
            )
        headers = dict(self.headers)
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        return httpx.Client(
            timeout=self.timeout_seconds,
            headers=headers,
            auth=httpx.BasicAuth(*self.basic) if self.basic else None,
            verify=self._trust(),
        )

    def _trust(self) -> ssl.SSLContext | bool:
        if self.ca is None:
            return self.verify
        try:
            return ssl.create_default_context(cafile=str(self.ca))
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate file cannot be used: {error}.",
                where=str(self.ca),
                remedy="Give a readable file with one or more certificates in PEM form.",
            ) from error


def describe(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """Return in a few words why a request failed, without address or credentials."""
    if isinstance(error, httpx.InvalidURL):
        return f"has an address that is not one ({error})"
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    if isinstance(error, httpx.HTTPStatusError):
        return f"answered {error.response.status_code} {error.response.reason_phrase}".rstrip()
    return f"cannot be reached ({str(error) or type(error).__name__})"
