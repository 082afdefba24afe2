"""Sending recorded requests over HTTP to one service: bounded in rate, time and memory, and nowhere else."""

from __future__ import annotations

import ssl
import threading
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote, urlencode, urlsplit

import httpx

from amends.errors import UsageError
from amends.prevention.replay.recorded import Pairs, Recorded, Reply

LARGEST_BODY = 1_000_000
"""Bytes of a reply that are compared; what is beyond is not read."""
_PATH_SAFE = "/:@!$&'()*+,;=~-._"


class Pace:
    """Lets through ``rate`` calls a second at most, evenly, whoever calls."""

    def __init__(self, rate: float) -> None:
        self._gap = 1.0 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for this caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            time.sleep(turn - now)


class HttpSender:
    """Sends to the service at ``url``, alone: no redirect, no proxy, no cookie from one reply to the next.

    ``headers`` replace recorded ones of the same name (recorded credentials are redacted), ``authority`` is a
    PEM file to trust instead of the system's. Raises ``UsageError`` for an address or a file that is none.
    """

    def __init__(
        self, url: str, pace: Pace, *, headers: Pairs = (), authority: str = "", timeout: float = 10.0,
        jobs: int = 4,
    ) -> None:  # fmt: skip
        self.url = checked_address(url)
        self._pace, self._timeout = pace, timeout
        self._headers = headers
        host = urlsplit(self.url).netloc
        # A bare name such as "shop" is a word like any other; with a port or a domain it is an address.
        bare = (host,) if set(host) & set(".:") else ()
        self.addresses = (self.url, f"http://{host}", f"https://{host}", *bare)
        self._client = httpx.Client(
            timeout=timeout, follow_redirects=False, trust_env=False, verify=_trust(authority),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=jobs, max_keepalive_connections=jobs),
        )  # fmt: skip

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, request: Recorded) -> Reply:
        """Return the reply, or why there is none."""
        self._pace.wait()
        deadline = time.monotonic() + self._timeout
        try:
            with self._client.stream(
                request.method,
                self._address(request),
                headers=self._sent(request),
                content=request.body or None,
            ) as response:
                body, cut = _read(response, deadline)
                return Reply(response.status_code, tuple(response.headers.multi_items()), body, cut)
        except httpx.TimeoutException:
            return Reply(None, failure="did not answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Reply(None, failure=_why(error))

    def _address(self, request: Recorded) -> str:
        query = f"?{urlencode(request.query)}" if request.query else ""
        return f"{self.url}{quote(request.path, safe=_PATH_SAFE)}{query}"

    def _sent(self, request: Recorded) -> list[tuple[bytes, bytes]]:
        own = {name.lower() for name, _ in self._headers}
        pairs = [(k, v) for k, v in request.headers if k.lower() not in own]
        pairs += [*self._headers, ("accept-encoding", "identity")]
        return [(name.encode("latin-1", "replace"), _as_bytes(value)) for name, value in pairs]


def _read(response: httpx.Response, deadline: float) -> tuple[bytes, bool]:
    """Read a body up to the limits of size and time; a service may trickle for ever."""
    held = bytearray()
    for chunk in response.iter_bytes():  # as it comes: waiting for a full chunk would outlast the deadline
        held += chunk
        if len(held) > LARGEST_BODY:
            return bytes(held[:LARGEST_BODY]), True
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the body took too long")
    return bytes(held), False


def _as_bytes(value: str) -> bytes:
    """Return a header's value as recorders decoded it: one byte for one character, where that holds."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8")


def _why(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "refused the connection" if "refused" in str(error) else "cannot be connected to"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "broke off the connection"
    return f"could not be asked ({type(error).__name__})"


def _trust(authority: str) -> ssl.SSLContext | bool:
    if not authority:
        return True
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the certificate file cannot be used: {error}", where=authority,
            remedy="give a readable file with one or more certificates in PEM form",
        ) from error  # fmt: skip


def checked_address(url: str) -> str:
    """Return a service's address without a trailing slash. Raises ``UsageError``."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or port == 0
    ):
        raise UsageError(
            f"found the address {url!r}; a service's is like http://127.0.0.1:8000",
            remedy="give scheme, host and port, and the path under which it is served, if any",
        )
    if parts.username or parts.password:
        raise UsageError(
            "this address has credentials in it", remedy="give them with --header", where=parts.hostname
        )
    return url.rstrip("/")
