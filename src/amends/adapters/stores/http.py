"""The log on another machine, behind an amends server (``--store https://server``)."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
import msgspec

from amends.application.logkeeping import read_checkpoint, write_checkpoint
from amends.application.ports import Checkpoint
from amends.application.pushing import PushedPage
from amends.errors import (
    AmendsError,
    EventConflictError,
    InvalidEventError,
    NotAllowedError,
    NotFoundError,
    StoreUnavailableError,
    TamperedLogError,
    UsageError,
    VersionConflictError,
)
from amends.events import chain, lines
from amends.events.event import Event, Recorded, format_time
from amends.events.prepared import prepare

prepare(PushedPage)

_PAGE = 1000
_LONGEST_WAIT = 15.0
_ERRORS: dict[str, type[AmendsError]] = {
    "version-conflict": VersionConflictError,
    "event-conflict": EventConflictError,
    "tampered-log": TamperedLogError,
    "store-unavailable": StoreUnavailableError,
    "not-allowed": NotAllowedError,
    "not-found": NotFoundError,
    "invalid-event": InvalidEventError,
    "usage": UsageError,
}


class Connection:
    """Requests to one server, whose errors come back as what the server's own store raised.

    Parameters
    ----------
    url:
        The server's address.
    token:
        What ``amends serve`` made on its first run.
    """

    def __init__(self, url: str, *, token: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=f"{self._url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(30.0, connect=10.0),
            limits=httpx.Limits(max_connections=20),
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask for something."""
        return self._ask("GET", path, params=parameters)

    def post(self, path: str, content: bytes | Iterable[bytes], *, timeout: float = 30.0) -> Any:
        """Send JSON or lines of JSON."""
        headers = {"Content-Type": "application/json"}
        return self._ask("POST", path, content=content, headers=headers, timeout=timeout)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._client.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StoreUnavailableError(
                f"the server does not answer: {error or type(error).__name__}",
                remedy="check the address in --store or AMENDS_STORE, and that `amends serve` runs there",
                where=self._url,
            ) from None
        if response.is_success:
            return self._decode(response)
        raise self._error(response)

    def _decode(self, response: httpx.Response) -> Any:
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            raise self._no_amends(response) from None

    def _error(self, response: httpx.Response) -> AmendsError:
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # Nothing was asked of the log: a gate could not be evaluated, which is no refusal of its.
            return StoreUnavailableError(
                "the server does not know this token",
                remedy="set AMENDS_TOKEN to a token that the server made",
                where=self._url,
            )
        try:
            told = msgspec.json.decode(response.content)["error"]
            kind = _ERRORS.get(told.get("kind", ""), StoreUnavailableError)
            return kind(told["message"], remedy=told["remedy"], where=told["where"] or self._url)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return self._no_amends(response)

    def _no_amends(self, response: httpx.Response) -> AmendsError:
        return StoreUnavailableError(
            f"what answers there is no amends server of this version (status {response.status_code})",
            remedy="check the address in --store or AMENDS_STORE",
            where=str(response.url),
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()


class HttpStore:
    """An ``EventStore`` on a server. Events are recorded at the server's time, whatever ``recorded_at``."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def append(
        self, stream: str, events: Sequence[Event], *, recorded_at: datetime,  # noqa: ARG002 - the server's clock says when
        expected: int | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.append``."""
        return self._append([(stream, event) for event in events], expected)

    def append_many(
        self, items: Sequence[tuple[str, Event]], *, recorded_at: datetime,  # noqa: ARG002 - as above
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.append_many``."""
        return self._append(items, None)

    def _append(self, items: Sequence[tuple[str, Event]], expected: int | None) -> list[Recorded]:
        if not items:
            return []
        listed = [{"stream": stream, "event": chain.attributes(event)} for stream, event in items]
        return _read(
            self._server.post("log/append", chain.canonical({"items": listed, "expected": expected}))
        )  # fmt: skip

    def version(self, stream: str) -> int:
        """See ``EventStore.version``."""
        return int(self._server.get("log/version", name=stream)["version"])

    def read_stream(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        return _read(self._server.get("log/stream", name=stream, after=after))

    def read(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False, since: datetime | None = None,
        until: datetime | None = None, before: int | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """See ``EventStore.read``. What has no limit is fetched in pages."""
        moments = {"since": since, "until": until}
        asked: dict[str, Any] = {
            "tags": list(tags), "kinds": list(kinds), **({} if before is None else {"before": before}),
            **{name: format_time(moment) for name, moment in moments.items() if moment},
        }  # fmt: skip
        if limit is not None:
            return self._page({**asked, "after": after, "limit": limit, "newest_first": newest_first})
        found = [record for page in self._pages(asked, after) for record in page]
        return found[::-1] if newest_first else found

    def _pages(self, asked: Mapping[str, Any], after: int) -> Iterator[list[Recorded]]:
        while page := self._page({**asked, "after": after, "limit": _PAGE}):
            yield page
            if len(page) < _PAGE:
                return
            after = page[-1].position

    def _page(self, asked: Mapping[str, Any]) -> list[Recorded]:
        return _read(self._server.post("log/read", chain.canonical(asked)))

    def find(self, event_id: str) -> list[Recorded]:
        """See ``EventStore.find``."""
        return _read(self._server.get("log/find", id=event_id))

    def streams(self) -> Mapping[str, tuple[int, str]]:
        """See ``EventStore.streams``."""
        found = self._server.get("log/streams")["streams"]
        return {stream: (int(seq), str(digest)) for stream, (seq, digest) in found.items()}

    def last_position(self) -> int:
        """See ``EventStore.last_position``."""
        return int(self._server.get("log/position")["position"])

    def wait(self, after: int, timeout: float) -> bool:
        """See ``EventStore.wait``: the server holds the answer back until there is something."""
        deadline = time.monotonic() + timeout
        while True:
            left = min(deadline - time.monotonic(), _LONGEST_WAIT)
            found = self._server.get("log/position", after=after, wait=max(0.0, left))
            if int(found["position"]) > after:
                return True
            if time.monotonic() >= deadline:
                return False

    def restore(self, records: Iterable[Recorded]) -> int:
        """See ``EventStore.restore``. One transaction on the server."""
        content = (lines.to_line(record) + b"\n" for record in records)
        return int(self._server.post("log/restore", content, timeout=600.0)["new"])

    def records(self) -> Iterator[Recorded]:
        """See ``EventStore.records``."""
        for page in self._pages({}, 0):
            yield from page

    def gaps(self) -> list[tuple[int, int]]:
        """See ``EventStore.gaps``."""
        return [(int(first), int(last)) for first, last in self._server.get("log/gaps")["gaps"]]

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See ``EventStore.save_checkpoint``."""
        self._server.post("log/checkpoints", write_checkpoint(checkpoint))

    def checkpoints(self) -> list[Checkpoint]:
        """See ``EventStore.checkpoints``."""
        found = self._server.get("log/checkpoints")["checkpoints"]
        return [read_checkpoint(chain.canonical(kept)) for kept in found]

    def close(self) -> None:
        """See ``EventStore.close``."""
        self._server.close()


def _read(found: Any) -> list[Recorded]:
    return [lines.from_object(item["event"], position=int(item["position"])) for item in found["events"]]


class HttpPeople:
    """Who a pseudonym is, asked of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def pseudonym(self, login: str) -> str:
        """See ``People.pseudonym``."""
        return str(self._server.post("people/pseudonym", chain.canonical({"login": login}))["pseudonym"])

    def pseudonyms(self, logins: Collection[str]) -> dict[str, str]:
        """See ``People.pseudonyms``."""
        return {login: self.pseudonym(login) for login in logins}

    def login(self, pseudonym: str) -> str | None:
        """See ``People.login``."""
        found: str | None = self._server.get("people/login", pseudonym=pseudonym)["login"]
        return found

    def forget(self, login: str) -> bool:
        """See ``People.forget``."""
        return bool(self._server.post("people/forget", chain.canonical({"login": login}))["forgotten"])


class HttpPushes:
    """At a server, for a watch on another machine."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def put(self, page: PushedPage, *, forget: datetime) -> None:  # noqa: ARG002 - the server forgets
        """Refuse: instances push to the server itself, which knows when a page came in."""
        raise UsageError(
            f"found a push of {page.instance} on its way through another machine",
            remedy="push to the server itself: its /hooks/metrics",
        )

    def latest(self, service: str, environment: str, releases: Collection[str]) -> list[PushedPage]:
        """See ``PushedPages.latest``."""
        told = self._server.get(
            "metrics/pushed", service=service, environment=environment, release=sorted(releases)
        )
        return msgspec.convert(told["pages"], list[PushedPage])


class HttpTokens:
    """A server's tokens are made and revoked on its own machine, never from afar."""

    def issue(self, label: str, *, at: datetime) -> str:  # noqa: ARG002 - see the class
        """Refuse."""
        raise self._refusal()

    def check(self, token: str) -> str | None:  # noqa: ARG002 - see the class
        """Refuse."""
        raise self._refusal()

    def revoke(self, label: str) -> bool:  # noqa: ARG002 - see the class
        """Refuse."""
        raise self._refusal()

    def any(self) -> bool:
        """Refuse."""
        raise self._refusal()

    def _refusal(self) -> NotAllowedError:
        return NotAllowedError(
            "tokens of a server cannot be managed from another machine",
            remedy="run the command on the server's machine, with its own --store",
        )
