"""What an incident touched, in the watch's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.incident import Incident, facts_in_order
from amends.incidents.wording import short


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence with the events that it rests on."""

    text: str
    events: tuple[str, ...] = ()


def impact_of(incident: Incident, facts: Iterable[Fact]) -> tuple[Statement, ...]:
    """Return what the watch counted up to its last look, and the failures that were captured.

    Empty when nobody counted: absence of numbers is not absence of impact.
    """
    ordered = facts_in_order(facts)
    last = None
    captured = []
    for fact in ordered:
        told = fact.payload
        if (
            isinstance(told, p.WatchAssessed)
            and told.deployment == incident.opened.deployment
            and told.metrics
        ):
            last = fact
        if isinstance(told, p.FailureCaptured) and told.environment == incident.environment:
            captured.append(fact)
    found = []
    if last is not None and isinstance(last.payload, p.WatchAssessed):
        sentences = (_metric(metric) for metric in last.payload.metrics)
        found = [Statement(sentence, (last.id,)) for sentence in sentences if sentence]
    if captured:
        count = "1 failing input was" if len(captured) == 1 else f"{len(captured)} failing inputs were"
        found.append(Statement(f"{count} captured in {incident.environment}.", tuple(f.id for f in captured)))
    found += [_traffic(fact) for fact in ordered if _is_traffic(incident, fact)]
    return tuple(found)


def _metric(metric: Mapping[str, Any]) -> str:
    """Say one metric of a look; the fields are those of ``watch.assessment.MetricRow``."""
    name, candidate, baseline = metric.get("metric", ""), _arm(metric, "candidate"), _arm(metric, "baseline")
    if metric.get("kind") == "ratio" and candidate.get("exposure"):
        ours = f"{candidate.get('events', 0):,.0f} of {candidate['exposure']:,.0f} requests"
        theirs = f"{baseline.get('events', 0):,.0f} of {baseline.get('exposure', 0):,.0f}"
        return f"{name}: {ours} to the new release, against {theirs} to the previous one."
    if metric.get("kind") == "latency" and candidate.get("p99") is not None:
        before = f", against {baseline['p99']:.3g} before" if baseline.get("p99") is not None else ""
        return f"{name}: the slowest hundredth took {candidate['p99']:.3g} or longer{before}."
    reason = str(metric.get("reason", "")).strip()
    return f"{name}: {reason}" if name and reason else ""


def _arm(metric: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    arm = metric.get(name)
    return arm if isinstance(arm, Mapping) else {}


def _is_traffic(incident: Incident, fact: Fact) -> bool:
    told = fact.payload
    return (
        isinstance(told, p.TrafficObserved)
        and told.environment == incident.environment
        and incident.escaped(told.release)
    )


def _traffic(fact: Fact) -> Statement:
    told = fact.payload
    assert isinstance(told, p.TrafficObserved)
    return Statement(
        f"Release {short(told.release)} served {told.requests:,} requests in {told.environment}.", (fact.id,)
    )
