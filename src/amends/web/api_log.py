"""The log over HTTP: CloudEvents in, and all that the command line needs from a server.

Intake follows the HTTP protocol binding of CloudEvents 1.0.2: structured, batched and binary mode. What is
under ``/log`` and ``/people`` serves ``--store https://server``. Events are recorded at the server's time,
never at the client's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amends.application import logkeeping
from amends.application.ports import Clock, EventStore, People
from amends.bootstrap import Workspace
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
from amends.events.event import Event, Recorded
from amends.events.intake import MOST_BYTES, read_binary, read_event, route
from amends.events.payloads.base import Moment
from amends.events.prepared import prepare

MOST_EVENTS = 1000
MOST_BATCH_BYTES = 32 * 1024 * 1024
LONGEST_WAIT = 20.0
_IN_MEMORY = 4 * 1024 * 1024

# kind -> status. The kind travels with the error, so that a client raises what the store raised.
_ERRORS: tuple[tuple[type[AmendsError], str, int], ...] = (
    (VersionConflictError, "version-conflict", 409),
    (EventConflictError, "event-conflict", 409),
    (TamperedLogError, "tampered-log", 409),
    (StoreUnavailableError, "store-unavailable", 503),
    (NotAllowedError, "not-allowed", 403),
    (NotFoundError, "not-found", 404),
    (InvalidEventError, "invalid-event", 422),
    (UsageError, "usage", 422),
)


class TooLargeError(InvalidEventError):
    """More came in than one request may hold."""


def kind_of(error: AmendsError) -> tuple[str, int]:
    """Return the kind of an error, for clients, and the status that says it in HTTP."""
    if isinstance(error, TooLargeError):
        return "invalid-event", 413
    return next(((kind, status) for e, kind, status in _ERRORS if isinstance(error, e)), ("error", 500))


def answer_error(error: AmendsError) -> JSONResponse:
    """Return the one shape that errors of the API have, with the kind that a client maps back."""
    kind, status = kind_of(error)
    told = {"message": error.message, "remedy": error.remedy, "where": error.where, "kind": kind}
    return JSONResponse({"error": told}, status_code=status)


class _Route(APIRoute):
    """A route whose expected errors are answers."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except AmendsError as error:
                return answer_error(error)

        return answered


class Item(msgspec.Struct):
    """An event and the stream that a client puts it into."""

    stream: str
    event: dict[str, Any]


class Append(msgspec.Struct, forbid_unknown_fields=True):
    """Events to append in one transaction; ``expected`` is the version of the one stream they go to."""

    items: list[Item]
    expected: int | None = None


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """What to read, as in ``EventStore.read``."""

    tags: list[str] = []
    kinds: list[str] = []
    after: int = 0
    limit: int | None = None
    newest_first: bool = False
    since: Moment | None = None
    until: Moment | None = None
    before: int | None = None


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """A login to make a pseudonym of, or to forget."""

    login: str


prepare(Item, Append, Question, Login)


_T = TypeVar("_T")


def log_router(
    get_workspace: Callable[[Request], Workspace], require_token: Callable[..., Any] | None = None
) -> APIRouter:
    """Make the router under ``/api/v1``.

    ``get_workspace`` says whose log it is; ``require_token`` is a FastAPI dependency that refuses strangers,
    not needed where a middleware does so already.
    """

    def bind(request: Request) -> None:
        request.state.log_workspace = get_workspace(request)

    guards = [Depends(require_token)] if require_token else []
    router = APIRouter(
        prefix="/api/v1", tags=["log"], route_class=_Route, dependencies=[*guards, Depends(bind)]
    )
    _add_intake(router)
    _add_reading(router)
    _add_writing(router)
    _add_people(router)
    return router


def _get_store(request: Request) -> EventStore:
    workspace: Workspace = request.state.log_workspace
    return workspace.opened.store


def _get_people(request: Request) -> People:
    workspace: Workspace = request.state.log_workspace
    return workspace.opened.people


def _get_clock(request: Request) -> Clock:
    workspace: Workspace = request.state.log_workspace
    return workspace.clock


_Store = Annotated[EventStore, Depends(_get_store)]
_People = Annotated[People, Depends(_get_people)]
_Clock = Annotated[Clock, Depends(_get_clock)]


def _add_intake(router: APIRouter) -> None:
    @router.post("/events", status_code=201)
    async def take_events(
        request: Request,
        store: _Store,
        clock: _Clock,
    ) -> Response:
        """Record CloudEvents: structured, batched (`application/cloudevents-batch+json`) or binary mode.

        Sending an event again changes nothing; the same (source, id) with another body is a conflict.
        """
        events = await _read_intake(request)
        items = [(route(event), event) for event in events]
        records = await run_in_threadpool(store.append_many, items, recorded_at=clock.now())
        return _json({"recorded": [_place(record) for record in records]}, 201)

    @router.get("/events")
    def list_events(
        store: _Store,
        service: str = "", incident: str = "", kind: str = "", after: int = 0, limit: int = 100,
        newest_first: bool = False,
    ) -> Response:  # fmt: skip
        """Return events by position, at most 1,000; follow with `after` = the last position."""
        tags = [f"incident:{incident}"] if incident else [f"service:{service}"] if service else []
        found = store.read(
            tags=tags, kinds=[kind] if kind else [], after=after, limit=max(1, min(limit, MOST_EVENTS)),
            newest_first=newest_first,
        )  # fmt: skip
        return _records(found)

    @router.get("/events/{event_id:path}")
    def get_event(event_id: str, store: _Store) -> Response:
        """Return the events with this id, one for each source that used it; none is an empty list."""
        return _records(store.find(event_id))


def _add_reading(router: APIRouter) -> None:
    @router.post("/log/read")
    async def read(request: Request, store: _Store) -> Response:
        """Answer `EventStore.read`."""
        asked = _decode(await _body(request, MOST_BYTES), Question)
        found = await run_in_threadpool(
            store.read, tags=asked.tags, kinds=asked.kinds, after=asked.after, limit=asked.limit,
            newest_first=asked.newest_first, since=asked.since, until=asked.until,
            before=asked.before,
        )  # fmt: skip
        return _records(found)

    @router.get("/log/find")
    def find(id: str, store: _Store) -> Response:
        """Return the events with this id."""
        return _records(store.find(id))

    @router.get("/log/stream")
    def read_stream(name: str, store: _Store, after: int = 0) -> Response:
        """Return a stream's events."""
        return _records(store.read_stream(name, after=after))

    @router.get("/log/version")
    def version(name: str, store: _Store) -> Response:
        """Return how many events a stream has."""
        return _json({"version": store.version(name)})

    @router.get("/log/streams")
    def streams(store: _Store) -> Response:
        """Return every stream's version and last digest."""
        return _json({"streams": dict(store.streams())})

    @router.get("/log/position")
    def position(store: _Store, after: int = -1, wait: float = 0.0) -> Response:
        """Return the last position; with `wait`, as soon as it is beyond `after`, or after 20 s at most."""
        if wait > 0:
            store.wait(after, min(wait, LONGEST_WAIT))
        return _json({"position": store.last_position()})

    @router.get("/log/gaps")
    def gaps(store: _Store) -> Response:
        """Return ranges of positions whose events were taken out."""
        return _json({"gaps": store.gaps()})

    @router.get("/log/checkpoints")
    def checkpoints(store: _Store) -> Response:
        """Return the kept checkpoints."""
        kept = [msgspec.Raw(logkeeping.write_checkpoint(found)) for found in store.checkpoints()]
        return _json({"checkpoints": kept})


def _add_writing(router: APIRouter) -> None:
    @router.post("/log/append", status_code=201)
    async def append(request: Request, store: _Store, clock: _Clock) -> Response:
        """Append to named streams in one transaction."""
        asked = _decode(await _body(request, MOST_BATCH_BYTES), Append)
        items = [(item.stream, read_event(item.event)) for item in asked.items]
        records = await run_in_threadpool(_append, store, items, asked.expected, clock)
        return _records(records, 201)

    @router.post("/log/restore")
    async def restore(request: Request, store: _Store) -> Response:
        """Write what `amends log export` wrote, all or nothing."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            async for chunk in request.stream():
                await run_in_threadpool(spool.write, chunk)
            spool.seek(0)
            records = (lines.from_object(lines.decode_line(line)) for line in spool if line.strip())
            count = await run_in_threadpool(store.restore, records)
        return _json({"new": count})

    @router.post("/log/checkpoints", status_code=201)
    async def save_checkpoint(request: Request, store: _Store) -> Response:
        """Keep a checkpoint."""
        found = logkeeping.read_checkpoint(await _body(request, MOST_BATCH_BYTES))
        await run_in_threadpool(store.save_checkpoint, found)
        return _json({}, 201)


def _append(
    store: EventStore, items: list[tuple[str, Event]], expected: int | None, clock: Clock
) -> list[Recorded]:
    now = clock.now()
    if expected is None:
        return store.append_many(items, recorded_at=now)
    names = {stream for stream, _ in items}
    if len(names) != 1:
        raise UsageError(
            f"found {len(names)} streams with one expected version; allowed is one stream",
            remedy="append to one stream at a time, or leave out `expected`",
        )
    return store.append(names.pop(), [event for _, event in items], recorded_at=now, expected=expected)


def _add_people(router: APIRouter) -> None:
    @router.post("/people/pseudonym")
    async def pseudonym(request: Request, people: _People) -> Response:
        """Return a login's pseudonym."""
        asked = _decode(await _body(request, MOST_BYTES), Login)
        return _json({"pseudonym": await run_in_threadpool(people.pseudonym, asked.login)})

    @router.post("/people/forget")
    async def forget(request: Request, people: _People) -> Response:
        """Forget a login."""
        asked = _decode(await _body(request, MOST_BYTES), Login)
        return _json({"forgotten": await run_in_threadpool(people.forget, asked.login)})

    @router.get("/people/login")
    def login(pseudonym: str, people: _People) -> Response:
        """Return whose pseudonym it is, or null."""
        return _json({"login": people.login(pseudonym)})


async def _read_intake(request: Request) -> list[Event]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/cloudevents-batch+json":
        batch = _decode(await _body(request, MOST_BATCH_BYTES), list[Any])
        if len(batch) > MOST_EVENTS:
            raise TooLargeError(
                f"found {len(batch)} events; allowed are at most {MOST_EVENTS} in a batch",
                remedy="send smaller batches",
            )
        return [_numbered(number, value) for number, value in enumerate(batch)]
    value = _decode(await _body(request, MOST_BYTES), Any)
    if any(name.lower().startswith("ce-") for name in request.headers):
        return [read_binary(request.headers, value)]
    return [read_event(value)]


def _numbered(number: int, value: Any) -> Event:
    try:
        return read_event(value)
    except InvalidEventError as error:
        error.where = f"event {number}" + (f", {error.where}" if error.where else "")
        raise


async def _body(request: Request, most: int) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise TooLargeError(
                f"found more than {most} bytes; allowed are at most {most} in one request",
                remedy="keep large data elsewhere and send its address",
            )
    return bytes(content)


def _decode(content: bytes, type: type[_T] | Any) -> _T | Any:
    try:
        return msgspec.json.decode(content, type=type)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidEventError(
            f"the request's body does not fit: {error}", remedy="see /api/v1/openapi.json"
        ) from None


def _place(record: Recorded) -> dict[str, Any]:
    return {
        "id": record.id, "source": record.event.source, "stream": record.stream, "seq": record.seq,
        "position": record.position, "digest": record.digest,
    }  # fmt: skip


def _records(records: list[Recorded], status: int = 200) -> Response:
    return _json({"events": list(_wired(records))}, status)


def _wired(records: list[Recorded]) -> Iterator[dict[str, Any]]:
    for record in records:
        yield {"position": record.position, "event": lines.to_object(record)}


def _json(content: Any, status: int = 200) -> Response:
    return Response(chain.canonical(content), status_code=status, media_type="application/json")
