"""What in an incident's times cannot all be true. It is shown, with its sources; nothing is mended.

Times are often written to the minute, so a time on a whole minute stands for that minute, and a duration is
as precise as its last digit: *2 hours* agrees with anything from 1 h 30 min to 2 h 30 min.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, islice

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.milestones import Milestone, duration_between, stated_milestone
from amends.incidents.wording import say_range, say_seconds, say_time

ORDER = (
    ("started", "detected"), ("started", "acknowledged"), ("started", "mitigated"),
    ("started", "cause_found"), ("started", "resolved"), ("detected", "acknowledged"),
    ("detected", "mitigated"), ("detected", "cause_found"), ("detected", "resolved"),
    ("acknowledged", "resolved"), ("mitigated", "resolved"), ("started", "declared"),
    ("detected", "declared"), ("declared", "resolved"),
)  # fmt: skip
"""Which milestone cannot lie after which: nothing is detected before it began, nor resolved before that."""
_MINUTE = timedelta(minutes=1)
_MOST = 10  # contradictions between sources of one milestone; more would say no more


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two things that cannot both be true, in a sentence, with the events that say them."""

    kind: str
    text: str
    events: tuple[str, ...]


def contradictions_of(
    incident: str, milestones: Sequence[Milestone], facts: Iterable[Fact]
) -> tuple[Contradiction, ...]:
    """Return every contradiction: in the order of milestones, between sources, and with stated durations."""
    facts = list(facts)
    named = {milestone.name: milestone for milestone in milestones}
    told = [fact for fact in facts if getattr(fact.payload, "incident", "") == incident]
    return (
        *_order(named), *_sources(named, told),
        *(found for fact in told if (found := _duration(named, fact))),
    )  # fmt: skip


def _order(named: dict[str, Milestone]) -> Iterable[Contradiction]:
    for first, second in ORDER:
        before, after = named.get(first), named.get(second)
        if before is None or after is None or before.low is None or after.high is None:
            continue
        if before.low > _ceiling(after.high):
            text = (
                f"{_word(second)} ({_when(after)}, {after.source}) lies before {_word(first)} "
                f"({_when(before)}, {before.source})."
            )
            yield Contradiction("order", _sentence(text), (*before.events, *after.events))


def _sources(named: dict[str, Milestone], told: Sequence[Fact]) -> Iterable[Contradiction]:
    """Compare what different sources state of one milestone; who corrects himself contradicts nobody."""
    for name, shown in named.items():
        latest = {shown.source: shown} if shown.recorded else {}
        for fact in told:
            if isinstance(fact.payload, p.MilestoneSet) and fact.payload.milestone == name:
                stated = stated_milestone(fact, fact.payload)
                latest[stated.source] = stated
        for one, other in islice(_pairs_apart(list(latest.values())), _MOST):
            text = f"{_word(name)}: {_when(one)} ({one.source}) or {_when(other)} ({other.source})."
            yield Contradiction("sources", _sentence(text), (*one.events, *other.events))


def _pairs_apart(stated: Sequence[Milestone]) -> Iterable[tuple[Milestone, Milestone]]:
    """Yield those that exclude each other; intervals of which each two meet share a moment, so look first."""
    ends = [_ceiling(one.high) for one in stated if one.high]
    begins = [one.low for one in stated if one.low]
    if not ends or not begins or max(begins) <= min(ends):
        return
    yield from ((one, other) for one, other in combinations(stated, 2) if _apart(one, other))


def _apart(one: Milestone, other: Milestone) -> bool:
    for first, second in ((one, other), (other, one)):
        if first.high and second.low and _ceiling(first.high) < second.low:
            return True
    return False


def _duration(named: dict[str, Milestone], fact: Fact) -> Contradiction | None:
    told = fact.payload
    if not isinstance(told, p.DurationStated) or told.begins not in named or told.ends not in named:
        return None
    begins, ends = named[told.begins], named[told.ends]
    found = duration_between("", ends, begins)
    # Each end may be a minute off, for that is how times are mostly written.
    slack = told.precision / 2 + 60
    low = found.low is not None and told.seconds < found.low - slack
    high = found.high is not None and told.seconds > found.high + slack
    if not (low or high):
        return None
    source = told.source or told.role or "somebody"
    text = (
        f"{source} states {say_seconds(told.seconds)} for {found.formula.replace('_', ' ')}; "
        f"the milestones give {say_range(found.low, found.high)}."
    )
    return Contradiction("duration", text, (fact.id, *found.events))


def _ceiling(moment: datetime) -> datetime:
    whole = moment.second == 0 and moment.microsecond == 0
    return moment + _MINUTE if whole else moment


def _word(name: str) -> str:
    return name.replace("_", " ")


def _when(m: Milestone) -> str:
    if m.at:
        return say_time(m.at)
    if m.earliest and m.latest:
        return f"between {say_time(m.earliest)} and {say_time(m.latest)}"
    return f"before {say_time(m.latest)}" if m.latest else f"after {say_time(m.earliest)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
