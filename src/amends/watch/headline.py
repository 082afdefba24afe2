"""What stands above a watch's report: whom it is about, the verdict's sentence, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from amends.watch.assessment import MetricRow
from amends.watch.looks import Look


@dataclass(frozen=True, slots=True)
class Headline:
    """Whom a report is about, and what came of it.

    Parameters
    ----------
    subject:
        What was watched: ``shop 1.4.0 in production``, or a recording's name.
    baseline:
        What it was compared with; empty where nobody said.
    outcome:
        In a word or two: ``rolled back``, ``promoted``, ``hold``.
    sentence:
        The sentence that says why.
    tone:
        ``pass``, ``block`` or ``wait``: how it is marked.
    """

    subject: str
    outcome: str
    sentence: str
    baseline: str = ""
    tone: Literal["pass", "block", "wait"] = "wait"
    began: datetime | None = None
    ended: datetime | None = None


def began_of(looks: Sequence[Look]) -> datetime | None:
    """Return when a watch began: some time before its first look."""
    return looks[0].at - timedelta(seconds=looks[0].elapsed) if looks else None


def cleaned(looks: Sequence[Look], clean: Callable[[str], str]) -> tuple[Look, ...]:
    """Return looks with every sentence in them cleaned: a source's problem may name a host."""
    once = cache(clean)

    def row(one: MetricRow) -> MetricRow:
        return replace(one, reason=once(one.reason), observed=once(one.observed))

    return tuple(
        replace(
            look, reason=once(look.reason), problems=tuple(once(problem) for problem in look.problems),
            rows=tuple(row(one) for one in look.rows), event="",
        )
        for look in looks
    )  # fmt: skip
