"""Proving a gate: the evaluator that decides live, asked about the escaped release as of its own deployment.

Where the gate's evidence did not exist then, because the test was written after the escape, the guard's test
is run on that release now. Its outcome becomes a *hypothetical* fact, kept apart from the log, under the id
of the recorded run; the evaluator is asked once without and once with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isnan
from typing import Any

import msgspec
import numpy as np

from amends.amendments.amendment import Amendment, AmendmentState, fold_amendments
from amends.amendments.history import PastDeployment, decision_moment
from amends.amendments.rules import ATTEMPTS, GateAnswer, Judgement, confirmable, judge_gate, price_of
from amends.amendments.selector import Selector, parse_selector
from amends.application.backtesting import Past, past_of
from amends.application.record import release_names, require_incident
from amends.backtests.answers import Answers
from amends.backtests.folded import FoldedEvidence
from amends.backtests.history import GOOD, History
from amends.backtests.price import price_policy
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact, decode, make_event
from amends.events.event import Recorded
from amends.gates.entry import GateEntry
from amends.gates.evaluate import evaluate_policy
from amends.gates.evidence import KINDS, Question, collect_evidence
from amends.gates.policy import LoadedPolicy, Policy
from amends.gates.table import Floats
from amends.prevention.signature import describe
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import candidates, releases_of
from amends.verdicts import Decision
from amends.workflows.bench import Bench, Guard, both_commits, commit_of, run_of
from amends.workflows.trying import test_file

_OUTCOMES = {"red": "failure", "green": "success", "untestable": "error"}
_CASES: dict[str, Any] = {"red": "failed", "green": "passed", "untestable": "error"}
_PLACES = (
    "service.deployed",
    "service.upgraded",
    "service.rolledback",
    "deployment.requested",
    "gates.decided",
    "change.reverted",
)


def prove_gate(bench: Bench, amendment: Amendment) -> tuple[Judgement, list[Fact], p.Price]:
    """Ask the gate about the escaped release, and about past good ones for its price."""
    case = _Case.of(bench, amendment)
    bad = case.ref(amendment.proposed.bad)
    at = case.escape_moment()
    recorded = case.ask(bad, at)
    if recorded.decision is not Decision.UNDECIDED:
        return judge_gate(recorded, None), [], case.price({})
    missing = case.missing_suites(bad, at)
    guard = case.guard()
    if guard is None or len(missing) != 1:
        why = _why_not(missing, guard)
        return judge_gate(recorded, None, why), [], case.price({})
    return _produced(case, guard, bad, at, recorded, missing[0])


def _why_not(missing: Sequence[str], guard: Guard | None) -> str:
    if not missing:
        return "what it waits for cannot be produced now"
    if guard is None:
        return f"no test stands for suite {missing[0]}: prove one first, or name it with --test"
    return f"one test cannot stand for {len(missing)} suites: {', '.join(missing)}"


def _produced(
    case: _Case, guard: Guard, bad: ReleaseRef, at: datetime, recorded: GateAnswer, suite: str
) -> tuple[Judgement, list[Fact], p.Price]:
    bench, told = case.bench, case.amendment.proposed
    past = [d for d in case.good() if not case.ran(d, suite)][-bench.past :]
    guard.total = ATTEMPTS + len(past) + (1 if told.good else 0)
    commit = both_commits(bench, told)[0] if told.good else commit_of(bench, told.service, told.bad)
    runs = [guard.run("bad", bad.version, commit, attempt + 1) for attempt in range(ATTEMPTS)]
    answer = case.ask(bad, at, _hypothetical(_worst(runs), bad.version, suite, at, guard.selector))
    said = ", ".join(run_of(run).outcome for run in runs)
    judgement = judge_gate(recorded, answer, f"{guard.selector.text} on {bad.version}: {said}")
    judgement = _stricter(judgement, runs, guard)
    judgement = confirmable(judgement, [run_of(run) for run in runs], guard.expected, describe)
    if told.good and judgement.proven:
        fix = guard.run("good", told.good, commit_of(bench, told.service, told.good), 1)
        runs.append(fix)
        if run_of(fix).outcome != "green":
            held = f"{guard.selector.text} on {told.good} is {run_of(fix).outcome}"
            judgement = Judgement("amendment.disproven", f"It would hold the fix up, too: {held}.")
    extra: dict[str, Fact] = {}
    for deployment in past:
        run = _past_run(guard, case, deployment)
        if run is not None:
            runs.append(run)
            at_its_time = (deployment.release, suite, deployment.decided_at)
            extra[deployment.release] = _hypothetical(run, *at_its_time, guard.selector)
    return judgement, runs, case.price(extra)


def _past_run(guard: Guard, case: _Case, deployment: PastDeployment) -> Fact | None:
    try:
        commit = commit_of(case.bench, case.amendment.proposed.service, deployment.release)
    except NotFoundError:
        return None  # its code is not in this repository: the recorded answer stands
    return guard.run("past", deployment.release, commit, 1)


def _worst(runs: Sequence[Fact]) -> Fact:
    """Return the run that says least in favour of a proof: untestable, then green, then red."""
    order = {"untestable": 0, "green": 1, "red": 2}
    return min(runs, key=lambda run: order[run_of(run).outcome])


def _stricter(judgement: Judgement, runs: Sequence[Fact], guard: Guard) -> Judgement:
    """A block counts only when the runs are red for the reason that is looked for."""
    other = next(
        (run_of(run) for run in runs if run_of(run).outcome == "red" and not run_of(run).matches), None
    )
    if not judgement.proven or other is None:
        return judgement
    return Judgement(
        "amendment.disproven",
        f"{guard.selector.text} is red for another reason: found {describe(other.signature)}, "
        f"expected {describe(guard.expected)}.",
    )


def _hypothetical(run: Fact, release: str, suite: str, at: datetime, selector: Selector) -> Fact:
    """Return the fact that the suite's run would have been, known at the moment that is asked about.

    It is in no log. It carries the id of the recorded run, so that a gate's answer cites that.
    """
    told = run_of(run)
    outcome: Any = _OUTCOMES[told.outcome]
    name = f"{selector.path}::{selector.name}" if selector.name else selector.path or selector.text
    case = p.TestCase(name=name, outcome=_CASES[told.outcome])
    finished = p.SuiteFinished(
        service=told.service, release=release, suite=suite, outcome=outcome, environment="produced later",
        passed=int(outcome == "success"), failed=int(outcome == "failure"), errors=int(outcome == "error"),
        cases=(case,),
    )  # fmt: skip
    stream, event = make_event(
        "testsuiterun.finished", finished, id=run.id, source="/amends/produced-later", at=at
    )  # fmt: skip
    return decode(Recorded(event, stream, seq=0, recorded_at=at, known_at=at, previous="", digest=""))


@dataclass
class _Case:
    """One gate, one service, and everything recorded about it."""

    bench: Bench
    amendment: Amendment
    loaded: LoadedPolicy
    policy: Policy
    label: str
    facts: tuple[Fact, ...]
    places: tuple[Fact, ...]
    refs: dict[str, ReleaseRef] = field(default_factory=dict)

    @classmethod
    def of(cls, bench: Bench, amendment: Amendment) -> _Case:
        told = amendment.proposed
        if bench.loaded is None:
            raise UsageError(
                "a gate is proven with the policy of its service, and none was given",
                remedy="name it with --policy FILE",
            )
        entry = GateEntry.model_validate({**told.gate, "mode": "block"})
        policy = bench.loaded.policy.model_copy(update={"gates": {told.environment: [entry]}})
        teams = {bench.loaded.policy.team, *entry.gate.teams(bench.loaded.policy.team)} - {""}
        services = (told.service, *(name for name, _ in policy.neighbours(told.environment)))
        tags = [*(f"service:{name}" for name in services), *(f"team:{team}" for team in sorted(teams))]
        lane = bench.log.facts(tags=[f"service:{told.service}"], kinds=_PLACES)
        label = policy.labels(told.environment)[0]
        return cls(
            bench, amendment, replace(bench.loaded, policy=policy), policy, label,
            tuple(bench.log.facts(tags=tags, kinds=KINDS)), tuple(lane),
        )  # fmt: skip

    def ref(self, name: str) -> ReleaseRef:
        """Return a release by any of its names; an undeclared one has that name alone."""
        service = self.amendment.proposed.service
        found = candidates(releases_of(self.facts, service), service, name)
        return found[-1].ref if found else ReleaseRef(service, name)

    def canonical(self, name: str) -> str:
        if name not in self.refs:
            self.refs[name] = self.ref(name)
        return self.refs[name].version

    def escape_moment(self) -> datetime:
        """Return when the escaped release was decided on. Raises ``NotFoundError`` if nobody recorded it."""
        told = self.amendment.proposed
        incident = require_incident(self.bench.log, told.incident)
        names = release_names(self.bench.log, told.service, told.bad)
        found = decision_moment(
            self.places, told.environment, names, deployment=incident.opened.deployment,
            before=incident.detected_at,
        )  # fmt: skip
        moment = found or incident.opened.deployed_at
        if moment is None:
            raise NotFoundError(
                f"nobody recorded when {told.bad} was deployed to {told.environment}",
                remedy="record it: amends record deployed, or open the incident with --deployed-at",
            )
        return moment

    def ask(self, release: ReleaseRef, at: datetime, extra: Fact | None = None) -> GateAnswer:
        """Ask the evaluator about a release at a moment, on recorded evidence and perhaps one more fact."""
        row = self._row(release, at, extra)
        return GateAnswer(Decision(row.decision), row.reason)

    def _row(self, release: ReleaseRef, at: datetime, extra: Fact | None = None) -> p.GateRow:
        told = self.amendment.proposed
        facts: Iterable[Fact] = (*self.facts, extra) if extra else self.facts
        asked = [Question(told.service, release, told.environment, at)]
        table = collect_evidence(facts, asked, self.policy.neighbours(told.environment))
        moment = at.timestamp()
        calendars = self.loaded.resolve(moment, moment)
        decided = evaluate_policy(self.policy, told.environment, table, calendars)[0]
        return next(row for row in decided.rows if row.gate == self.label)

    def missing_suites(self, release: ReleaseRef, at: datetime) -> list[str]:
        """Return the suites that the gate names and nobody ran on this release by then."""
        gate = self.policy.gates[self.amendment.proposed.environment][0].gate
        return [suite for suite in getattr(gate, "suites", ()) if not self._ran(release.version, suite, at)]

    def ran(self, deployment: PastDeployment, suite: str) -> bool:
        return self._ran(deployment.release, suite, deployment.decided_at)

    def _ran(self, version: str, suite: str, at: datetime) -> bool:
        return any(
            isinstance(f.payload, p.SuiteFinished)
            and f.payload.suite == suite
            and self.canonical(f.payload.release) == version
            and f.known_at is not None
            and f.known_at <= at
            for f in self.facts
        )

    def past(self, extra: Iterable[Fact] = ()) -> Past:
        """Return the history of the gate's environment, with evidence that was produced later."""
        told = self.amendment.proposed
        evidence = FoldedEvidence((*self.facts, *self.places, *extra))
        return past_of(self.bench.log, evidence, [self.policy], told.service, told.environment)

    def good(self) -> tuple[PastDeployment, ...]:
        """Return past good deployments to the gate's environment, without the escaped release and the fix."""
        return tuple(past for past, _ in self._good(self.past().history))

    def _good(self, history: History) -> list[tuple[PastDeployment, int]]:
        told = self.amendment.proposed
        taken = {self.canonical(name) for name in (told.bad, told.good) if name}
        found = []
        for row in np.flatnonzero(history.outcome == GOOD):
            asked = history.question(int(row))
            if asked.release.version not in taken:
                taken.add(asked.release.version)
                event = history.event_id(int(row))
                found.append((PastDeployment(asked.release.version, asked.at, event), int(row)))
        return found

    def price(self, extra: dict[str, Fact]) -> p.Price:
        """Price the gate by a backtest, in which the incident that it is proposed for has no say."""
        past = self.past(extra.values())
        calendars = past.calendars(self.loaded)
        answers = past.ask(self.policy, calendars)
        seconds = past.delays(self.policy, calendars, answers)
        found = price_policy(past.history, answers, seconds, [self.amendment.incident])
        rows = [
            _priced(good, answers, seconds, row, good.release in extra)
            for good, row in self._good(past.history)
        ]
        others = [one for one in found.incidents if one.incident.name != self.amendment.incident]
        return msgspec.structs.replace(
            price_of(rows), incidents=len(others), verdict=found.effect.verdict,
            stopped=tuple(one.incident.name for one in others if one.answer == "stopped"),
            undecided_incidents=sum(one.answer == "undecided" for one in others),
            interval=found.effect.interval,
        )  # fmt: skip

    def guard(self) -> Guard | None:
        """Return the test that stands for what is missing: the proposal's, or the incident's proven one."""
        told = self.amendment.proposed
        source = self.amendment if told.selector else self._proven_test()
        if source is None:
            return None
        selector = parse_selector(source.proposed.selector)
        fix = source.proposed.good or told.good
        good = commit_of(self.bench, told.service, fix) if fix else ""
        file = test_file(self.bench.host, selector, text=source.proposed.test_text, good=good)
        expected = told.signature if source.proposed.signature == p.Signature() else source.proposed.signature
        return Guard(self.bench, self.amendment, selector, expected, file, total=0)

    def _proven_test(self) -> Amendment | None:
        facts = self.bench.log.facts(tags=[f"incident:{self.amendment.incident}"])
        proven = [
            a for a in fold_amendments(facts)
            if a.proposed.kind == "test" and a.state in (AmendmentState.PROVEN, AmendmentState.ACTIVE)
        ]  # fmt: skip
        return proven[-1] if proven else None


def _priced(
    past: PastDeployment, answers: Answers, seconds: Floats, row: int, produced: bool
) -> p.PricedRelease:
    gate, time = answers.gates[0], float(seconds[row])
    decision: Any = gate.column.at(row).value
    return p.PricedRelease(
        release=past.release, at=past.decided_at, decision=decision, reason=gate.column.reason(row),
        seconds=None if isnan(time) else time, produced_later=produced,
    )  # fmt: skip
