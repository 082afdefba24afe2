"""Whether active amendments still guard: held against the repository, the policy and the suites' runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amends.amendments.amendment import Amendment, AmendmentState
from amends.amendments.holding import Finding, judge_gate_now, judge_test_now
from amends.amendments.selector import parse_selector
from amends.application.amending import lapse, list_amendments
from amends.application.log import Log
from amends.application.ports import CodeHost
from amends.errors import NotAllowedError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.entry import GateEntry
from amends.gates.table import PASSED, SKIPPED
from amends.gates.testnames import outcome_of_runs, outcomes_in, selector_key

_RUNS = 200
"""How many of a service's latest suite runs are looked through for a test."""
Gates = Mapping[str, Sequence[GateEntry]]


@dataclass(frozen=True, slots=True)
class Held:
    """An active amendment and whether its guard still holds."""

    amendment: Amendment
    finding: Finding


def hold_guards(
    log: Log, *, service: str = "", host: CodeHost | None = None, revision: str = "HEAD",
    policies: Mapping[str, Gates] | None = None,
) -> list[Held]:  # fmt: skip
    """Return for each active amendment whether its guard still holds; nothing is written.

    Tests are read from ``host`` at ``revision`` and looked up in the latest suite runs of the log; gates are
    held against ``policies``, the gates in use by service. What neither shows is unknown.
    """
    active = list_amendments(log, service=service, state=str(AmendmentState.ACTIVE), limit=10_000)
    return [Held(one, _finding(log, one, host, revision, policies or {})) for one in active]


def lapse_guards(log: Log, held: Sequence[Held], *, role: str = "") -> list[Fact]:
    """Reopen the amendments whose guards hold no more; return what was recorded.

    One that somebody else reopened meanwhile is left as it is.
    """
    lapsed = []
    for one in held:
        if one.finding.lapses:
            reason = f"{one.finding.holding}: {one.finding.reason}"
            with suppress(NotAllowedError):
                lapsed.append(lapse(log, one.amendment.id, reason=reason, role=role))
    return lapsed


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last look of a server or worker found of an amendment's guard.

    ``revision`` is the commit that was read, empty where no checkout could be reached.
    """

    at: datetime
    revision: str
    holding: str
    reason: str
    event: str

    @property
    def sentence(self) -> str:
        """Say it: when, at which commit, what."""
        where = f" at {self.revision[:12]}" if self.revision else ", without a checkout of its repository"
        return f"{self.holding} on {self.at:%Y-%m-%d %H:%M} UTC{where}: {self.reason}"


def last_checks(log: Log, *, service: str = "") -> dict[str, Checked]:
    """Return what was found last of each amendment's guard. One that is not in it nobody looked at."""
    tags = [f"service:{service}"] if service else []
    found = {}
    for fact in log.facts(tags=tags, kinds=("guards.checked",)):
        if isinstance(fact.payload, p.GuardsChecked):
            for one in fact.payload.guards:
                found[one.amendment] = Checked(
                    fact.occurred_at, fact.payload.revision, one.holding, one.reason, fact.id
                )
    return found


def _finding(
    log: Log, one: Amendment, host: CodeHost | None, revision: str, policies: Mapping[str, Gates]
) -> Finding:
    if one.proposed.kind == "gate":
        gates = policies.get(one.proposed.service)
        if gates is None:
            return Finding("unknown", f"no policy of {one.proposed.service} is at hand")
        return judge_gate_now(one.proposed.gate, one.proposed.environment, gates)
    ran = _in_runs(log, one)
    read = _in_repository(one, host, revision)
    if read is not None and (read.lapses or ran is None or not ran.lapses):
        return read if read.holding != "unknown" or ran is None else ran
    return ran or Finding("unknown", "no repository was given, and no later suite run names the test")


def _in_repository(one: Amendment, host: CodeHost | None, revision: str) -> Finding | None:
    selector = parse_selector(one.proposed.selector)
    if host is None or not selector.path:
        return None
    before = one.guard or one.proposed.test_text or _as_proven(one, host, selector.path)
    return judge_test_now(selector.path, selector.name, before or None, host.show(revision, selector.path))


def _as_proven(one: Amendment, host: CodeHost, path: str) -> str | None:
    commits = [run.run.commit for run in one.runs if run.run.on == "good"]
    return host.show(commits[-1], path) if commits else None


def _in_runs(log: Log, one: Amendment) -> Finding | None:
    """Return what the latest release whose suites name the test says of it."""
    key, service = selector_key(one.proposed.selector), one.proposed.service
    kinds, tags = ["testsuiterun.finished"], [f"service:{service}"]
    runs = log.facts(tags=tags, kinds=kinds, newest_first=True, limit=_RUNS)
    release, event = "", ""
    outcomes: list[int] = []
    for fact in runs:
        told = fact.payload
        if not isinstance(told, p.SuiteFinished) or (one.moved_at and fact.occurred_at < one.moved_at):
            continue
        outcome = outcomes_in(told, {key}).get(key)
        if outcome is None or (release and told.release != release):
            continue
        release, event = told.release, event or fact.id
        outcomes.append(outcome)
    if not outcomes:
        return None
    worst = outcome_of_runs(outcomes)
    if worst == SKIPPED:
        return Finding("skipped", f"it was skipped in the suites of {release} (event {event})")
    if worst == PASSED:
        return Finding("holds", f"it passed in the suites of {release} (event {event})")
    return Finding("holds", f"it was red in the suites of {release} (event {event}), so it looks")


def held_data(one: Held) -> dict[str, Any]:
    """Return what became of a guard as JSON-able values, as ``amends amendments check`` prints it."""
    return {
        "amendment": one.amendment.id, "incident": one.amendment.incident,
        "service": one.amendment.proposed.service, "kind": one.amendment.proposed.kind,
        "title": one.amendment.proposed.title, "holding": one.finding.holding, "reason": one.finding.reason,
        "lapses": one.finding.lapses,
    }  # fmt: skip
