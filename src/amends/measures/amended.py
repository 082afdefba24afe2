"""How far amendments came: proposed, proven, active, lapsed, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from amends.amendments.amendment import Amendment, AmendmentState, fold_amendments
from amends.events.codec import Fact
from amends.measures.censored import Span, quantiles_of
from amends.measures.measure import Case, Cell, Figure, Measure, Scope, count_strips
from amends.measures.shares import share_of

_HELD = {"amendment.proven": "proven", "amendment.activated": "activated", "amendment.lapsed": "lapsed"}


def proven_amendments(facts: Iterable[Fact], cases: Sequence[Case], scope: Scope) -> Measure:
    """Count amendments by state, and measure the time from an incident to its first proof.

    ``facts`` are those of all amendments.
    """
    known = list(facts)
    found = [
        one for one in fold_amendments(known)
        if scope.about(one.proposed.service) and scope.holds(one.proposed_at)
    ]  # fmt: skip
    names = {one.id for one in found}
    moves = [
        (_HELD[fact.kind], fact.occurred_at, str(getattr(fact.payload, "amendment", ""))) for fact in known
        if fact.kind in _HELD
    ]  # fmt: skip
    proven = {name: at for kind, at, name in reversed(moves) if kind == "proven"}
    detected = {case.incident.id: case.incident.detected_at for case in cases}
    rows = tuple(_row(one, proven.get(one.id), detected.get(one.incident)) for one in found)
    active = sum(1 for one in found if one.state is AmendmentState.ACTIVE)
    ever = sum(1 for one in found if one.id in proven)
    events = [("proposed", one.proposed_at) for one in found]
    events += [(kind, at) for kind, at, name in moves if name in names and scope.holds(at)]
    return Measure(
        "proven-amendments", "Proven amendments",
        "An amendment is a test or a gate that an incident brought. Proven: it was red on the "
        "escaped release and "
        "green on the fix. Active: it guards releases now. Those without a proof are promises.",
        "The log's amendments",
        ("amendment", "incident", "service", "kind", "state", "ever_proven", "proposed", "first_proven",
         "seconds_from_incident_to_proof", "open", "events"), rows,
        (share_of("ever proven", ever, len(found), what="amendments", where=(("ever_proven", "yes"),)),
         share_of("active now", active, len(found), what="amendments", where=(("state", "active"),)),
         *_by_state(found),
         *quantiles_of(_to_proof(cases, found, proven, scope), what="from the incident to its first proof")),
        count_strips(events, scope) if events else None,
        ("The time to a proof counts every incident of the scope: one without a proven amendment is open.",),
    )  # fmt: skip


def _by_state(found: Sequence[Amendment]) -> list[Figure]:
    counts: dict[str, int] = {}
    for one in found:
        counts[str(one.state)] = counts.get(str(one.state), 0) + 1
    return [Figure(state, count, "count", where=(("state", state),)) for state, count in counts.items()]


def _row(one: Amendment, proven: datetime | None, detected: datetime | None) -> Mapping[str, Cell]:
    return {
        "amendment": one.id, "incident": one.incident, "service": one.proposed.service,
        "kind": one.proposed.kind, "state": str(one.state), "ever_proven": "yes" if proven else "no",
        "proposed": one.proposed_at, "first_proven": proven,
        "seconds_from_incident_to_proof":
            max(0.0, (proven - detected).total_seconds()) if proven and detected else None,
        "open": "no" if proven else "yes", "events": one.events,
    }  # fmt: skip


def _to_proof(
    cases: Sequence[Case], found: Sequence[Amendment], proven: Mapping[str, datetime], scope: Scope
) -> list[Span]:
    """Return, for each incident of the scope, how long its first proof took, or has not come yet."""
    first: dict[str, datetime] = {}
    for one in found:
        at = proven.get(one.id)
        if at is not None:
            first[one.incident] = min(at, first.get(one.incident, at))
    spans = []
    for case in cases:
        incident = case.incident
        if scope.about(incident.service) and scope.holds(incident.detected_at):
            end = first.get(incident.id)
            low = max(0.0, ((end or scope.until) - incident.detected_at).total_seconds())
            spans.append(Span(low, low if end else None))
    return spans


def active_guards(facts: Iterable[Fact]) -> dict[str, str]:
    """Return, by incident, an amendment against it that was active at some time."""
    return {
        str(getattr(fact.payload, "incident", "")): str(getattr(fact.payload, "amendment", ""))
        for fact in facts
        if fact.kind == "amendment.activated"
    }
