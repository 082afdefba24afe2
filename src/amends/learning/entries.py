"""What can be searched for: an entry for everything in the log that has words.

An event makes at most one entry, and a later event of the same key replaces it: of a review that is its
latest revision, of an edge case the last word on it. Persons have no entry, and neither have thanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.kinds import KINDS as EVERY_KIND

KINDS = (
    "incident", "review", "note", "comment", "answer", "factor", "action item", "statement", "post-mortem",
    "failure", "amendment", "edge case", "release", "change", "decision",
)  # fmt: skip


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


def _comment(fact: Fact, told: p.ReviewCommented) -> Entry:
    return _entry(
        fact, f"comment/{told.comment}", "comment", f"Comment on the review of {told.incident}", told.text,
        told.quote, where=f"{_path(told)}/review#comments", incident=told.incident,
    )  # fmt: skip


def _answer(fact: Fact, told: p.RowAnswered) -> Entry:
    return _entry(
        fact, f"answer/{fact.id}", "answer", f"{told.gate} in {told.incident}", told.words, told.question,
        where=f"{_path(told)}#matrix", incident=told.incident,
    )  # fmt: skip


def _factor(fact: Fact, told: p.FactorNamed) -> Entry:
    return _entry(
        fact, f"factor/{fact.id}", "factor", f"{told.factor} in {told.incident}", told.words,
        where=f"{_path(told)}#factors", incident=told.incident,
    )  # fmt: skip


def _action(fact: Fact, told: p.ActionAdded | p.ActionChanged) -> Entry | None:
    """A change that leaves the title as it is has only its reason to be found by."""
    reason = told.reason if isinstance(told, p.ActionChanged) else ""
    if not told.title:
        return _reasoned(fact, told)
    return _entry(
        fact, f"action/{told.action}", "action item", f"{told.action}: {told.title}", told.owner, reason,
        where=f"/actions/{_part(told.action)}", incident=told.incident,
    )  # fmt: skip


def _statement(fact: Fact, told: p.StatementRevised) -> Entry:
    return _entry(
        fact, f"statement/{told.incident}", "statement", f"{told.title} ({told.incident})", told.text,
        where=_path(told), incident="" if told.drafted else told.incident,
    )  # fmt: skip


def _postmortem(fact: Fact, told: p.PostmortemImported) -> Entry:
    return _entry(
        fact, f"postmortem/{told.incident}/{told.file}", "post-mortem", told.title or told.file,
        *(one.text for one in told.excerpts), where=_path(told), incident=told.incident,
    )  # fmt: skip


_REASONS = ("reason", "note", "evidence")


def _reasoned(fact: Fact, told: p.Payload) -> Entry | None:
    """Make an entry of the reason that somebody gave; ``None`` where nobody gave one."""
    words = [said for field in _REASONS if isinstance(said := getattr(told, field, ""), str) and said]
    if not words:
        return None
    about = next((name for field in _ABOUT if (name := getattr(told, field, ""))), "")
    what = fact.kind.replace(".", " ")
    return _entry(fact, f"decision/{fact.id}", "decision", f"{what}: {about}" if about else what, *words)


_ABOUT = ("action", "amendment", "incident", "release", "deployment", "change")


def _path(told: Any) -> str:
    return f"/incidents/{_part(told.incident)}"


_MADE: dict[type, Callable[[Fact, Any], Entry | None]] = {
    p.IncidentOpened: _incident, p.ReviewRevised: _review, p.NoteTaken: _note, p.FailureCaptured: _failure,
    p.AmendmentProposed: _amendment, p.EdgeCaseDocumented: _edge_case, p.EdgeCaseRetired: _retired,
    p.ReleaseDeclared: _release, p.ChangeMerged: _change, p.ReviewCommented: _comment,
    p.RowAnswered: _answer, p.FactorNamed: _factor, p.ActionAdded: _action, p.ActionChanged: _action,
    p.StatementRevised: _statement, p.PostmortemImported: _postmortem, p.ActionMoved: _reasoned,
    p.AmendmentMoved: _reasoned, p.ChangeReverted: _reasoned, p.CommentMoved: _reasoned,
    p.DeploymentRequested: _reasoned, p.DeploymentSteered: _reasoned, p.IncidentAssessed: _reasoned,
    p.IncidentBackdated: _reasoned, p.IncidentMoved: _reasoned, p.IncidentSplit: _reasoned,
    p.NeighbourConcerned: _reasoned, p.OverrideGranted: _reasoned, p.QuarantineLifted: _reasoned,
    p.ReviewMoved: _reasoned, p.ServiceRolledBack: _reasoned, p.SignedOff: _reasoned,
}  # fmt: skip

EVENT_KINDS = tuple(kind.name for kind in EVERY_KIND if kind.payload in _MADE)
"""The kinds of event that ``entry_of`` makes entries of."""

NOT_SEARCHED: Mapping[str, str] = {
    **dict.fromkeys(("thanks.given", "thanks.withdrawn"), "names a person, by choice and in one place only"),
    **dict.fromkeys(("notice.intended", "notice.deferred"), "repeats the record for an audience"),
    **dict.fromkeys(("notice.sent", "notice.failed"), "is what a channel answered"),
    **dict.fromkeys(("amendment.proven", "amendment.disproven", "amendment.unreplayable", "proof.run"),
                    "is what a proof computed"),
    **dict.fromkeys(("trial.done", "replay.finished"), "is what a run computed"),
    **dict.fromkeys(("watch.assessed", "step.concluded", "actuation.intended", "deployment.finished",
                     "quarantine.set"), "is what a rollout computed"),
    "policy.adopted": "is a file, which `amends policy` shows and compares",
}  # fmt: skip
"""Kinds of event with words that are not searched, and why."""

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
