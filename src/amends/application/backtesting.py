"""Backtests: read a history once, then price any number of policies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from amends.application.gating import calendars_at
from amends.application.log import Log
from amends.backtests.answers import Answers, ask_policy, waiting_times
from amends.backtests.comparison import Comparison, compare
from amends.backtests.effect import named_incidents
from amends.backtests.history import HISTORY_KINDS, History, past_deployments
from amends.backtests.price import Backtest, blocked, price_policy, with_later_passes
from amends.errors import UsageError
from amends.events.codec import Fact
from amends.gates.evidence import KINDS, Question, collect_evidence
from amends.gates.gate import Calendars
from amends.gates.policy import LoadedPolicy, Policy, unknown_environment
from amends.gates.table import Codes, EvidenceTable, Floats, team_name

DEPLOYED = ("service.deployed", "service.upgraded", "service.rolledback")


class BuildsEvidence(Protocol):
    """Makes the evidence table of many questions."""

    def build(self, questions: Sequence[Question]) -> EvidenceTable:
        """Return a table with one row per question."""


@dataclass(frozen=True, slots=True)
class FoldedEvidence:
    """The builder that decides live, over facts in memory."""

    facts: Sequence[Fact]

    def build(self, questions: Sequence[Question]) -> EvidenceTable:
        """Return a table with one row per question."""
        return collect_evidence(self.facts, questions)


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
    evidence: BuildsEvidence
    as_if_blocking: bool = True
    notes: tuple[str, ...] = ()
    _table: EvidenceTable | None = field(default=None, repr=False)

    @property
    def table(self) -> EvidenceTable:
        """The evidence of every deployment at its decision moment."""
        if self._table is None:
            self._table = self.evidence.build(self.history.questions)
        return self._table

    def calendars(self, loaded: LoadedPolicy) -> Calendars:
        """Return the policy's calendars over the whole history."""
        asked = self.history.questions
        return calendars_at(loaded, asked[0].at, asked[-1].at) if asked else {}

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
            asked = [self.history.questions[row] for row in rows]
            moved = [
                replace(q, at=q.at + timedelta(seconds=seconds))
                for q, seconds in zip(asked, after, strict=True)
            ]
            return ask_policy(
                policy, environment, self.evidence.build(moved), calendars, as_if_blocking=self.as_if_blocking
            ).code

        return with_later_passes(waits, blocked(self.history, answers), later, halvings=halvings)

    def price(self, loaded: LoadedPolicy) -> Backtest:
        """Price one policy."""
        calendars = self.calendars(loaded)
        answers = self.ask(loaded.policy, calendars)
        left_out = named_incidents(loaded.policy, self.history.environment, self.history)
        return price_policy(self.history, answers, self.delays(loaded.policy, calendars, answers), left_out)

    def compare(self, loaded: LoadedPolicy, current: LoadedPolicy) -> Comparison:
        """Compare a policy with the current one."""
        ours = self.ask(loaded.policy, self.calendars(loaded))
        theirs = self.ask(current.policy, self.calendars(current))
        left_out = named_incidents(loaded.policy, self.history.environment, self.history)
        return compare(self.history, ours, theirs, left_out)


def backtest_policy(
    log: Log, loaded: LoadedPolicy, scope: Scope, *, against: LoadedPolicy | None = None
) -> Priced:
    """Price a policy on a log's history; with ``against``, also what changes against that policy.

    Raises ``UsageError`` when the policy does not know the environment, or its service was never deployed and
    the log has several others.
    """
    past = read_past(log, loaded.policy, scope)
    if against is not None:
        check_environment(against, past.history.environment)
    return Priced(
        loaded, past.service, past.price(loaded), past.notes, against,
        past.price(against) if against else None, past.compare(loaded, against) if against else None,
    )  # fmt: skip


def read_past(log: Log, policy: Policy, scope: Scope) -> Past:
    """Read the history of a policy's service in one environment. Raises ``UsageError``."""
    environment = choose_environment(policy, scope.environment)
    service, notes = choose_service(log, scope.service or policy.service)
    facts = log.facts(tags=[f"service:{service}"], kinds=sorted({*KINDS, *HISTORY_KINDS}))
    history = past_deployments(facts, [service], environment)
    if not len(history):
        notes += _elsewhere(facts, service, environment)
    teams = {name for entry in policy.gates.get(environment, []) for name in entry.gate.teams(policy.team)}
    tags = sorted({f"team:{name}" for team in teams for name in (team, team_name(team))})
    shifts = log.facts(tags=tags, kinds=["shift.acknowledged"]) if tags else []
    return Past(
        service, history.between(scope.since, scope.until), FoldedEvidence([*facts, *shifts]),
        scope.as_if_blocking, notes,
    )  # fmt: skip


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


def choose_service(log: Log, service: str) -> tuple[str, tuple[str, ...]]:
    """Return the service whose history is looked at, with a note where it is not the one that was named.

    A history with one service alone, as an imported one often is, can mean no other. Raises ``UsageError``
    when there are several and none is it.
    """
    if log.facts(tags=[f"service:{service}"], kinds=DEPLOYED, limit=1):
        return service, ()
    found = sorted({str(getattr(fact.payload, "service", "")) for fact in log.facts(kinds=DEPLOYED)} - {""})
    if not found:
        return service, ()
    if len(found) == 1:
        note = (
            f"the history has no deployment of {service}: this is that of {found[0]}, the only service there"
        )
        return found[0], (note,)
    raise UsageError(
        f"the history has no deployment of {service!r}; it has those of {', '.join(found)}",
        remedy="name one of them with --service, or as `service` in the policy",
    )


def _elsewhere(facts: Sequence[Fact], service: str, environment: str) -> tuple[str, ...]:
    places = sorted({str(getattr(f.payload, "environment", "")) for f in facts if f.kind in DEPLOYED} - {""})
    if not places:
        return (f"nobody recorded a deployment of {service} anywhere",)
    return (
        f"nobody recorded a deployment of {service} to {environment}; there are some to {', '.join(places)} "
        "(--environment names another)",
    )
