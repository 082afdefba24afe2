"""A record of facts for the gates' tests, without a store."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from amends.events import codec
from amends.events import payloads as p
from amends.events.event import Recorded
from amends.gates.entry import GateEntry
from amends.gates.evaluate import PolicyDecision, evaluate_policy
from amends.gates.evidence import Question, collect_evidence
from amends.gates.gate import Intervals
from amends.gates.policy import Policy
from amends.releases.actuation import ReleaseRef

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # a Wednesday
RELEASE = ReleaseRef("shop", "1.2.0", "c0ffee1234567890", "sha256:abc")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def fact(
    name: str, payload: p.Payload, *, at: datetime = NOW - HOUR, known: datetime | str | None = "at",
    id: str = "", seq: int = 1,
) -> codec.Fact:  # fmt: skip
    """A recorded fact that happened ``at`` and was known then, unless ``known`` says otherwise."""
    known_at = at if isinstance(known, str) else known
    event_id = id or f"{name}-{zlib.crc32(repr((payload, at)).encode())}"
    _, event = codec.make_event(name, payload, id=event_id, source="/test", at=at)
    recorded_at = known_at or at
    return codec.decode(Recorded(event, "stream", seq, recorded_at, known_at, "", ""))


def declared(*changes: str, **kw: Any) -> codec.Fact:
    payload = p.ReleaseDeclared(
        service="shop", version="1.2.0", commit=RELEASE.commit, digest=RELEASE.digest, changes=changes
    )
    return fact("artifact.packaged", payload, **kw)


def merged(change: str = "c1", author: str = "p-author", **kw: Any) -> codec.Fact:
    names = ("owners", "lines", "files", "paths", "unrecorded")
    said = {key: kw.pop(key) for key in names if key in kw}
    return fact("change.merged", p.ChangeMerged(service="shop", change=change, author=author, **said), **kw)


def reviewed(
    reviewer: str, verdict: Any = "approved", change: str = "c1", team: str = "", **kw: Any
) -> codec.Fact:
    payload = p.ChangeReviewed(service="shop", change=change, reviewer=reviewer, verdict=verdict, team=team)
    return fact("change.reviewed", payload, **kw)


def suite(name: str, outcome: Any = "success", release: str = "1.2.0", **kw: Any) -> codec.Fact:
    said = {key: kw.pop(key) for key in ("passed", "failed", "skipped", "cases", "digest") if key in kw}
    payload = p.SuiteFinished(service="shop", release=release, suite=name, outcome=outcome, **said)
    return fact("testsuiterun.finished", payload, **kw)


def case(name: str, outcome: Any = "passed", classname: str = "") -> p.TestCase:
    return p.TestCase(name=name, outcome=outcome, classname=classname)


def edge_case(name: str, test: str = "", suite: str = "", **kw: Any) -> codec.Fact:
    payload = p.EdgeCaseDocumented(service="shop", edge_case=name, words=name, test=test, suite=suite)
    return fact("edgecase.documented", payload, **kw)


def retired(name: str, **kw: Any) -> codec.Fact:
    return fact("edgecase.retired", p.EdgeCaseRetired(service="shop", edge_case=name, reason="gone"), **kw)


def amendment(name: str, selector: str = "", kind: Any = "test", **kw: Any) -> codec.Fact:
    payload = p.AmendmentProposed(
        amendment=name, incident="INC-1", service="shop", kind=kind, title=name, selector=selector
    )
    return fact("amendment.proposed", payload, **kw)


def judged(name: str, word: str = "proven", **kw: Any) -> codec.Fact:
    said: Any = {"amendment": name, "incident": "INC-1", "service": "shop", "reason": word}
    moved = word in ("activated", "lapsed", "accepted")
    return fact(f"amendment.{word}", p.AmendmentMoved(**said) if moved else p.AmendmentJudged(**said), **kw)


def finished(
    outcome: Any = "promoted", watch: Any = "passed", release: str = "1.2.0", environment: str = "staging",
    **kw: Any,
) -> codec.Fact:  # fmt: skip
    payload = p.DeploymentFinished(
        deployment="d", service="shop", environment=environment, release=release, outcome=outcome, reason="r",
        watch=watch,
    )  # fmt: skip
    return fact("deployment.finished", payload, **kw)


def replayed(decision: Any, differences: int = 0, **kw: Any) -> codec.Fact:
    payload = p.ReplayFinished(
        service="shop", release="1.2.0", decision=decision, requests=300, differences=differences
    )
    return fact("replay.finished", payload, **kw)


def deployed(
    release: str = "1.2.0", environment: str = "staging", service: str = "shop", **kw: Any
) -> codec.Fact:
    payload = p.ServiceDeployed(service=service, release=release, environment=environment)
    return fact("service.deployed", payload, **kw)


def traffic(requests: int, since: datetime, until: datetime, **kw: Any) -> codec.Fact:
    payload = p.TrafficObserved(
        service="shop", release="1.2.0", environment="staging", requests=requests, since=since, until=until
    )
    return fact("traffic.observed", payload, **{"at": until, **kw})


def incident(
    name: str = "INC-1", release: str = "1.2.0", service: str = "shop", environment: str = "staging",
    **kw: Any,
) -> codec.Fact:  # fmt: skip
    payload = p.IncidentOpened(
        incident=name, service=service, environment=environment, summary="slow", opened_by="alert",
        release=release,
    )  # fmt: skip
    return fact("incident.detected", payload, **kw)


def resolved(name: str = "INC-1", **kw: Any) -> codec.Fact:
    return fact("incident.resolved", p.IncidentMoved(incident=name, service="shop"), **kw)


def shift(
    person: str, starts: datetime, hours: float = 8, role: str = "on-call", team: str = "pay", **kw: Any
) -> codec.Fact:
    said = {key: kw.pop(key) for key in ("acknowledged",) if key in kw}
    payload = p.ShiftAcknowledged(
        team=team, role=role, person=person, starts=starts, ends=starts + timedelta(hours=hours), **said
    )
    return fact("shift.acknowledged", payload, **kw)


def override(*gates: str, approved_by: str = "p-boss", hours: float = 4, **kw: Any) -> codec.Fact:
    payload = p.OverrideGranted(
        service="shop", release="1.2.0", environment="production", reason="checkout is down", gates=gates,
        requested_by="p-dev", approved_by=approved_by, approver_role="manager",
        expires_at=NOW + timedelta(hours=hours),
    )  # fmt: skip
    return fact("override.granted", payload, **{"at": NOW - HOUR, **kw})


def policy(*entries: Any, **fields: Any) -> Policy:
    """A policy whose production gates are these, all blocking unless they say otherwise."""
    listed = [{"mode": "block", **entry} for entry in entries]
    base = {"service": "shop", "team": "pay", "environments": ["dev", "staging", "production"]}
    return Policy.model_validate({**base, "gates": {"production": listed}, **fields})


def decide(
    found: Policy,
    facts: list[codec.Fact],
    at: datetime = NOW,
    environment: str = "production",
    calendars: Any = None,
) -> PolicyDecision:
    asked = [Question("shop", RELEASE, environment, at)]
    table = collect_evidence(facts, asked, found.neighbours(environment))
    return evaluate_policy(found, environment, table, calendars)[0]


def ask(
    entry: dict[str, Any], *facts: codec.Fact, at: datetime = NOW, calendars: Any = None, **fields: Any
) -> Any:
    """One gate's own row."""
    GateEntry.model_validate(entry)
    return decide(policy(entry, **fields), list(facts), at, calendars=calendars).rows[1]


def intervals(*stretches: tuple[datetime, datetime, str], local: bool = False) -> Intervals:
    return Intervals(
        np.array([start.timestamp() for start, _, _ in stretches]),
        np.array([end.timestamp() for _, end, _ in stretches]),
        tuple(label for _, _, label in stretches),
        np.array([local] * len(stretches), dtype=np.bool_),
    )
