"""DORA's five measures of delivery, each with the variant of its definition by name.

Source: dora.dev/guides/dora-metrics, as of January 2026: change lead time, deployment frequency, failed
deployment recovery time, change fail rate, deployment rework rate. The guide leaves open where a change
begins, what a deployment is and when one has failed; each measure here says what it took.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.measures.censored import Span, quantiles_of
from amends.measures.deliveries import Deliveries, Delivery
from amends.measures.measure import Case, Cell, Figure, Measure, Scope, Spans, count_strips
from amends.measures.shares import share_of

DORA = "DORA, dora.dev/guides/dora-metrics (January 2026)"
_DEPLOYMENT = (
    "A deployment is a release that began to carry this environment's traffic, also where a rollout took it "
    "back; going back to an earlier release is none."
)
_FAILED = (
    "A deployment failed when it was rolled back, or when an incident was opened that names its "
    "release or its "
    "deployment. An incident that only tells of a bypass of the gates does not count."
)


def lead_time(deliveries: Deliveries, scope: Scope) -> Measure:
    """Change lead time: from a change's first sign, and from its merge, until it is deployed."""
    reached = {
        (one.service, change): one for one in reversed(deliveries.all) for change in one.changes
    }  # fmt: skip
    rows: list[Mapping[str, Cell]] = []
    merge, commit = [], []
    for (service, change), fact in sorted(deliveries.merged.items(), key=lambda item: item[1].occurred_at):
        told = fact.payload
        assert isinstance(told, p.ChangeMerged)
        delivery = reached.get((service, change))
        end = delivery.at if delivery and delivery.at <= scope.until else None
        if not scope.holds(end or fact.occurred_at) or fact.occurred_at > scope.until:
            continue
        since_merge = _span(fact.occurred_at, end, scope.until)
        merge.append(since_merge)
        since_commit = _span(told.created, end, scope.until) if told.created else None
        commit += [since_commit] if since_commit else []
        rows.append({
            "change": change, "service": service, "first_seen": told.created, "merged": fact.occurred_at,
            "deployed": end, "release": delivery.version if delivery and end else "",
            "open": "no" if end else "yes", "seconds_since_merge": since_merge.low,
            "seconds_since_commit": since_commit.low if since_commit else None,
            "events": (fact.id, delivery.event) if delivery and end else (fact.id,),
        })  # fmt: skip
    return Measure(
        "change-lead-time", "Change lead time",
        "From a change until the first deployment that brings it. Two variants: since its merge, "
        "and since work "
        "on it was first seen (its first commit), where that is recorded. Changes that are not "
        "deployed yet are "
        f"open. {_DEPLOYMENT}", DORA,
        ("change", "service", "first_seen", "merged", "deployed", "release", "open", "seconds_since_merge",
         "seconds_since_commit", "events"),
        tuple(rows),
        (*quantiles_of(merge, what="since the merge"), *quantiles_of(
            commit, what="since the first commit", missing=len(merge) - len(commit))),
        Spans((("since the merge", _pairs(merge)), ("since the first commit", _pairs(commit)))),
        ("A change that no release declares stays open, although it may be running.",),
    )  # fmt: skip


def frequency(deliveries: Deliveries, scope: Scope) -> Measure:
    """Deployment frequency: deployments a week, and the time between two of one service."""
    found = _within(deliveries, scope)
    weeks = _weeks(found, scope)
    note = (
        f"of {len(weeks)} whole weeks, {min(weeks)} to {max(weeks)}" if weeks else "undecided: no whole week"
    )
    last: dict[str, datetime] = {}
    between = []
    for one in found:
        if one.service in last:
            between.append(Span(*([(one.at - last[one.service]).total_seconds()] * 2)))
        last[one.service] = one.at
    per_week = Figure(
        "deployments in the median week", median(weeks) if weeks else None, "per week", note=note
    )
    return Measure(
        "deployment-frequency", "Deployment frequency",
        f"Deployments in a week (Monday to Sunday, UTC), weeks without any included. {_DEPLOYMENT}", DORA,
        _COLUMNS, tuple(_row(one) for one in found),
        (Figure("deployments", len(found), "count"), per_week,
         *quantiles_of(between, what="between two")[1:]),
        count_strips((("deployments", one.at) for one in found), scope) if found else None,
    )  # fmt: skip


def fail_rate(deliveries: Deliveries, scope: Scope, reverted: Sequence[Fact] = ()) -> Measure:
    """Change fail rate: deployments that needed intervention, among all deployments.

    ``reverted`` are the reverts of changes; those that read as failures make the second variant.
    """
    found = _within(deliveries, scope)
    taken_back = {
        (fact.payload.service, fact.payload.change) for fact in reverted
        if isinstance(fact.payload, p.ChangeReverted) and fact.payload.classified == "failure"
    }  # fmt: skip
    undone = {
        one.event for one in found if any((one.service, change) in taken_back for change in one.changes)
    }  # fmt: skip
    either = [one for one in found if one.failed or one.event in undone]
    failed = [one for one in found if one.failed]
    rows = tuple(
        {**_row(one), "reverted_as_failure": "yes" if one.event in undone else "no"} for one in found
    )
    labelled = [("failed" if one.failed else "did not fail", one.at) for one in found]
    stray = len(deliveries.stray)
    return Measure(
        "change-fail-rate", "Change fail rate",
        f"{_FAILED} The second variant also counts a deployment one of whose changes was reverted "
        "for a reason "
        f"that reads as a failure. {_DEPLOYMENT}", DORA, (*_COLUMNS, "reverted_as_failure"), rows,
        (share_of("failed", len(failed), len(found), what="deployments", where=(("failed", "yes"),)),
         share_of("failed, or reverted as a failure", len(either), len(found), what="deployments")),
        count_strips(sorted(labelled), scope) if found else None,
        ("Only what was recorded counts: no failure on record is not the same as no failure.",
         "The latest deployments have had less time in which to fail.",
         *([f"{stray} incidents name no deployment that is recorded, and count nowhere."] if stray else [])),
    )  # fmt: skip


def recovery_time(deliveries: Deliveries, cases: Sequence[Case], scope: Scope) -> Measure:
    """Failed deployment recovery time: since the deployment, and since the failure was detected."""
    mitigated = {case.incident.id: case for case in cases}
    rows: list[Mapping[str, Cell]] = []
    since_deployed, since_detected = [], []
    missing = 0
    for one in (one for one in _within(deliveries, scope) if one.failed):
        ends = _recovered(one, mitigated)
        deployed = _span_between(one.at, one.at, ends, scope.until)
        since_deployed.append(deployed)
        seen = _detection(one, mitigated)
        detected = _span_between(*seen, ends, scope.until) if seen else None
        missing += detected is None
        since_detected += [detected] if detected else []
        rows.append({
            **_row(one), "open": "yes" if deployed.open else "no",
            "seconds_since_deployment_low": deployed.low,
            "seconds_since_deployment_high": deployed.high,
            "seconds_since_detection_low": detected.low if detected else None,
            "seconds_since_detection_high": detected.high if detected else None,
        })  # fmt: skip
    return Measure(
        "failed-deployment-recovery-time", "Failed deployment recovery time",
        f"{_FAILED} It recovered when it was rolled back or its incident was mitigated, whichever "
        "was first. Two "
        "variants: since the deployment met traffic, and since the failure was detected.", DORA,
        (*_COLUMNS, "open", "seconds_since_deployment_low", "seconds_since_deployment_high",
         "seconds_since_detection_low", "seconds_since_detection_high"), tuple(rows),
        (*quantiles_of(since_deployed, what="since the deployment"),
         *quantiles_of(since_detected, what="since the detection", missing=missing)),
        Spans((("since the deployment", _pairs(since_deployed)),
               ("since the detection", _pairs(since_detected)))),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Why:
    """Why a deployment counts as rework; ``stated`` is whether somebody said so, or it was only inferred."""

    stated: bool
    reason: str
    events: tuple[str, ...]


def rework_rate(
    deliveries: Deliveries, cases: Sequence[Case], scope: Scope, overrides: Sequence[Fact],
    proposals: Sequence[Fact],
) -> Measure:  # fmt: skip
    """Deployment rework rate: unplanned deployments that an incident caused, among all deployments."""
    found = _within(deliveries, scope)
    here = [
        case for case in cases
        if case.incident.environment == scope.environment and scope.about(case.incident.service)
    ]  # fmt: skip
    fixes = _named_fixes(deliveries, proposals)
    first = _first_while_open(deliveries.all, here)
    finders: tuple[Callable[[Delivery], _Why | None], ...] = (
        lambda one: fixes.get((one.service, one.version)),
        lambda one: _overridden(one, deliveries, overrides, here),
        lambda one: first.get(one.event),
    )
    why = [next((known for finder in finders if (known := finder(one))), None) for one in found]
    stated = sum(1 for one in why if one and one.stated)
    either = sum(1 for one in why if one)
    rows = tuple(
        {**_row(one), "rework": ("stated" if because.stated else "inferred") if because else "no",
         "why": because.reason if because else "",
         "events": (one.event, *(because.events if because else ()))}
        for one, because in zip(found, why, strict=True)
    )  # fmt: skip
    labelled = [("rework" if because else "planned", one.at) for one, because in zip(found, why, strict=True)]
    return Measure(
        "rework-rate", "Deployment rework rate",
        "Unplanned deployments caused by an incident. Stated: an amendment names the release as its "
        "incident's "
        "fix, or an override let it through while an incident was open. Inferred as well: the first "
        "deployment "
        f"of the service while its incident was open. "
        f"{_DEPLOYMENT}", DORA, (*_COLUMNS, "rework", "why"), rows,
        (share_of("rework, as stated", stated, len(found), what="deployments", where=(("rework", "stated"),)),
         share_of("rework, stated or inferred", either, len(found), what="deployments")),
        count_strips(sorted(labelled, reverse=True), scope) if found else None,
        ("Nobody records by itself whether a deployment was planned, so the truth lies between the two.",),
    )  # fmt: skip


_COLUMNS = ("service", "release", "deployed", "deployment", "failed", "incident", "events")


def _row(one: Delivery) -> dict[str, Cell]:
    return {
        "service": one.service, "release": one.version, "deployed": one.at, "deployment": one.deployment,
        "failed": "yes" if one.failed else "no", "incident": one.incidents,
        "events": (one.event, *(failure.event for failure in one.failures)),
    }  # fmt: skip


def _within(deliveries: Deliveries, scope: Scope) -> list[Delivery]:
    return [one for one in deliveries.all if scope.holds(one.at)]


def _span(start: datetime, end: datetime | None, now: datetime) -> Span:
    low = max(0.0, ((end or now) - start).total_seconds())
    return Span(low, low if end else None)


def _pairs(spans: Sequence[Span]) -> tuple[tuple[float, float | None], ...]:
    return tuple((span.low, span.high) for span in spans)


def _weeks(found: Sequence[Delivery], scope: Scope) -> list[int]:
    """Count deployments in each whole week of the scope."""
    begin = scope.since or (found[0].at if found else scope.until)
    monday = (begin - timedelta(days=begin.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    if scope.since and monday < begin:
        monday += timedelta(weeks=1)
    counts = []
    moments = sorted(one.at for one in found)
    while monday + timedelta(weeks=1) <= scope.until:
        following = monday + timedelta(weeks=1)
        counts.append(bisect_left(moments, following) - bisect_left(moments, monday))
        monday = following
    return counts if len(counts) >= 1 and len(found) >= 1 else []


Ends = tuple[datetime | None, datetime | None]


def _recovered(one: Delivery, cases: Mapping[str, Case]) -> Ends:
    """Return between when and when it recovered; no second moment while it has not."""
    ends: list[tuple[datetime, datetime]] = []
    if one.rolled_back:
        ends.append((one.rolled_back, one.rolled_back))
    for name in one.incidents:
        for milestone in cases[name].milestones if name in cases else ():
            if milestone.name in ("mitigated", "resolved") and milestone.high:
                ends.append((milestone.low or one.at, milestone.high))
    return min(ends, key=lambda pair: pair[1]) if ends else (None, None)


def _detection(one: Delivery, cases: Mapping[str, Case]) -> tuple[datetime, datetime] | None:
    for name in one.incidents:
        for milestone in cases[name].milestones if name in cases else ():
            if milestone.name == "detected" and milestone.high:
                return milestone.low or one.at, milestone.high
    return None


def _span_between(earliest: datetime, latest: datetime, ends: Ends, now: datetime) -> Span:
    low, high = ends
    if low is None or high is None or high > now:
        return Span(max(0.0, (now - latest).total_seconds()), None)
    least = max(0.0, (low - latest).total_seconds())
    return Span(least, max(least, (high - earliest).total_seconds()))


def _named_fixes(deliveries: Deliveries, proposals: Sequence[Fact]) -> dict[tuple[str, str], _Why]:
    """Return, by service and version, the releases that amendments name as a fix."""
    found: dict[tuple[str, str], _Why] = {}
    for fact in proposals:
        told = fact.payload
        if isinstance(told, p.AmendmentProposed) and told.good:
            version = deliveries.names.find(told.service, told.good).version
            reason = f"{told.amendment} names it as the fix of {told.incident}"
            found.setdefault((told.service, version), _Why(True, reason, (fact.id,)))
    return found


def _overridden(
    one: Delivery, deliveries: Deliveries, overrides: Sequence[Fact], cases: Sequence[Case]
) -> _Why | None:
    for fact in overrides:
        told = fact.payload
        if not isinstance(told, p.OverrideGranted) or told.service != one.service:
            continue
        held = fact.occurred_at <= one.at <= told.expires_at
        same = held and deliveries.names.find(one.service, told.release).version == one.version
        case = next((case for case in cases if same and _is_open(case, one, fact.occurred_at)), None)
        if case:
            return _Why(True, f"an override let it through while {case.incident.id} was open", (fact.id,))
    return None


def _first_while_open(found: Sequence[Delivery], cases: Sequence[Case]) -> dict[str, _Why]:
    """Return, by their events, the first deployments while an incident of their service was open."""
    why: dict[str, _Why] = {}
    services: dict[str, list[Delivery]] = {}
    for one in found:
        services.setdefault(one.service, []).append(one)
    for case in cases:
        known, detected = services.get(case.incident.service, []), case.incident.detected_at
        later = known[bisect_left(known, detected, key=lambda one: one.at) :]
        first = next((one for one in later if case.incident.id not in one.incidents), None)
        if first is not None and _is_open(case, first, first.at):
            reason = f"the first deployment while {case.incident.id} was open"
            why.setdefault(first.event, _Why(False, reason, (case.incident.event,)))
    return why


def _is_open(case: Case, one: Delivery, at: datetime) -> bool:
    """Return whether an incident of the service, not of this very deployment, was open at a moment."""
    incident = case.incident
    if incident.service != one.service or incident.id in one.incidents or at < incident.detected_at:
        return False
    ends = [m.high for m in case.milestones if m.name == "resolved" and m.high]
    return not ends or at <= ends[0]
