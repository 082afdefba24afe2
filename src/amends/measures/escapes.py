"""What measures say of incidents: escapes by gate, milestones, recurrence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from amends.events import payloads as p
from amends.incidents.escape import EscapeState
from amends.incidents.milestones import DURATIONS
from amends.measures.censored import Span, quantiles_of
from amends.measures.measure import Case, Cell, Figure, Measure, Scope, Spans, count_strips
from amends.measures.shares import share_of

Matches = Callable[[p.Signature, p.Signature], bool]

NOT_PASSED = (EscapeState.NOT_IN_PLACE, EscapeState.NOT_RECORDED)
"""States of a gate that nothing got past: it was not there, or nobody knows."""


def escapes_by_gate(cases: Sequence[Case], scope: Scope) -> Measure:
    """Count how incidents' releases got past each gate, over time."""
    found = _within(cases, scope)
    rows: list[Mapping[str, Cell]] = [
        {
            "incident": case.incident.id, "detected": case.incident.detected_at, "gate": gate.gate,
            "kind": gate.kind, "environment": gate.environment, "state": gate.state.value,
            "why": gate.reason, "events": gate.events,
        }
        for case in found
        for gate in case.gates
    ]  # fmt: skip
    passed = [
        (gate.kind, case.incident.detected_at) for case in found for gate in case.gates
        if gate.state not in NOT_PASSED
    ]  # fmt: skip
    counts = Counter(gate.state for case in found for gate in case.gates)
    states = [
        Figure(
            f"gates: {state.value}", counts[state], "count",
            where=(("state", state.value),),
        )
        for state in EscapeState
    ]  # fmt: skip
    return Measure(
        "escapes-by-gate", "Escapes by gate",
        "For each incident, each gate of the policy that held for its release and each standard "
        "gate that the "
        "policy does not have, with how the release got past it. The chart counts by kind of gate those that "
        "were in place.", "The escape matrix of each incident",
        ("incident", "detected", "gate", "kind", "environment", "state", "why", "events"), tuple(rows),
        (Figure("incidents", len(found), "count"), *(one for one in states if one.value)),
        count_strips(sorted(passed), scope) if passed else None,
        ("A gate that more escapes got past is one that more releases met: this orders no gates by merit.",),
    )  # fmt: skip


def milestone_durations(cases: Sequence[Case], scope: Scope) -> Measure:
    """Show each duration between milestones as a distribution, with open cases and unknown ends."""
    rows: list[Mapping[str, Cell]] = []
    figures: list[Figure] = []
    lines = []
    for name, end, start in DURATIONS:
        spans, missing = [], 0
        for case in _within(cases, scope):
            row, span = _duration_row(case, name, end, start, scope)
            rows.append(row)
            missing += span is None
            spans += [span] if span else []
        where = (("duration", name), ("recorded", "yes"))
        figures += quantiles_of(spans, what=name, missing=missing, where=where)
        lines.append((name, tuple((span.low, span.high) for span in spans)))
    formulas = "; ".join(f"{name} = {_words(end)} − {_words(start)}" for name, end, start in DURATIONS)
    return Measure(
        "milestone-durations", "Times between milestones",
        f"{formulas}. A milestone that is known only to an interval gives a range. A case is open until its "
        "incident is resolved; of one that was resolved without an end, that end is unknown.",
        "The milestones of each incident",
        ("incident", "duration", "recorded", "open", "seconds_low", "seconds_high", "missing", "events"),
        tuple(rows), tuple(figures), Spans(tuple(lines)) if rows else None,
        ("Quantiles are by Kaplan and Meier's estimator, which counts open cases for as long as "
         "they were seen; "
         "no mean is given, since open cases have none.",),
    )  # fmt: skip


def _duration_row(
    case: Case, name: str, end: str, start: str, scope: Scope
) -> tuple[Mapping[str, Cell], Span | None]:
    """Return one incident's row for a duration, and its span where anything is known of it."""
    found = next(one for one in case.durations if one.name == name)
    named = {milestone.name: milestone for milestone in case.milestones}
    over = any(named[one].recorded for one in ("resolved", end))
    span = None
    if not found.missing and found.high is not None:
        low = max(0.0, found.low or 0.0)
        span = Span(low, max(low, found.high))
    elif named[start].high is not None and not over:
        began = named[start].high
        assert began is not None
        span = Span(max(0.0, (scope.until - began).total_seconds()), None)
    row: dict[str, Cell] = {
        "incident": case.incident.id, "duration": name, "recorded": "yes" if span else "no",
        "open": "yes" if span and span.open else "no", "seconds_low": span.low if span else None,
        "seconds_high": span.high if span else None, "missing": found.missing, "events": found.events,
    }  # fmt: skip
    return row, span


def recurrence(cases: Sequence[Case], scope: Scope, matches: Matches, guarded: Mapping[str, str]) -> Measure:
    """Count incidents whose failure had been seen in an earlier one of the same service.

    Parameters
    ----------
    cases:
        All incidents, also those before the scope.
    matches:
        Whether one failure's signature is another's.
    guarded:
        By incident, the amendment that is or was active against it.
    """
    seen: dict[str, _Seen] = {}
    rows: list[Mapping[str, Cell]] = []
    found = []
    for case in sorted(cases, key=lambda case: case.incident.detected_at):
        before = seen.setdefault(case.incident.service, _Seen(matches))
        if _in(case, scope):
            earlier = before.earlier(case)
            rows.append(_recurrence_row(case, earlier, guarded))
            found.append((str(rows[-1]["recurrence"]), case.incident.detected_at))
        before.add(case)
    comparable = [row for row in rows if row["recurrence"] != "not comparable"]
    again = [row for row in comparable if row["recurrence"] == "again"]
    past_a_guard = [row for row in again if row["amendment"]]
    return Measure(
        "recurrence", "Recurrence",
        "An incident recurs when a failure that was captured for it has the signature (exception "
        "and frame, or "
        "status and path) of a failure captured for an earlier incident of the same service. Incidents "
        "without a captured failure cannot be compared.", "The failures captured for each incident",
        ("incident", "service", "detected", "recurrence", "seen_before", "amendment", "events"), tuple(rows),
        (share_of("recurred", len(again), len(comparable), what="comparable incidents",
                  where=(("recurrence", "again"),)),
         Figure("recurred although an amendment was active", len(past_a_guard), "count"),
         Figure("not comparable", len(rows) - len(comparable), "count",
                where=(("recurrence", "not comparable"),))),
        count_strips(sorted(found), scope) if rows else None,
    )  # fmt: skip


def _recurrence_row(case: Case, earlier: Case | None, guarded: Mapping[str, str]) -> Mapping[str, Cell]:
    return {
        "incident": case.incident.id, "service": case.incident.service,
        "detected": case.incident.detected_at,
        "recurrence": "not comparable" if not case.failures else "again" if earlier else "first",
        "seen_before": earlier.incident.id if earlier else "",
        "amendment": guarded.get(earlier.incident.id, "") if earlier else "",
        "events": (case.incident.event, *((earlier.incident.event,) if earlier else ())),
    }  # fmt: skip


@dataclass(slots=True)
class _Seen:
    """Failures of one service so far. It fails in few ways, many times: each two ways are compared once.

    ``last`` is the latest incident with exactly this failure, ``alike`` what each failure matches.
    """

    matches: Matches
    last: dict[p.Signature, Case] = field(default_factory=dict)
    alike: dict[p.Signature, list[p.Signature]] = field(default_factory=dict)

    def earlier(self, case: Case) -> Case | None:
        """Return the latest earlier incident with the same failure."""
        found = [
            self.last[theirs] for mine in case.failures for theirs in self._like(mine) if theirs in self.last
        ]
        return max(found, key=lambda other: other.incident.detected_at, default=None)

    def add(self, case: Case) -> None:
        for failure in case.failures:
            self._like(failure)
            self.last[failure] = case

    def _like(self, failure: p.Signature) -> list[p.Signature]:
        if failure not in self.alike:
            for other, like in self.alike.items():
                if self.matches(other, failure):
                    like.append(failure)
            known = [*self.alike, failure]
            self.alike[failure] = [other for other in known if self.matches(failure, other)]
        return self.alike[failure]


def _in(case: Case, scope: Scope) -> bool:
    incident = case.incident
    here = not scope.environment or incident.environment == scope.environment
    return here and scope.about(incident.service) and scope.holds(incident.detected_at)


def _within(cases: Sequence[Case], scope: Scope) -> list[Case]:
    return sorted((case for case in cases if _in(case, scope)), key=lambda case: case.incident.detected_at)


def _words(name: str) -> str:
    return name.replace("_", " ")
