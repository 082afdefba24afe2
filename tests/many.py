"""Many incidents of several services, as a log kept for years holds them; made up, and always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from amends.application.log import Log
from amends.events import codec
from amends.events import payloads as p

BEGIN = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
SERVICES = ("shop", "billing", "search", "mail", "stock", "accounts")
THINGS = ("cart", "coupon", "invoice", "refund", "address", "voucher", "session", "export", "price", "label")
WHAT = ("is empty", "is negative", "has no currency", "holds an emoji", "is sent twice", "is a year old")
EFFECTS = ("orders fail", "the page stays white", "mails are sent twice", "totals are wrong", "jobs pile up")
Item = tuple[str, p.Payload, datetime]


def tell_many(log: Log, count: int, *, seed: int = 1, days: int = 300) -> datetime:
    """Record ``count`` incidents with their releases, and good releases between; return the last moment."""
    chance = random.Random(seed)
    at = BEGIN
    batch: list[tuple[str, object]] = []
    for number in range(1, count + 1):
        at = BEGIN + timedelta(days=days * number / count)
        for kind, payload, moment in _incident(number, at, chance):
            batch.append(codec.make_event(
                kind, payload, id=f"m{number}-{len(batch)}-{kind}", source="/test/many", at=moment
            ))  # fmt: skip
        if len(batch) > 2000:
            log.store.append_many(batch, recorded_at=at)  # type: ignore[arg-type]
            batch = []
    log.store.append_many(batch, recorded_at=at)  # type: ignore[arg-type]
    return at + timedelta(days=1)


def _incident(number: int, at: datetime, chance: random.Random) -> Iterator[Item]:
    service = chance.choice(SERVICES)
    thing, what, effect = chance.choice(THINGS), chance.choice(WHAT), chance.choice(EFFECTS)
    good, bad, incident = f"1.{number}.0", f"1.{number}.1", f"INC-{number}"
    where = {"service": service, "environment": "production"}
    for version, moment in (
        (good, at - timedelta(hours=30)),
        (bad, at - timedelta(hours=chance.randint(1, 20))),
    ):
        merged = moment - timedelta(hours=chance.expovariate(1 / 40))
        yield "change.merged", p.ChangeMerged(
            service=service, change=f"c{version}", title=f"Work on the {thing}",
            created=merged - timedelta(hours=chance.randint(1, 90)),
        ), merged  # fmt: skip
        yield "artifact.packaged", p.ReleaseDeclared(
            service=service, version=version, changes=(f"c{version}",)
        ), merged  # fmt: skip
        yield "service.deployed", p.ServiceDeployed(release=version, **where), moment
    gates = tuple(
        p.GateRow(gate=gate, kind=gate, decision="pass", reason="as asked for")
        for gate in ("review", "tests", "soak") if chance.random() < 0.8
    )  # fmt: skip
    yield "gates.decided", p.GatesDecided(
        release=bad, at=at - timedelta(hours=25), decision="pass", gates=gates, policy="p", **where
    ), at - timedelta(hours=25)  # fmt: skip
    yield "incident.detected", p.IncidentOpened(
        incident=incident, release=bad, previous=good, opened_by="alert", **where,
        summary=f"{effect.capitalize()} when the {thing} {what}",
    ), at  # fmt: skip
    yield "failure.captured", p.FailureCaptured(
        release=bad, incident=incident, message=f"{thing} {what}", **where,
        signature=p.Signature(exception="ValueError", frame=f"{service}/{thing}.py:check{number % 9}"),
    ), at  # fmt: skip
    yield "note.taken", p.NoteTaken(
        incident=incident, service=service, text=f"A customer wrote that the {thing} {what}.", at=at
    ), at + timedelta(minutes=4)  # fmt: skip
    if chance.random() < 0.8:
        back = at + timedelta(minutes=chance.expovariate(1 / 30))
        yield "service.rolledback", p.ServiceRolledBack(release=bad, restored=good, **where), back
    if chance.random() < 0.9:
        over = at + timedelta(minutes=chance.expovariate(1 / 300) + 30)
        yield "incident.resolved", p.IncidentMoved(incident=incident, role="on-call", **where), over
    if chance.random() < 0.4:
        yield "amendment.proposed", p.AmendmentProposed(
            amendment=f"AM-{number}", incident=incident, service=service, kind="test", bad=bad,
            title=f"Test for a {thing} that {what}", selector="pytest tests/test_it.py::test_it",
        ), at + timedelta(days=1)  # fmt: skip
        yield "amendment.proven", p.AmendmentJudged(
            amendment=f"AM-{number}", incident=incident, service=service, reason="red, then green"
        ), at + timedelta(days=chance.expovariate(1 / 4))  # fmt: skip
