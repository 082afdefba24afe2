"""Captures of failing inputs, taken into the log: ``amends.capture/1``, as amends-capture writes it.

A capture of a failure becomes ``failure.captured``, attached to the incident of its release; what it holds
was redacted where it was recorded, and is looked through once more here. Samples of what did not fail are no
failures: they stay where they are, for replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from amends.application.desk import Desk, Stamp, derived_id, record_once
from amends.application.incidents import list_incidents
from amends.application.production import running
from amends.application.record import release_names
from amends.application.recording import named_release
from amends.errors import AmendsError, InvalidEventError, UsageError
from amends.events import payloads as p
from amends.events.codec import decode
from amends.events.event import parse_time
from amends.events.redaction import MASK, cut, is_secret_name, redact
from amends.incidents.incident import Incident
from amends.prevention.captures import SCHEMA
from amends.prevention.signature import in_project, signature_of

MOST_CAPTURES = 1_000
MOST_OF_ONE_FAILURE = 20
_MOST_BYTES = 512 * 1024
_MESSAGE_LIMIT = 4_000
_LONGEST_NAME = 200
_FAILURES = ("exception", "status", "predicate")
_RECENT_INCIDENTS = 50
_PARTS: dict[str, tuple[type, ...]] = {
    "id": (str,), "at": (str,), "service": (str,), "release": (str,), "environment": (str,), "why": (str,),
    "request": (dict, type(None)), "call": (dict, type(None)), "response": (dict, type(None)),
    "exception": (dict, type(None)), "redacted": (list,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaptureTaken:
    """What became of one capture.

    ``recorded``; ``known``: the log has it; ``enough``: the log has as many of this failure as help anybody;
    ``sample``: it did not fail; ``refused``, and ``reason`` says why. ``where`` is the file it came from.
    """

    id: str
    did: Literal["recorded", "known", "enough", "sample", "refused"]
    event: str = ""
    incident: str = ""
    reason: str = ""
    where: str = ""


def record_captures(
    desk: Desk, captures: Iterable[tuple[str, Any]], *, release: str = "", incident: str = "",
    files: frozenset[str] = frozenset(),
) -> list[CaptureTaken]:  # fmt: skip
    """Record captures, each with where it came from; one that is refused keeps no other from being taken.

    ``release`` is that of captures which name none; else it is the one that ran at the time. ``incident`` is
    the one they belong to; else it is found by release and time. ``files`` are the repository's.
    """
    taken = []
    for where, value in captures:
        try:
            taken.append(replace(_record(desk, value, release, incident, files), where=where))
        except AmendsError as error:
            told = _told(value.get("id")) if isinstance(value, Mapping) else ""
            place = f"{error.where}: " if error.where else ""
            reason = f"{place}{error.message}" + (f"; mend: {error.remedy}" if error.remedy else "")
            taken.append(CaptureTaken(told, "refused", reason=reason, where=where))
    return taken


def _told(value: Any) -> str:
    """Return what an answer can repeat of a text that nobody has looked at."""
    return value[:100].encode("ascii", "backslashreplace").decode() if isinstance(value, str) else ""


def _record(desk: Desk, value: Any, release: str, incident: str, files: frozenset[str]) -> CaptureTaken:
    found = read_document(value)
    if found["why"] not in _FAILURES:
        return CaptureTaken(found["id"], "sample")
    event = derived_id("capture", found["service"] or desk.service, found["id"])
    for record in desk.log.store.find(event):
        payload = decode(record).payload
        attached = payload.incident if isinstance(payload, p.FailureCaptured) else ""
        return CaptureTaken(found["id"], "known", event, attached)
    desk = replace(desk, service=found["service"] or desk.service).require_service()
    at = min(parse_time(found["at"]), desk.log.clock.now())
    name = _release(desk, found, release, at)
    signature = in_project(signature_in(found), files)
    if _count(desk, name, signature) >= MOST_OF_ONE_FAILURE:
        return CaptureTaken(found["id"], "enough")
    attached = incident or incident_at(desk, name, found["environment"], at)
    failure = p.FailureCaptured(
        service=desk.service, release=name, environment=found["environment"], signature=signature,
        input=_kept(found), message=cut(redact(_message(found)), _MESSAGE_LIMIT), incident=attached,
        line=_line(found),
    )  # fmt: skip
    receipt = record_once(desk.log, "failure.captured", failure, Stamp(at, event))
    return CaptureTaken(found["id"], "recorded", receipt.fact.id, attached)


def read_document(value: Any) -> dict[str, Any]:
    """Return a capture whose parts are of the right kind. Raises ``InvalidEventError``."""
    remedy = "send what amends-capture wrote; docs/reference/capture.md has the schema"
    if not isinstance(value, dict):
        raise InvalidEventError("a capture is a whole JSON object; this is none, or cut off", remedy=remedy)
    if value.get("schema") != SCHEMA:
        raise InvalidEventError(
            f"found the schema {_told(value.get('schema')) or 'of nothing'}; this amends reads {SCHEMA!r}",
            remedy="use the amends-capture that belongs to this version of amends", where="schema",
        )  # fmt: skip
    for name, kinds in _PARTS.items():
        if not isinstance(value.get(name), kinds):
            raise InvalidEventError(
                f"found {type(value.get(name)).__name__}; allowed is {kinds[0].__name__}",
                remedy=remedy,
                where=name,
            )
    for name in ("id", "service", "release", "environment"):
        if len(value[name]) > _LONGEST_NAME:
            raise InvalidEventError(
                f"found {len(value[name]):,} characters; at most {_LONGEST_NAME} name anything",
                remedy=remedy, where=name,
            )  # fmt: skip
    if value["request"] is None and value["call"] is None:
        raise InvalidEventError("it has neither a request nor a call", remedy=remedy, where="request")
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        raise InvalidEventError("it holds a text that is not Unicode", remedy=remedy) from None
    return value


def signature_in(found: Mapping[str, Any]) -> p.Signature:
    """Return how a captured failure is recognised: its exception with the project's frame, or its status.

    Raises ``UsageError`` when it says neither.
    """
    request, response, error = found["request"] or {}, found["response"] or {}, found["exception"]
    if error:
        kind = str(error.get("type", ""))[:_LONGEST_NAME]
        lines = [f'  File "{f["file"]}", line {f["line"]}, in {f["function"]}' for f in _frames(error)]
        told = ["Traceback (most recent call last):", *lines, kind]
        return signature_of("\n".join(told)) or p.Signature(exception=kind)
    status = response.get("status")
    if isinstance(status, int):
        return p.Signature(status=status, path=str(request.get("path", ""))[:_MESSAGE_LIMIT])
    if found["call"] is not None:
        return p.Signature(
            frame=f"{found['call'].get('file', '')}:{str(found['call'].get('function')).rpartition(':')[2]}"
        )
    raise UsageError(
        "it has neither an exception nor a response", remedy="record it with a later amends-capture"
    )


def _frames(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    frames = error.get("frames")
    listed = frames if isinstance(frames, list) else []
    return [f for f in listed if isinstance(f, dict) and {"file", "function", "line"} <= set(f)]


def _line(found: Mapping[str, Any]) -> int | None:
    frame = signature_in(found).frame
    for one in reversed(_frames(found["exception"] or {})):
        if frame and f"{one['file']}:{one['function']}".endswith(frame) and isinstance(one["line"], int):
            return one["line"]
    return None


def _message(found: Mapping[str, Any]) -> str:
    error = found["exception"] or {}
    return f"{error.get('type', '')}: {error.get('message', '')}" if error else ""


def _release(desk: Desk, found: Mapping[str, Any], stated: str, at: datetime) -> str:
    named = found["release"] or stated or running(desk.log, desk.service, found["environment"], at=at)
    if not named:
        raise UsageError(
            f"it names no release, and the log knows of none in {found['environment']} at that time",
            remedy="give --release V; set release= in the recorder, or AMENDS_VERSION, for the next ones",
        )
    return named_release(desk, named)[0]


def _count(desk: Desk, release: str, signature: p.Signature) -> int:
    told = desk.log.facts(tags=[f"release:{desk.service}@{release}"], kinds=["failure.captured"])
    same = (f for f in told if isinstance(f.payload, p.FailureCaptured) and f.payload.signature == signature)
    return sum(1 for _ in same)


def incident_at(desk: Desk, release: str, environment: str, at: datetime) -> str:
    """Return the incident of a release in an environment that is nearest to a moment; empty: none.

    One that was resolved before that moment is not about it.
    """
    names = release_names(desk.log, desk.service, release)
    fitting = [
        one for one in list_incidents(desk.log, service=desk.service, limit=_RECENT_INCIDENTS)
        if one.environment == environment and one.release in names and not _over(desk, one, at)
    ]  # fmt: skip
    return min(fitting, key=lambda one: abs(one.detected_at - at)).id if fitting else ""


def _over(desk: Desk, incident: Incident, at: datetime) -> bool:
    ends = [
        f.occurred_at for f in desk.log.stream(f"incident/{incident.id}") if f.kind == "incident.resolved"
    ]
    return str(incident.state) == "resolved" and bool(ends) and ends[-1] < at


# --- what is kept ---------------------------------------------------------------------------------------


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the capture as the log keeps it: looked through once more, without local variables.

    What the recorder masked has the form of what it hides, so that the input still fails; it stays.
    """
    kept = {**found}
    if kept["exception"]:
        frames = [{**frame, "locals": {}} for frame in _frames(kept["exception"])]
        kept["exception"] = {**kept["exception"], "frames": frames}
    done = frozenset(one for one in kept["redacted"] if isinstance(one, str))
    made: dict[str, Any] = {
        name: part if name in _AS_THEY_ARE else _redacted(part, f"/{name}", _SAID.get(name, name), done)
        for name, part in kept.items()
    }
    if len(msgspec.json.encode(made)) > _MOST_BYTES:
        raise UsageError(
            f"it is longer than {_MOST_BYTES // 1024} KB", remedy="lower max_capture_bytes of the recorder"
        )
    return made


_SAID = {"key": "kind"}  # the kind of the input, which is no key to anything
_AS_THEY_ARE = frozenset(
    {"schema", "id", "at", "service", "release", "environment", "trace_id", "redacted", "cut"}
)


def _redacted(value: Any, where: str, name: str, done: frozenset[str]) -> Any:
    if where in done:
        return value
    if isinstance(value, str):
        return MASK if is_secret_name(name) and value else redact(value)
    if isinstance(value, dict):
        return {
            key: _redacted(part, f"{where}/{key.replace('~', '~0').replace('/', '~1')}", key, done)
            for key, part in value.items()
        }
    if isinstance(value, list):
        pair = len(value) == 2 and isinstance(value[0], str)
        names = [name, value[0]] if pair else [name] * len(value)
        return [_redacted(part, f"{where}/{n}", names[n], done) for n, part in enumerate(value)]
    return value
