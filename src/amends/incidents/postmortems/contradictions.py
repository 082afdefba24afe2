"""What in a post-mortem cannot all be so: found and shown, never mended in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from amends.incidents.postmortems.entries import Entry
from amends.incidents.postmortems.facts import Contradiction, Reading
from amends.incidents.postmortems.prose import AMOUNT, Stated, Window, seconds_of
from amends.incidents.postmortems.sections import Part, Sectioned, sentences
from amends.incidents.postmortems.times import days_in, mentions_in

_ORDER = (
    ("started", "detected"), ("started", "mitigated"), ("detected", "mitigated"), ("mitigated", "resolved"),
    ("detected", "resolved"), ("started", "resolved"),
)  # fmt: skip
_SPANS = {
    "time to detect": (("started", "detected"),),
    "time to recover": (
        ("started", "mitigated"), ("started", "resolved"), ("detected", "mitigated"),
        ("detected", "resolved"),
    ),
    "duration": (("started", "mitigated"), ("started", "resolved"), ("detected", "resolved")),
}  # fmt: skip
_ERROR = re.compile(r"error|fatal|panic|exception|fail", re.IGNORECASE)
_FAR = timedelta(days=3)
_ROUND_FROM, _ROUND = 1_800, 600
_MOST_COMPARED = 100  # durations, and stretches of harm: each is compared with each


def order_of(found: Mapping[str, Reading]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of milestones of which the later one came first."""
    told = set()
    for first, second in _ORDER:
        one, other = found.get(first), found.get(second)
        if first in told:
            continue  # once is enough
        if (
            one
            and other
            and one.low
            and other.high
            and _comparable(one.low, other.high)
            and one.low > other.high
        ):
            told.add(first)
            yield first, second


def milestone_contradictions(found: Mapping[str, Reading]) -> Iterator[Contradiction]:
    """Yield milestones in an impossible order, and an incident declared when it was over."""
    for first, second in order_of(found):
        one, other = found[first], found[second]
        yield Contradiction(
            "order", f"{second} ({_say(other)}) lies before {first} ({_say(one)})", (one.line, other.line)
        )
    declared, end = found.get("declared"), found.get("mitigated")
    if (
        declared
        and end
        and declared.low
        and end.high
        and _comparable(declared.low, end.high)
        and declared.low > end.high
    ):
        yield Contradiction(
            "order", f"the incident was declared ({_say(declared)}) after it was mitigated ({_say(end)})",
            (declared.line, end.line),
        )  # fmt: skip


def timeline_contradictions(entries: Sequence[Entry]) -> Iterator[Contradiction]:
    """Yield places where the times of a timeline run backwards."""
    for before, entry in pairwise(entries):
        if entry.zoned == before.zoned and entry.latest < before.earliest:
            yield Contradiction(
                "times run backwards", f"{_time(entry.earliest)} stands after {_time(before.earliest)}",
                (before.line, entry.line),
            )  # fmt: skip


def duration_contradictions(
    found: Mapping[str, Reading], stated: Sequence[Stated], windows: Sequence[Window]
) -> Iterator[Contradiction]:
    """Yield stated durations that no two milestones, and no stated window, bear out."""
    told: set[tuple[str, float]] = set()
    for one in stated[:_MOST_COMPARED]:
        if (one.name, one.seconds) in told:
            continue
        told.add((one.name, one.seconds))
        pairs = [(a, b) for a, b in _SPANS[one.name] if a in found and b in found]
        spans = [span for a, b in pairs if (span := _span(found[a], found[b]))]
        spans += [
            (s, s)
            for w in windows[:_MOST_COMPARED]
            if one.name != "time to detect" and (s := (w.last - w.first).total_seconds())
        ]
        if spans and not any(_fits(one, low, high) for low, high in spans):
            low, high = spans[0]
            lines = (one.line, *(found[name].line for name in (pairs[0] if pairs else ())))
            yield Contradiction(
                "stated duration",
                f"{one.name} is stated as {_minutes(one.seconds)}; the times give {_minutes(low)}"
                + (f" to {_minutes(high)}" if high != low else ""),
                lines,
            )


def date_contradictions(
    title: tuple[str, int], entries: Sequence[Entry], found: Mapping[str, Reading], windows: Sequence[Window]
) -> Iterator[Contradiction]:
    """Yield a title whose date is none of the timeline's, and stretches of harm in other weeks."""
    dated = [entry for entry in entries if entry.dated]
    days = [day for _, _, written in days_in(title[0]) if written.year and (day := written.on(None))]
    if dated and days:
        low, high = min(e.earliest for e in dated).date(), max(e.latest for e in dated).date()
        if not any(low - _FAR <= day <= high + _FAR for day in days):
            yield Contradiction(
                "dates", f"the title says {days[0]}, the timeline {low} to {high}", (title[1], dated[0].line)
            )
    known = [one for one in found.values() if one.low and one.high]
    if not known:
        return
    first = min(one.low.date() for one in known if one.low)
    last = max(one.high.date() for one in known if one.high)
    for window in windows[:_MOST_COMPARED]:
        begin, end = window.first.date(), window.last.date()
        if (end < first - _FAR or begin > last + _FAR) and _close_to_year(begin, first, last):
            yield Contradiction(
                "dates", f"the text says {begin} to {end}, the timeline {first} to {last}",
                (window.line, known[0].line),
            )  # fmt: skip


def sentence_contradictions(parts: Sequence[Sectioned]) -> Iterator[Contradiction]:
    """Yield sentences that give two times and a duration between them which does not fit."""
    for text, line in sentences(parts, *(part for part in Part if part is not Part.TALK)):
        if not any(sign in text for sign in (":", "am", "pm", "AM", "PM")):
            continue
        ranges = [m for m in mentions_in(text) if m.until and m.clock and m.until.clock]
        amounts = list(AMOUNT.finditer(text)) if len(ranges) == 1 else []
        if len(amounts) != 1:
            continue
        first, last = ranges[0], ranges[0].until
        if last is None or first.clock is None or last.clock is None:
            continue
        seconds, grain = seconds_of(amounts[0]["all"])
        day = date(2000, 1, 1)
        span = (
            datetime.combine(day, last.clock) - datetime.combine(day, first.clock)
        ).total_seconds() % 86_400
        one = Stated("duration", seconds, bool(amounts[0]["rough"]), grain, line, text)
        if first.day is None and last.day is None and not _fits(one, span, span):
            yield Contradiction(
                "stated duration",
                f"{_minutes(seconds)} is stated for a stretch of {_minutes(span)}: {text[:160]}",
                (line,),
            )


def prose_contradictions(
    parts: Sequence[Sectioned], entries: Sequence[Entry], found: Mapping[str, Reading]
) -> Iterator[Contradiction]:
    """Yield dates far from the timeline's, later fixes than the resolution, and earlier log lines."""
    dated = [entry for entry in entries if entry.dated] or entries
    if dated:
        low, high = min(e.earliest.date() for e in dated) - _FAR, max(e.latest.date() for e in dated) + _FAR
        for text, line in sentences(parts, Part.IMPACT, Part.FIGURES):
            days = [
                d for _, _, day in days_in(text) if day.year and (d := day.on(None)) and not low <= d <= high
            ]
            if days and _close_to_year(days[0], low, high):
                yield Contradiction(
                    "dates",
                    f"the text says {days[0]}, the timeline {dated[0].earliest.date()} to "
                    f"{dated[-1].latest.date()}",
                    (line, dated[0].line),
                )  # fmt: skip
    yield from _late_fix(parts, found)
    yield from _early_log(parts, found)


def _close_to_year(day: date, low: date, high: date) -> bool:
    return low - timedelta(days=200) <= day <= high + timedelta(days=200)


def _late_fix(parts: Sequence[Sectioned], found: Mapping[str, Reading]) -> Iterator[Contradiction]:
    end = found.get("resolved")
    if end is None or end.at is None:
        return
    for text, line in sentences(parts, Part.RESOLUTION):
        for mention in mentions_in(text):
            if mention.clock and mention.day is None and mention.until is None and line != end.line:
                at = datetime.combine(end.at.date(), mention.clock, mention.zone or end.at.tzinfo)
                if _comparable(at, end.at) and at > end.at + timedelta(minutes=5):
                    yield Contradiction(
                        "times",
                        f"the text says {mention.clock:%H:%M}, and it was resolved at {_say(end)}: "
                        f"{text[:160]}",
                        (line, end.line),
                    )  # fmt: skip


def _early_log(parts: Sequence[Sectioned], found: Mapping[str, Reading]) -> Iterator[Contradiction]:
    start = found.get("started")
    if start is None or start.at is None or start.at.tzinfo is None:
        return
    for part in parts:
        if part.block.kind != "code" or part.part is Part.TALK:
            continue
        for place, text in enumerate(part.block.text.split("\n")[:200]):
            for mention in mentions_in(text[:300]) if _ERROR.search(text[:2_000]) else ():
                if mention.day and mention.day.year and mention.clock and mention.zone:
                    day = mention.day.on(None)
                    at = datetime.combine(day, mention.clock, mention.zone) if day else start.at
                    if timedelta(minutes=1) < start.at - at < timedelta(hours=12):
                        yield Contradiction(
                            "times", f"a quoted error of {_time(at)} is older than the start ({_say(start)})",
                            (part.block.line + place, start.line),
                        )  # fmt: skip


def _span(first: Reading, second: Reading) -> tuple[float, float] | None:
    ends = (first.low, first.high, second.low, second.high)
    if not all(ends) or len({end.tzinfo is None for end in ends if end}) != 1:
        return None
    if not (first.low and first.high and second.low and second.high):
        return None
    low, high = (second.low - first.high).total_seconds(), (second.high - first.low).total_seconds()
    return (max(low, 0.0), high) if high >= 0 else None


def _fits(one: Stated, low: float, high: float) -> bool:
    whole = one.seconds >= _ROUND_FROM and one.seconds % _ROUND == 0  # people round without saying so
    slack = max(one.grain * 0.5, one.seconds * (0.15 if one.rough else 0.05 if whole else 0.01))
    return low - slack <= one.seconds <= high + slack


def _comparable(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) == (other.tzinfo is None)


def _say(one: Reading) -> str:
    if one.at:
        return _time(one.at)
    return f"{_time(one.earliest) if one.earliest else '…'} to {_time(one.latest) if one.latest else '…'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
