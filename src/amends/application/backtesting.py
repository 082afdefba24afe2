"""Backtests: read a history once, then price any number of policies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from amends.application.gating import calendars_at
from amends.application.log import Log
from amends.application.ports import EvidenceBuilder
from amends.backtests.answers import Answers, ask_policy, waiting_times
from amends.backtests.comparison import Comparison, compare
from amends.backtests.effect import judge, named_incidents
from amends.backtests.history import History, past_deployments
from amends.backtests.loose import LooseEnd, bypasses, loose_ends, loose_facts
from amends.backtests.price import LATER, Backtest, blocked, price_policy, with_later_passes
from amends.backtests.sweep import Outcome, Sweep, sweep_variants
from amends.backtests.variants import Variant, Variation, usual_variations, variants
from amends.errors import UsageError
from amends.events.codec import Fact
from amends.events.payloads import SuiteFinished
from amends.gates.evaluate import families_of
from amends.gates.gate import Calendars, plural
from amends.gates.policy import LoadedPolicy, Policy, unknown_environment
from amends.gates.questions import Questions, moment_of
from amends.gates.table import Codes, EvidenceTable, Floats, team_name
from amends.gates.tests import Tests

DEPLOYED = ("service.deployed", "service.upgraded", "service.rolledback")
_TROUBLES = ("incident.detected", "service.rolledback")
_RECENT = 5_000  # runs in which suites are looked for
_BATCH = 400  # tags per read: databases bound the number of parameters


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at: from ``since`` until ``until``; the last environment with gates, if none is named."""

    environment: str = ""
    since: datetime | None = None
    until: datetime | None = None
    service: str = ""
    as_if_blocking: bool = True


@dataclass(frozen=True, slots=True)
class Priced:
    """A policy's backtest with the policy, and what a reader has to know first."""

    loaded: LoadedPolicy
    service: str
    backtest: Backtest
    notes: tuple[str, ...]
    against: LoadedPolicy | None = None
    current: Backtest | None = None
    comparison: Comparison | None = None


@dataclass
class Past:
    """A service's history in one environment with its evidence, read once."""

    service: str
    history: History
    evidence: EvidenceBuilder
    families: frozenset[str]
    teams: frozenset[str]
    neighbours: tuple[tuple[str, str], ...] = ()
    as_if_blocking: bool = True
    notes: tuple[str, ...] = ()
    _table: EvidenceTable | None = field(default=None, repr=False, init=False)

    @property
    def table(self) -> EvidenceTable:
        """The evidence of every deployment at its decision moment."""
        if self._table is None:
            self._table = self._build(self.history.questions)
        return self._table

    def _build(self, questions: Questions) -> EvidenceTable:
        return self.evidence.build(questions, self.families, teams=self.teams, neighbours=self.neighbours)

    def calendars(self, loaded: LoadedPolicy) -> Calendars:
        """Return the policy's calendars over the whole history."""
        asked = self.history.questions
        if not len(asked):
            return {}
        return calendars_at(loaded, moment_of(float(asked.at[0])), moment_of(float(asked.at[-1])))

    def ask(self, policy: Policy, calendars: Calendars) -> Answers:
        """Return what a policy would have answered to every deployment."""
        return ask_policy(
            policy, self.history.environment, self.table, calendars, as_if_blocking=self.as_if_blocking
        )

    def delays(self, policy: Policy, calendars: Calendars, answers: Answers, *, halvings: int = 3) -> Floats:
        """Return for how many seconds each good deployment would have been held; NaN: no end can be told."""
        environment = self.history.environment
        waits = waiting_times(
            policy, environment, self.table, calendars, answers, as_if_blocking=self.as_if_blocking
        )

        def later(rows: Sequence[int], after: Sequence[float]) -> Codes:
            places = np.array(rows, dtype=np.int64)
            asked = self.history.questions.take(places, self.history.questions.at[places] + np.array(after))
            table = self._build(asked)
            return ask_policy(policy, environment, table, calendars, as_if_blocking=self.as_if_blocking).code

        return with_later_passes(waits, blocked(self.history, answers), later, halvings=halvings)

    def price(self, loaded: LoadedPolicy) -> Backtest:
        """Price one policy."""
        calendars = self.calendars(loaded)
        answers = self.ask(loaded.policy, calendars)
        left_out = named_incidents(loaded.policy, self.history.environment, self.history)
        return price_policy(self.history, answers, self.delays(loaded.policy, calendars, answers), left_out)

    def sweep(self, loaded: LoadedPolicy, tried: Sequence[Variant]) -> Sweep:
        """Price variants of a policy. Blocks are looked at again at each of `LATER` and no closer."""
        calendars = self.calendars(loaded)
        asked = [self.ask(variant.policy, calendars) for variant in tried]
        rows = sorted({row for answers in asked for row in blocked(self.history, answers)})
        later = self._later(rows)
        left_out = named_incidents(loaded.policy, self.history.environment, self.history)
        outcomes = [
            Outcome(
                one, answers.code, self._swept(one.policy, calendars, answers, rows, later),
                answers.unsure, judge(self.history, answers, left_out),
            )
            for one, answers in zip(tried, asked, strict=True)
        ]  # fmt: skip
        return sweep_variants(self.history, outcomes)

    def _later(self, rows: Sequence[int]) -> EvidenceTable:
        """Return the evidence of some rows at each moment of `LATER`, a block of moments for each row."""
        places = np.repeat(np.array(rows, dtype=np.int64), len(LATER))
        at = self.history.questions.at[places] + np.tile(np.array(LATER), len(rows))
        return self._build(self.history.questions.take(places, at))

    def _swept(
        self,
        policy: Policy,
        calendars: Calendars,
        answers: Answers,
        rows: Sequence[int],
        later: EvidenceTable,
    ) -> Floats:
        environment, counting = self.history.environment, self.as_if_blocking
        waits = waiting_times(policy, environment, self.table, calendars, answers, as_if_blocking=counting)
        code = ask_policy(policy, environment, later, calendars, as_if_blocking=counting).code
        codes = dict(zip(rows, code.reshape(len(rows), len(LATER)), strict=True))

        def ask(places: Sequence[int], _: Sequence[float]) -> Codes:
            return np.concatenate([codes[place] for place in places[:: len(LATER)]])

        return with_later_passes(waits, blocked(self.history, answers), ask, halvings=0)

    def compare(self, loaded: LoadedPolicy, current: LoadedPolicy) -> Comparison:
        """Compare a policy with the current one."""
        ours = self.ask(loaded.policy, self.calendars(loaded))
        theirs = self.ask(current.policy, self.calendars(current))
        left_out = named_incidents(loaded.policy, self.history.environment, self.history)
        return compare(self.history, ours, theirs, left_out)


def backtest_policy(
    log: Log, evidence: EvidenceBuilder, loaded: LoadedPolicy, scope: Scope, *,
    against: LoadedPolicy | None = None,
) -> Priced:  # fmt: skip
    """Price a policy on a log's history; with ``against``, also what changes against that policy.

    ``evidence`` is that of the same log.

    Raises ``UsageError`` when the policy does not know the environment, or its service was never deployed and
    the log has several others.
    """
    past = read_past(log, evidence, [loaded.policy, *([against.policy] if against else [])], scope)
    if against is not None:
        check_environment(against, past.history.environment)
    return Priced(
        loaded, past.service, past.price(loaded), past.notes, against,
        past.price(against) if against else None, past.compare(loaded, against) if against else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep with the policy that was varied, and what a reader has to know first."""

    loaded: LoadedPolicy
    service: str
    environment: str
    sweep: Sweep
    notes: tuple[str, ...]


def sweep_policy(
    log: Log,
    evidence: EvidenceBuilder,
    loaded: LoadedPolicy,
    scope: Scope,
    variations: Sequence[Variation] = (),
) -> Swept:
    """Price a policy with every combination of some parameters; soaks and approvals, if none are named.

    Raises ``UsageError`` as `backtest_policy` does, and for a parameter that the policy's gates do not have.
    """
    environment = choose_environment(loaded.policy, scope.environment)
    chosen = variations or usual_variations(loaded.policy, environment)
    tried = variants(loaded.policy, environment, chosen)
    past = read_past(log, evidence, [loaded.policy], scope)
    return Swept(loaded, past.service, environment, past.sweep(loaded, tried), past.notes)


def read_past(log: Log, evidence: EvidenceBuilder, policies: Sequence[Policy], scope: Scope) -> Past:
    """Read the history of a service in one environment, with what the gates of some policies rely on.

    The first policy says which service and environment, where the scope does not. Raises ``UsageError``.
    """
    environment = choose_environment(policies[0], scope.environment)
    service, notes = choose_service(log, scope.service or policies[0].service, asked=bool(scope.service))
    past = past_of(log, evidence, policies, service, environment)
    if not len(past.history):
        notes += _elsewhere(log, service, environment, policies[0].environments)
    now = log.clock.now()
    ahead = int((past.history.questions.at > now.timestamp()).sum())
    if ahead:
        notes += (
            f"{plural(ahead, 'deployment')} dated after {now:%Y-%m-%d %H:%M} UTC left out: mend the dates",
        )
    notes += _never_run(log, service, policies, environment)
    until = min(scope.until or now + timedelta.resolution, now + timedelta.resolution)
    return replace(
        past, history=past.history.between(scope.since, until), as_if_blocking=scope.as_if_blocking,
        notes=notes,
    )  # fmt: skip


def past_of(
    log: Log, evidence: EvidenceBuilder, policies: Sequence[Policy], service: str, environment: str
) -> Past:
    """Read all of a service's history in an environment, with what the gates of some policies rely on."""
    deployments = evidence.deployments([service], environment)
    troubles = log.facts(tags=[f"service:{service}"], kinds=_TROUBLES)
    loose = loose_facts(deployments, troubles, environment)
    history = past_deployments(
        deployments, environment, loose=_placed(log, loose, environment),
        no_defects=bypasses(troubles),
    )  # fmt: skip
    entries = [entry for policy in policies for entry in policy.gates.get(environment, [])]
    neighbours = sorted({pair for policy in policies for pair in policy.neighbours(environment)})
    return Past(
        service, history, evidence, families_of(entries), _teams(policies, environment), tuple(neighbours)
    )


def _placed(log: Log, loose: Sequence[Fact], environment: str) -> list[LooseEnd]:
    """Find out when releases were let in that never took over."""
    named = {(str(getattr(f.payload, "service", "")), str(getattr(f.payload, "release", ""))) for f in loose}
    tags = sorted(f"release:{service}@{release}" for service, release in named if release)
    kinds = ("artifact.packaged", "gates.decided", "deployment.requested")
    batches = (tags[start : start + _BATCH] for start in range(0, len(tags), _BATCH))
    known = [fact for batch in batches for fact in log.facts(tags=batch, kinds=kinds)]
    return loose_ends(loose, known, environment)


def _teams(policies: Sequence[Policy], environment: str) -> frozenset[str]:
    return frozenset(
        name
        for policy in policies
        for entry in policy.gates.get(environment, [])
        for team in entry.gate.teams(policy.team)
        for name in (team, team_name(team))
    )


def choose_environment(policy: Policy, environment: str = "") -> str:
    """Return the environment that is priced: the last one with gates, if none is named."""
    if environment:
        if environment not in policy.environments:
            raise UsageError(
                unknown_environment(environment, policy.environments),
                remedy="name one of them with --environment, or add it to `environments` in the policy",
            )
        return environment
    gated = [name for name in policy.environments if policy.gates.get(name)]
    return gated[-1] if gated else policy.environments[-1]


def check_environment(loaded: LoadedPolicy, environment: str) -> None:
    """Raise ``UsageError`` when the policy that one compares with does not know the environment."""
    if environment not in loaded.policy.environments:
        raise UsageError(
            unknown_environment(environment, loaded.policy.environments), where=loaded.path,
            remedy="name an environment that both policies have with --environment",
        )  # fmt: skip


def choose_service(log: Log, service: str, *, asked: bool = False) -> tuple[str, tuple[str, ...]]:
    """Return the service whose history is looked at, with a note where it is not the one that was named.

    A history with one service alone, as an imported one often is, can mean no other than the policy's. Raises
    ``UsageError`` when there are several and none is it, and when somebody ``asked`` for this very one.
    """
    if log.facts(tags=[f"service:{service}"], kinds=DEPLOYED, limit=1):
        return service, ()
    found = sorted({str(getattr(fact.payload, "service", "")) for fact in log.facts(kinds=DEPLOYED)} - {""})
    if not found:
        return service, ()
    if len(found) == 1 and not asked:
        note = (
            f"the history has no deployment of {service}: this is that of {found[0]}, the only service there"
        )
        return found[0], (note,)
    raise UsageError(
        f"the history has no deployment of {service!r}; it has those of {', '.join(found)}",
        remedy="name one of them with --service, or as `service` in the policy",
    )


def _never_run(log: Log, service: str, policies: Sequence[Policy], environment: str) -> tuple[str, ...]:
    """Say which suites a policy asks for by names that the history does not have."""
    entries = [entry for policy in policies for entry in policy.gates.get(environment, [])]
    wanted = {suite for entry in entries if isinstance(entry.gate, Tests) for suite in entry.gate.suites}
    if not wanted:
        return ()
    runs = log.facts(
        tags=[f"service:{service}"], kinds=["testsuiterun.finished"], newest_first=True, limit=_RECENT
    )
    ran = {fact.payload.suite for fact in runs if isinstance(fact.payload, SuiteFinished)}
    known = f"recorded are {', '.join(sorted(ran)[:5])}" if ran else "no suite's runs are recorded"
    return tuple(f"no run of the suite {suite} is in this history; {known}" for suite in sorted(wanted - ran))


def _elsewhere(log: Log, service: str, environment: str, ours: Sequence[str]) -> tuple[str, ...]:
    moves = log.facts(tags=[f"service:{service}"], kinds=DEPLOYED)
    places = sorted({str(getattr(fact.payload, "environment", "")) for fact in moves} - {""})
    if not places:
        return (f"nobody recorded a deployment of {service} anywhere",)
    known = any(place in ours for place in places)
    remedy = (
        "--environment names another" if known else "the policy has no such environment: call it the same"
    )
    return (
        f"nobody recorded a deployment of {service} to {environment}; there are some to {', '.join(places)} "
        f"({remedy})",
    )
