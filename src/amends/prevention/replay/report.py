"""A replay in words and as JSON: what a person, a program and the log are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amends.events.redaction import redact
from amends.prevention.replay.causes import Cause
from amends.prevention.replay.judging import Difference, Judged
from amends.verdicts import Decision

_LISTED = 20


def summary(judged: Judged, causes: Sequence[Cause]) -> str:
    """Return the decision's reason in a sentence or two."""
    if judged.decision is Decision.BLOCK:
        first = cause_sentence(causes[0])
        more = f"; and {plural(len(causes) - 1, 'other cause')}" if len(causes) > 1 else ""
        return f"{first}{more}"
    if judged.decision is Decision.UNDECIDED:
        return "; ".join(judged.reasons)
    return (
        f"no field differs beyond the baseline's own noise in {judged.seen:,} inputs; a change that concerns "
        f"{percent(judged.detectable)} of inputs would have shown with 95%"
    )


def cause_sentence(cause: Cause) -> str:
    """Say what differs, in how many inputs, and what those have in common."""
    head = cause.head
    others = len(cause.differences) - 1
    also = f" (and {plural(others, 'other field')})" if others else ""
    return f"{difference_words(head, len(cause.requests))}{also}, {depends_words(cause)}"


def difference_words(one: Difference, count: int | None = None) -> str:
    """Say what differs in one field, in all inputs or in ``count`` that belong to one cause."""
    where = f"in {one.count if count is None else count:,} of {one.of:,} inputs"
    if one.way == "shape":
        return f"{one.field} has values of another kind or size {where}"
    values = (
        f": {_short(one.baseline)} became {_short(one.candidate)}" if one.baseline != one.candidate else ""
    )
    if one.way == "always":
        return f"{one.field} differs {where}{values}"
    ours, theirs = one.strays
    return f"{one.field} varies in {percent(theirs)} of replies, {percent(ours)} before, {where}{values}"


def depends_words(cause: Cause) -> str:
    """Say which inputs are affected, and how well that tells them from the others."""
    if len(cause.requests) == cause.of:
        return "whatever is asked"
    if not cause.depends_on:
        return "and nothing in the inputs tells which"
    missed = len(cause.requests) - cause.hit
    beyond = f", and {missed} others" if missed else ""
    told = redact(" and ".join(cause.depends_on))
    return f"where {told}: {cause.hit} of {cause.matching} such inputs{beyond}"


def as_json(judged: Judged, causes: Sequence[Cause], names: Sequence[str]) -> dict[str, Any]:
    """Return the report; ``names`` are the inputs' captures, by number."""
    return {
        "decision": judged.decision.value,
        "requests": judged.requests,
        "differences": [_difference(one) for one in judged.differences],
        "reason": redact(summary(judged, causes)),
        "usable": judged.usable,
        "compared": judged.seen,
        "detectable": judged.detectable,
        "tests": judged.tests,
        "causes": [_cause(cause, names) for cause in causes],
        "noisy": [{"field": path, "noise": noise} for path, noise in judged.noisy[:_LISTED]],
        "only_by_shape": list(judged.opaque),
        "mended": [names[i] for i in judged.mended[:_LISTED]],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "field": one.field, "count": one.count, "of": one.of, "noise": one.noise, "p": one.p,
        "adjusted_p": one.adjusted, "way": one.way, "baseline": redact(one.baseline),
        "candidate": redact(one.candidate),
    }  # fmt: skip


def _cause(cause: Cause, names: Sequence[str]) -> dict[str, Any]:
    return {
        "fields": [one.field for one in cause.differences], "count": len(cause.requests),
        "depends_on": [redact(one) for one in cause.depends_on], "matching": cause.matching, "hit": cause.hit,
        "captures": [names[i] for i in cause.requests[:_LISTED]], "words": redact(cause_sentence(cause)),
    }  # fmt: skip


def affected(causes: Sequence[Cause]) -> int:
    """Return in how many inputs anything differs."""
    return len({one for cause in causes for one in cause.requests})


def percent(share: float) -> str:
    """Write a share for a reader."""
    return f"{share * 100:.2g}%" if 0 < share < 0.1 else f"{share * 100:.0f}%"


def plural(count: int, word: str) -> str:
    """Write a number with its word."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _short(value: str) -> str:
    value = redact(value)
    return value if len(value) <= 60 else f"{value[:57]}…"
