"""Generated histories for the two builders of the evidence table, and what they must agree on."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from amends.adapters.evidence.builder import BulkEvidence
from amends.backtests.deployments import Deployments
from amends.events import payloads as p
from amends.events.codec import Fact, decode, make_event
from amends.events.event import Recorded
from amends.gates.evidence import Question
from amends.gates.table import EvidenceTable
from amends.releases.actuation import ReleaseRef

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMIT, OTHER = "c0ffee" + "0" * 34, "beef" * 10
RELATIONS = (
    "changes", "paths", "owners", "verdicts", "suites", "sign_offs", "stays", "results", "shifts",
    "edge_cases", "guards", "overrides", "quarantines", "neighbours",
)  # fmt: skip
TIMES = ("since", "quiet_since", "starts", "ends", "expires", "at")

services = st.sampled_from(["shop", "shop", "shop", "till"])
names = st.sampled_from(
    ["1.2.0", "1.2.0", COMMIT, COMMIT[:8], COMMIT.upper(), "sha256:AB", "v1.2.0", "1.3.0", OTHER[:9], OTHER]
)
versions = st.sampled_from(["1.2.0", "1.2.0", "1.3.0", "1.2.1"])
commits = st.sampled_from([COMMIT, COMMIT, COMMIT.upper(), COMMIT[:9], OTHER, ""])
digests = st.sampled_from(["", "", "sha256:AB", "sha256:cd"])
places = st.sampled_from(["staging", "staging", "production"])
people = st.sampled_from(["p-ann", "p-bob", "p-cid", ""])
changes = st.sampled_from(["c1", "c2", "c3"])
incidents = st.sampled_from(["INC-1", "INC-2"])
# Some of long ago: open incidents count for 90 days.
hours = st.one_of(*[st.integers(-30, 6)] * 5, st.integers(-2164, -2158)).map(lambda n: NOW + n * HOUR)
neighbours = st.lists(st.tuples(services, places | st.just("moon")), max_size=3)
Told = tuple[str, p.Payload]


@st.composite
def builds(draw: st.DrawFn) -> Told:
    of = draw(st.lists(changes, max_size=4))
    return "artifact.packaged", p.ReleaseDeclared(
        service=draw(services), version=draw(versions), commit=draw(commits), digest=draw(digests),
        changes=tuple(of),
    )  # fmt: skip


@st.composite
def merges(draw: st.DrawFn) -> Told:
    owners = draw(st.sampled_from([None, (), (("@org/web", "p-0123456789ab"), ("pay",))]))
    return "change.merged", p.ChangeMerged(
        service=draw(services), change=draw(changes), author=draw(people), owners=owners,
        lines=draw(st.sampled_from([None, 7])), files=draw(st.sampled_from([None, 2])),
        paths=draw(st.sampled_from([(), ("a.py", "b.py", "a.py")])),
        unrecorded=draw(st.sampled_from([(), ("reviews",)])),
    )  # fmt: skip


@st.composite
def reviews(draw: st.DrawFn) -> Told:
    verdict: Any = draw(st.sampled_from(["approved", "approved", "changes_requested", "commented"]))
    return "change.reviewed", p.ChangeReviewed(
        service=draw(services), change=draw(changes), reviewer=draw(people), verdict=verdict,
        team=draw(st.sampled_from(["", "@org/web", "pay"])),
    )  # fmt: skip


@st.composite
def suites(draw: st.DrawFn) -> Told:
    outcome: Any = draw(st.sampled_from(["success", "failure", "error", "cancel"]))
    failed = draw(st.integers(0, 2))
    cases = tuple(p.TestCase(name=f"t{n}", outcome="failed") for n in range(failed * 2))
    return "testsuiterun.finished", p.SuiteFinished(
        service=draw(services), release=draw(names), suite=draw(st.sampled_from(["unit", "slow"])),
        outcome=outcome, passed=draw(st.integers(0, 2)), failed=failed, skipped=draw(st.integers(0, 1)),
        cases=cases, digest=draw(digests),
    )  # fmt: skip


@st.composite
def signatures(draw: st.DrawFn) -> Told:
    return "signoff.given", p.SignedOff(
        service=draw(services), release=draw(names), role=draw(st.sampled_from(["qa", "legal"])),
        granted=draw(st.booleans()), environment=draw(st.sampled_from(["", "staging"])),
    )  # fmt: skip


@st.composite
def moves(draw: st.DrawFn) -> Told:
    kind = draw(st.sampled_from(["service.deployed", "service.upgraded", "service.rolledback"]))
    said = {"service": draw(services), "release": draw(names), "environment": draw(places)}
    said["deployment"] = draw(st.sampled_from(["", "", "d-1", "d-2"]))
    if kind == "service.rolledback":
        said["release"] = draw(st.sampled_from([said["release"], ""]))
        return kind, p.ServiceRolledBack(**said, restored=draw(names))
    return kind, p.ServiceDeployed(**said)


@st.composite
def troubles(draw: st.DrawFn) -> Told:
    kind = draw(st.sampled_from(["incident.detected"] * 2 + ["incident.resolved", "incident.reopened"]))
    if kind != "incident.detected":
        return kind, p.IncidentMoved(service="shop", incident=draw(incidents))
    return kind, p.IncidentOpened(
        incident=draw(incidents), service=draw(services), environment=draw(places), summary="s",
        opened_by="alert", release=draw(st.one_of(st.just(""), names)),
        deployment=draw(st.sampled_from(["", "d-1"])),
    )  # fmt: skip


@st.composite
def traffic(draw: st.DrawFn) -> Told:
    since = draw(hours)
    return "traffic.observed", p.TrafficObserved(
        service=draw(services), release=draw(names), environment=draw(places),
        requests=draw(st.integers(0, 99)), since=since, until=since + draw(st.integers(0, 5)) * HOUR,
    )  # fmt: skip


@st.composite
def shifts(draw: st.DrawFn) -> Told:
    starts = draw(hours)
    return "shift.acknowledged", p.ShiftAcknowledged(
        team=draw(st.sampled_from(["pay", "@org/pay", "web"])), role=draw(st.sampled_from(["a", "b"])),
        person=draw(people), starts=starts, ends=starts + draw(st.integers(1, 9)) * HOUR,
        acknowledged=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def overrides(draw: st.DrawFn) -> Told:
    return "override.granted", p.OverrideGranted(
        service=draw(services), release=draw(names), environment=draw(places), requested_by="p-ann",
        reason=draw(st.sampled_from(["burns", " "])), approved_by=draw(people), approver_role="lead",
        expires_at=draw(hours), gates=tuple(draw(st.lists(st.sampled_from(["review", "tests"]), max_size=2))),
    )  # fmt: skip


@st.composite
def quarantines(draw: st.DrawFn) -> Told:
    said = {"service": draw(services), "release": draw(st.one_of(names, versions)), "reason": "r"}
    said["incident"] = draw(st.sampled_from(["INC-1", "INC-2", ""]))
    if draw(st.booleans()):
        return "quarantine.set", p.QuarantineSet(**said)
    return "quarantine.lifted", p.QuarantineLifted(**said, role="r")


@st.composite
def requests(draw: st.DrawFn) -> Told:
    said: dict[str, Any] = {"service": draw(services), "release": draw(names), "environment": draw(places)}
    if draw(st.booleans()):
        said |= {"at": draw(hours), "decision": "pass", "gates": (), "policy": "x"}
        return "gates.decided", p.GatesDecided(**said, deployment=draw(st.sampled_from(["", "d-1", "d-2"])))
    deployment = draw(st.sampled_from(["d-1", "d-2"]))
    return "deployment.requested", p.DeploymentRequested(**said, deployment=deployment, plan={}, policy="x")


@st.composite
def reverts(draw: st.DrawFn) -> Told:
    classified: Any = draw(st.sampled_from(["failure", "not_failure", "uncertain"]))
    return "change.reverted", p.ChangeReverted(
        service=draw(services), change=draw(changes), classified=classified
    )


@st.composite
def results(draw: st.DrawFn) -> Told:
    said: dict[str, Any] = {"service": draw(services), "release": draw(names)}
    if draw(st.booleans()):
        decision: Any = draw(st.sampled_from(["pass", "block", "undecided", "error"]))
        return "replay.finished", p.ReplayFinished(
            **said, decision=decision, requests=draw(st.integers(0, 2))
        )
    said["outcome"] = draw(st.sampled_from(["promoted", "promoted", "rolled_back", "refused", "failed"]))
    said["watch"] = draw(st.sampled_from(["", "passed", "none"]))
    return "deployment.finished", p.DeploymentFinished(
        **said, deployment="d-1", environment=draw(places), reason="r"
    )


@st.composite
def cases(draw: st.DrawFn) -> Told:
    said: dict[str, Any] = {"service": draw(services), "edge_case": draw(st.sampled_from(["empty", "full"]))}
    if draw(st.booleans()):
        return "edgecase.documented", p.EdgeCaseDocumented(**said, words="w", test="t0", suite="unit")
    return "edgecase.retired", p.EdgeCaseRetired(**said, reason="r", role="r")


@st.composite
def amendments(draw: st.DrawFn) -> Told:
    said: dict[str, Any] = {"amendment": "A-1", "incident": "INC-1", "service": draw(services)}
    kind = draw(st.sampled_from(["amendment.proposed", "amendment.proven", "amendment.lapsed"]))
    if kind == "amendment.proven":
        return kind, p.AmendmentJudged(**said, reason="r")
    if kind == "amendment.lapsed":
        return kind, p.AmendmentMoved(**said)
    return kind, p.AmendmentProposed(**said, kind="test", title="t", bad="1.2.0", selector="t1")


told = st.one_of(
    builds(), merges(), reviews(), suites(), signatures(), moves(), moves(), troubles(), traffic(), shifts(),
    overrides(), quarantines(), requests(), reverts(), results(), cases(), amendments(),
)  # fmt: skip


about_places = st.one_of(builds(), moves(), troubles(), traffic())


@st.composite
def histories(draw: st.DrawFn, *abouts: st.SearchStrategy[Told]) -> list[Fact]:
    """Facts out of order, late, ahead of their time, twice, of one moment, and some that nobody dated."""
    about = draw(st.sampled_from(abouts or (told, told, about_places)))
    delays = draw(st.sampled_from([[0], [0, 0, 0, 3, 20, -2], [0, 0, 0, 0, 3, None]]))
    found = []
    for number, (kind, payload) in enumerate(draw(st.lists(about, min_size=2, max_size=24))):
        at, late = draw(hours), draw(st.sampled_from(delays))
        known = None if late is None else at + late * HOUR
        event_id = f"e{draw(st.integers(0, 99))}-{number}"
        stream, event = make_event(
            kind, payload, id=event_id, source="/test", at=at, imported=True, known_at=known
        )
        place = Recorded(event, stream, draw(st.integers(1, 2)), known or at, known, "", "", number + 1)
        found += [decode(place)] * draw(st.sampled_from([1, 1, 1, 2]))
    return found


@st.composite
def questions(draw: st.DrawFn) -> list[Question]:
    def one() -> Question:
        service = draw(services)
        release = ReleaseRef(service, draw(versions), draw(commits), draw(digests))
        return Question(service, release, draw(places), draw(hours))

    return [one() for _ in range(draw(st.integers(1, 5)))]


class Given:
    """A source of the facts of a test."""

    unique = False

    def __init__(self, facts: list[Fact]) -> None:
        self.facts = facts

    def begin(self) -> dict[str, Any]:
        return {"read": 0}

    def is_same(self, state: dict[str, Any]) -> bool:
        return bool(state["read"] <= len(self.facts))

    def read(self, state: dict[str, Any]) -> Any:
        for fact in self.facts[state["read"] :]:
            state["read"] += 1
            yield fact


def bulk_of(folder: Path, facts: list[Fact]) -> BulkEvidence:
    """The bulk builder over some facts."""
    return BulkEvidence(folder, [Given(facts)])


def spelt_table(table: EvidenceTable) -> dict[str, Any]:
    """A table with words in the place of codes; items of a row in a fixed order where theirs says nothing."""
    rows = [
        (table.word(s), table.word(v), table.word(e), at, bool(d))
        for s, v, e, at, d in zip(
            table.service, table.version, table.environment, table.at, table.declared, strict=True
        )
    ]
    found: dict[str, Any] = {"rows": rows}
    for name in RELATIONS:
        items = spelt(getattr(table, name), table.words)
        found[name] = (
            items if name in ("changes", "paths", "owners", "overrides", "quarantines") else _by_row(items)
        )
    items = spelt(table.verdicts, table.words)
    found["digests"] = [table.word(code) for code in table.digest]
    found["undated"] = {name: column.tolist() for name, column in table.undated.items()}
    return found


def spelt_deployments(past: Deployments) -> list[Any]:
    """Deployments with words in the place of codes."""
    asked, words = past.questions, past.questions.words
    rows = [
        (*(words[int(column[row])] for column in
           (asked.service, asked.version, asked.commit, asked.digest, asked.environment, past.deployment,
            past.event)),
         float(asked.at[row]), float(past.deployed[row]), bool(past.again[row]))
        for row in range(len(past))
    ]  # fmt: skip
    return [rows, sorted(spelt(past.outcomes, words, as_they_are=("kind",)))]


def spelt(relation: Any, words: Any, as_they_are: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """A relation's items, codes as words."""
    columns = []
    for field in fields(relation):
        column = getattr(relation, field.name)
        numbers = (*as_they_are, "row", "item", "group", "outcome", "verdict", "passed", "failed", "skipped",
                   "requests", "observations", "open_incidents", "classified", "lines",
                   "files", "listed", "decision")  # fmt: skip
        if field.name in TIMES:
            columns.append([None if at != at else float(at) for at in column])
        elif column.dtype == bool or field.name in numbers:
            columns.append(column.tolist())
        else:
            columns.append([words[int(code)] for code in column])
    return list(zip(*columns, strict=True))


def _by_row(items: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    assert [item[0] for item in items] == sorted(item[0] for item in items)
    return sorted(items, key=repr)
