"""What can be searched for: an entry for everything in the log that has words.

An event makes at most one entry, and a later event of the same key replaces it: of a review that is its
latest revision, of an edge case the last word on it. Persons have no entry, and neither have thanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from amends.events import payloads as p
from amends.events.codec import Fact

KINDS = ("incident", "review", "note", "failure", "amendment", "edge case", "release", "change")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be found. ``where`` is its path on the server, ``also`` holds the parts of its names.

    ``incident`` is the one that it belongs to, if any.
    """

    key: str
    kind: str
    title: str
    text: str
    where: str
    service: str
    at: datetime
    event: str
    incident: str = ""
    also: str = ""


def entry_of(fact: Fact) -> Entry | None:
    """Return what a fact gives to find; ``None`` for what has no words."""
    make = _MADE.get(type(fact.payload))
    return make(fact, fact.payload) if make else None


def _entry(
    fact: Fact, key: str, kind: str, title: str, *texts: str, where: str = "", incident: str = ""
) -> Entry:
    text = "\n".join(part for part in texts if part)
    service = str(getattr(fact.payload, "service", ""))
    return Entry(
        key, kind, title, text, where or f"/log/{_part(fact.id)}", service, fact.occurred_at, fact.id,
        incident, parts_of_names(f"{title}\n{text}"),
    )  # fmt: skip


def _incident(fact: Fact, told: p.IncidentOpened) -> Entry:
    return _entry(
        fact, f"incident/{told.incident}", "incident", f"{told.incident}: {told.summary}", told.release,
        told.environment, told.severity, told.team, where=f"/incidents/{_part(told.incident)}",
        incident=told.incident,
    )  # fmt: skip


def _review(fact: Fact, told: p.ReviewRevised) -> Entry:
    return _entry(
        fact, f"review/{told.incident}", "review", f"Review of {told.incident}", told.text,
        where=f"/incidents/{_part(told.incident)}/review",
        incident="" if told.drafted else told.incident,  # a draft only repeats what is found elsewhere
    )  # fmt: skip


def _note(fact: Fact, told: p.NoteTaken) -> Entry:
    return _entry(
        fact, f"note/{fact.id}", "note", f"Note on {told.incident}", told.text,
        where=f"/incidents/{_part(told.incident)}#timeline", incident=told.incident,
    )  # fmt: skip


def _failure(fact: Fact, told: p.FailureCaptured) -> Entry:
    seen = told.signature
    title = " in ".join(
        part for part in (seen.exception or str(seen.status or "a failure"), seen.frame) if part
    )
    where = f"/incidents/{_part(told.incident)}#inputs" if told.incident else ""
    return _entry(
        fact, f"failure/{fact.id}", "failure", title, told.message, seen.path, seen.field, told.release,
        where=where, incident=told.incident,
    )  # fmt: skip


def _amendment(fact: Fact, told: p.AmendmentProposed) -> Entry:
    return _entry(
        fact, f"amendment/{told.amendment}", "amendment", f"{told.amendment}: {told.title}", told.selector,
        told.test_path, told.environment, " ".join(told.gate), told.incident,
        where=f"/amendments/{_part(told.amendment)}", incident=told.incident,
    )  # fmt: skip


def _edge_case(fact: Fact, told: p.EdgeCaseDocumented) -> Entry:
    return _entry(
        fact, f"edgecase/{told.service}/{told.edge_case}", "edge case", f"{told.edge_case}: {told.words}",
        told.test, told.suite, told.incident,
    )  # fmt: skip


def _retired(fact: Fact, told: p.EdgeCaseRetired) -> Entry:
    return _entry(
        fact,
        f"edgecase/{told.service}/{told.edge_case}",
        "edge case",
        f"{told.edge_case}, retired",
        told.reason,
    )


def _release(fact: Fact, told: p.ReleaseDeclared) -> Entry:
    return _entry(
        fact, f"release/{told.service}/{told.version}", "release", f"{told.service} {told.version}",
        told.commit, told.digest, " ".join(told.changes[:50]),
        where=f"/releases/{_part(told.service)}/{_part(told.version)}",
    )  # fmt: skip


def _change(fact: Fact, told: p.ChangeMerged) -> Entry:
    return _entry(
        fact, f"change/{told.service}/{told.change}", "change", told.title or told.change, told.change,
        "\n".join(told.paths[:200]),
        where=f"/log?tag={quote(f'change:{told.service}/{told.change}', safe='')}",
    )  # fmt: skip


_MADE: dict[type, Callable[[Fact, Any], Entry]] = {
    p.IncidentOpened: _incident, p.ReviewRevised: _review, p.NoteTaken: _note, p.FailureCaptured: _failure,
    p.AmendmentProposed: _amendment, p.EdgeCaseDocumented: _edge_case, p.EdgeCaseRetired: _retired,
    p.ReleaseDeclared: _release, p.ChangeMerged: _change,
}  # fmt: skip

EVENT_KINDS = (
    "incident.detected", "review.revised", "note.taken", "failure.captured", "amendment.proposed",
    "edgecase.documented", "edgecase.retired", "artifact.packaged", "change.merged",
)  # fmt: skip
"""The kinds of event that ``entry_of`` makes entries of."""

_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_NAME = re.compile(r"\w*(?:[a-z][A-Z]|_)\w*")
_MOST_NAMES = 200


def parts_of_names(text: str) -> str:
    """Return the parts of compound names: ``ZeroDivisionError`` is found by ``division``, too."""
    found: dict[str, None] = {}
    for name in _NAME.findall(text)[:_MOST_NAMES]:
        found.update(dict.fromkeys(part.lower() for part in _CAMEL.findall(name)))
    return " ".join(found)


def _part(value: str) -> str:
    return quote(value, safe="")
