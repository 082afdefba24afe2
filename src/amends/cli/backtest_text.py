"""How a backtest is printed as text."""

from __future__ import annotations

from collections.abc import Sequence

from amends.application.backtesting import Priced, Swept
from amends.backtests.price import Backtest
from amends.backtests.sweep import Point
from amends.backtests.wording import (
    comparison_sentence,
    guard_sentences,
    held_sentence,
    incident_sentence,
    lead_time_sentence,
    plural,
    points,
    sweep_sentence,
    verdict_sentence,
)  # fmt: skip
from amends.gates.shape import format_duration

_SHOWN = 20
_INCIDENTS = 50


def as_text(priced: Priced) -> str:
    """Return a backtest for a terminal: the verdict in its first line."""
    found = priced.backtest
    lines = [verdict_sentence(found), ""]
    lines += [f"note: {note}" for note in priced.notes]
    lines.append(_scope(priced))
    lines += [f"  {told}" for told in guard_sentences(found)]
    if found.deployments:
        lines += ["", *_table(_totals(found))]
        lines += ["", f"added lead time of good releases: {lead_time_sentence(found.lead_time)}"]
    if found.gates and found.deployments:
        lines += ["", *_table(_gates(found))]
    if priced.comparison and priced.against:
        lines += ["", f"against {priced.against.path}: {comparison_sentence(priced.comparison)}"]
        lines += _differences(priced)
    lines += _incidents(found) + _held(found)
    return "\n".join(lines)


def _scope(priced: Priced) -> str:
    found = priced.backtest
    when = f", {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}" if found.first and found.last else ""
    what = plural(found.deployments, "deployment")
    return f"{priced.loaded.path} on {priced.service} to {found.environment}: {what}{when}"


def _totals(found: Backtest) -> list[Sequence[str]]:
    passed = found.good - len(found.held) - found.undecided_good
    counts = [
        ("held", found.count("stopped"), len(found.held)),
        ("let pass", found.count("not stopped"), passed),
        ("undecided", found.count("undecided"), found.undecided_good),
        ("all", len(found.incidents), found.good),
    ]
    rows = [(word, f"{incidents:,}", f"{good:,}") for word, incidents, good in counts]
    return [("", "incidents", "good releases"), *rows]


def _gates(found: Backtest) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [
        ("gate", "mode", "escapes held", "alone", "good held", "alone", "undecided")
    ]  # fmt: skip
    for one in found.gates:
        unsure = one.undecided_incidents + one.undecided_good
        counts = (one.stopped, one.stopped_alone, one.held, one.held_alone, unsure)
        rows.append((one.label, one.mode, *(f"{count:,}" for count in counts)))
    return rows


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: words to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if rows[-1][i][:1].isdigit() else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines


def _incidents(found: Backtest) -> list[str]:
    if not found.incidents:
        return []
    lines = ["", "incidents"]
    earlier = len(found.incidents) - _INCIDENTS
    if earlier > 0:
        lines.append(f"  {earlier:,} earlier ones: --format json lists them all")
    for one in found.incidents[-_INCIDENTS:]:
        at = f"{one.at:%Y-%m-%d %H:%M}" if one.at else "time not recorded"
        apart = " [left out of the verdict]" if one.left_out else ""
        release = one.incident.release or "release not recorded"
        lines.append(f"  {one.incident.name}  {release}, {at}: {incident_sentence(one)}{apart}")
    return lines


def _held(found: Backtest) -> list[str]:
    if not found.held:
        return []
    lines = ["", "good releases that would have been held"]
    lines += [f"  {o.release}  {o.at:%Y-%m-%d %H:%M}: {held_sentence(o)}" for o in found.held[:_SHOWN]]
    more = len(found.held) - _SHOWN
    return lines + ([f"  and {more:,} more: --format json lists them all"] if more > 0 else [])


def _differences(priced: Priced) -> list[str]:
    assert priced.comparison is not None
    named = (
        ("stopped now, not before", priced.comparison.newly_stopped),
        ("stopped before, not now", priced.comparison.no_longer_stopped),
    )
    return [f"  {what}: {', '.join(names)}" for what, names in named if names]


def sweep_as_text(swept: Swept) -> str:
    """Return a sweep for a terminal: the pick in its first line, then the frontier."""
    found = swept.sweep
    lines = [sweep_sentence(found), ""]
    lines += [f"note: {note}" for note in swept.notes]
    what = f"{swept.loaded.path} on {swept.service} to {swept.environment}"
    lines.append(f"{what}: {plural(len(found.points), 'variant')} over the whole history")
    rows: list[Sequence[str]] = [("", "variant", "effect", "mean delay", "stopped", "held")]
    shown = found.telling
    rows += [_point(point, swept) for point in shown]
    hidden = len(found.points) - len(shown)
    lines += ["", *_table(rows)]
    if hidden:
        lines.append(f"  {plural(hidden, 'other variant')}: none is known to do better than those above")
    return "\n".join(lines)


def _point(point: Point, swept: Swept) -> Sequence[str]:
    found, sweep = point.whole, swept.sweep
    marks = ["now"] if point.variant.current else []
    marks += ["pick"] if point is sweep.picked else []
    delay = "not known" if found.delay is None else format_duration(found.delay)
    estimate = found.effect.difference.estimate
    effect = f"{found.effect.verdict}, {points(estimate)} points" if estimate is not None else "not known"
    return (
        "+".join(marks), point.variant.label, effect, delay, f"{found.stopped} of {found.escapes}",
        f"{found.held} of {found.good}",
    )  # fmt: skip
