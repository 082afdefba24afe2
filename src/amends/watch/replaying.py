"""A recorded watch once more: the same looks, through the same `assess` and `conclude` as the live one."""

from __future__ import annotations

from dataclasses import replace

from amends.verdicts import Decision
from amends.watch.assess import assess, conclude
from amends.watch.assessment import Assessment, MetricRow, Verdict
from amends.watch.looks import Look, look_of
from amends.watch.outcome import Final, MetricOutcome, Outcome, TickOutcome
from amends.watch.plan import WatchPlan
from amends.watch.recorded import Recording
from amends.watch.state import begin_step, begin_watch

_FINAL = {Verdict.ROLL_BACK: Final.ROLLBACK, Verdict.PROMOTE: Final.PROMOTE}
_ROW = {Decision.BLOCK: Final.ROLLBACK, Decision.PASS: Final.PROMOTE}


def replay_watch(recorded: Recording) -> Outcome:
    """Return what the watch decides, and when.

    ``rollback`` at the first look that proves harm; what comes after it is not looked at. Otherwise
    `conclude` speaks after the last look, as at a step's end: ``promote`` or ``hold``.
    """
    if not recorded.looks:
        why = "; ".join(
            ("there is nothing to look at: no row of a metric that is watched", *recorded.problems)
        )
        return Outcome(Final.HOLD, None, why, problems=recorded.problems)
    plan = _planned(recorded)
    state, step = begin_watch(recorded.started_at, recorded.former), recorded.looks[0].step
    looks: list[Look] = []
    problems = list(recorded.problems)
    for look in recorded.looks:
        if look.step != step:
            state, step = begin_step(state), look.step
        state, said = assess(plan, state, look.readings, look.health, look.at)
        problems += [p for p in said.problems if p not in problems]
        looks.append(look_of(said, step=step))
        if said.verdict is Verdict.ROLL_BACK:
            return _outcome(recorded, said, looks, problems)
    health = replace(recorded.looks[-1].health, baseline_alive=None)
    said = conclude(plan, state, state.at, health)
    return _outcome(recorded, said, looks, problems)


def _planned(recorded: Recording) -> WatchPlan:
    """Return the plan; what was recorded without one was planned to last as long as it did."""
    if recorded.plan.planned_seconds > 0:
        return recorded.plan
    lasted = (recorded.looks[-1].at - recorded.started_at).total_seconds()
    return replace(recorded.plan, planned_seconds=lasted)


def _outcome(recorded: Recording, said: Assessment, looks: list[Look], problems: list[str]) -> Outcome:
    final = _FINAL.get(said.verdict, Final.HOLD)
    return Outcome(
        final, None if final is Final.HOLD else said.at, said.reason,
        tuple(_metric(row) for row in said.metrics), tuple(_tick(look) for look in looks),
        tuple(problems), tuple(looks), recorded.plan,
    )  # fmt: skip


def _tick(look: Look) -> TickOutcome:
    return TickOutcome(look.at, look.log_evidence or 0.0, look.verdict)


def _metric(row: MetricRow) -> MetricOutcome:
    return MetricOutcome(
        row.metric, _ROW.get(row.decision, Final.HOLD), row.log_evidence, row.effect.estimate,
        (row.effect.lower, row.effect.upper), row.baseline.exposure + row.candidate.exposure, row.reason,
    )  # fmt: skip
