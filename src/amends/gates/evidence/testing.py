"""What was tested: suites, edge cases, guards of amendments, and what people tried by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amends.events import payloads as p
from amends.gates.evidence.facts import Seen
from amends.gates.evidence.row import Row
from amends.gates.guards import MOVES, guarding_since
from amends.gates.table import (
    SUITE_OUTCOMES,
    UNSEEN,
    EdgeCases,
    Guards,
    SignOffs,
    Suites,
    bare_digest,
)
from amends.gates.testnames import outcome_of_runs, outcomes_in, selector_key

_RUN = "testsuiterun.finished"


def fill_suites(row: Row) -> None:
    """Add the latest run of each suite."""
    for seen in _runs(row.facts("suites", row.of_release, _RUN)):
        said = seen.payload
        failed = said.failed + said.errors
        outcome = "failure" if said.outcome == "success" and failed else said.outcome
        row.add(
            Suites, suite=said.suite, outcome=SUITE_OUTCOMES.index(outcome), passed=said.passed,
            failed=failed, skipped=said.skipped, detail=_failed_tests(said), event=seen.id,
            listed=len(said.cases), digest=_tested(row, said),
        )  # fmt: skip


def fill_tests(row: Row) -> None:
    """Add the service's edge cases and guards, with what the latest run of each suite says of their tests."""
    cases, guards = _edge_cases(row), _guards(row)
    selectors = [seen.payload.test for seen in cases] + [seen.payload.selector for seen, _ in guards]
    tests = _Outcomes.of(row, selectors)
    for seen in cases:
        said = seen.payload
        outcome, event = tests.find(said.test, said.suite)
        row.add(
            EdgeCases, case=said.edge_case, test=said.test, suite=said.suite, outcome=outcome, event=event,
            documented=seen.id,
        )  # fmt: skip
    for seen, proven in guards:
        said = seen.payload
        outcome, event = tests.find(said.selector)
        row.add(
            Guards, amendment=said.amendment, selector=said.selector, outcome=outcome, event=event,
            proven=proven.id,
        )  # fmt: skip


def fill_sign_offs(row: Row) -> None:
    """Add the latest word of each role, per environment."""
    found = row.facts("sign_offs", row.of_release, "signoff.given")
    for seen in {(seen.payload.role, seen.payload.environment): seen for seen in found}.values():
        said = seen.payload
        row.add(
            SignOffs, role=said.role, environment=said.environment, granted=said.granted, event=seen.id
        )  # fmt: skip


def _edge_cases(row: Row) -> list[Seen]:
    """Return what documents each edge case that was not retired since."""
    said = row.facts("edge_cases", row.of_service, "edgecase.documented", "edgecase.retired")
    last = {seen.payload.edge_case: seen for seen in said}
    return [seen for seen in last.values() if seen.kind == "edgecase.documented"]


def _guards(row: Row) -> list[tuple[Seen, Seen]]:
    """Return the proposal of each test amendment that guards, and what made it do so."""
    proposals = row.facts("amendments", row.of_service, "amendment.proposed")
    moves: dict[str, list[Seen]] = {}
    for move in row.facts("amendments", row.of_service, *MOVES):
        moves.setdefault(move.payload.amendment, []).append(move)
    found = []
    for seen in {s.payload.amendment: s for s in reversed(proposals)}.values():
        mine = moves.get(seen.payload.amendment, [])
        since = guarding_since(move.kind for move in mine)
        if seen.payload.kind == "test" and since >= 0:
            found.append((seen, mine[since]))
    return found


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """What the latest run of each suite says of the tests that are looked for."""

    runs: list[tuple[Seen, dict[str, int]]]

    @classmethod
    def of(cls, row: Row, selectors: Iterable[str]) -> _Outcomes:
        at = row.question.at.timestamp()
        wanted = frozenset(map(selector_key, selectors)) - {""}
        runs = _runs(s for s in row.by_kind[_RUN] if s.known <= at and row.of_release(s.payload))
        return cls([(seen, outcomes_in(seen.payload, wanted)) for seen in runs])

    def find(self, selector: str, suite: str = "") -> tuple[int, str]:
        """Return the outcome of a test, and the event of a run that says so."""
        key = selector_key(selector)
        said = [
            (outcomes.get(key, UNSEEN), seen.id)
            for seen, outcomes in self.runs if suite in ("", seen.payload.suite)
        ]  # fmt: skip
        outcome = outcome_of_runs(found for found, _ in said)
        return outcome, "" if outcome == UNSEEN else min(event for found, event in said if found == outcome)


def _runs(found: Iterable[Seen]) -> list[Seen]:
    """Return the latest run of each suite, in the order in which the suites first ran."""
    return list({seen.payload.suite: seen for seen in found}.values())


def _tested(row: Row, said: p.SuiteFinished) -> str:
    """Return the digest that a run tested: as it says, or because it names the release by its digest."""
    if said.digest:
        return bare_digest(said.digest)
    return row.digest if row.digest and bare_digest(said.release) == row.digest else ""


def _failed_tests(said: p.SuiteFinished) -> str:
    names = [case.name for case in said.cases if case.outcome in ("failed", "error")]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
