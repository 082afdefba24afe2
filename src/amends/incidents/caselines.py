"""What the timeline says of the work on an incident: duties, merges, splits, neighbours, the team's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.wording import say_seconds, say_time

VISIBILITY = {
    "unknown": "whether customers see it is not known", "none": "no customer sees it",
    "some": "some customers see it", "all": "all customers see it",
}  # fmt: skip


def _by(role: str) -> str:
    return f" by {role}" if role else ""


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""


def _assessed(_: Fact, told: Any) -> str:
    parts = [f"severity {told.severity}"] if told.severity else []
    parts += [VISIBILITY[told.visibility]] if told.visibility else []
    return f"Assessed{_by(told.role)}, {', '.join(parts)}{_why(told.reason)}"


def _duty(fact: Fact, told: Any) -> str:
    if fact.kind == "duty.left":
        return f"Nobody is {told.duty} any more{_by(told.role)}"
    return f"{told.team} takes the duty of {told.duty}"


def _split(_: Fact, told: Any) -> str:
    moved = f", with {len(told.events)} lines of its record" if told.events else ""
    return f"{told.other} split from {told.incident}{_by(told.role)}{moved}{_why(told.reason)}"


def _backdated(_: Fact, told: Any) -> str:
    moved = f"from {say_time(told.was)} to {say_time(told.at)}"
    return f"Detection moved {moved}{_by(told.role)}{_why(told.reason)}"


def _neighbour(fact: Fact, told: Any) -> str:
    if fact.kind == "neighbour.cleared":
        return f"{told.neighbour} is not concerned{_by(told.role)}{_why(told.reason)}"
    owner = f"; its owner {told.team} is to be told" if told.team else "; nobody recorded its owner"
    return f"{told.neighbour} ({told.relation}) is concerned{_by(told.role)}{_why(told.reason)}{owner}"


def _answered(_: Fact, told: Any) -> str:
    gate = f"{told.gate} of {told.whose}" if told.whose else told.gate
    return f"{told.role} about the gate {gate}: {told.words}"


def _factor(fact: Fact, told: Any) -> str:
    word = "withdrawn" if fact.kind == "factor.withdrawn" else "named"
    return f"Contributing factor “{told.factor}” {word}{_by(told.role)}: {told.words}"


def _duration(_: Fact, told: Any) -> str:
    span = f"{told.ends} − {told.begins}".replace("_", " ")
    source = told.source or told.role or "somebody"
    return f"{source} states {say_seconds(told.seconds)} for {span}"


CASE_SENTENCES: dict[type[Any], Callable[[Fact, Any], str]] = {
    p.IncidentAssessed: _assessed,
    p.DutyMoved: _duty,
    p.IncidentSplit: _split,
    p.IncidentBackdated: _backdated,
    p.NeighbourConcerned: _neighbour,
    p.RowAnswered: _answered,
    p.FactorNamed: _factor,
    p.DurationStated: _duration,
}
