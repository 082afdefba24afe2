"""The small state of a watch: stored in each ``watch.assessed`` event, so that a restart goes on exactly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from amends.stats.restarts import FIRST_STAKE, next_stake
from amends.watch.measurements import Arm, Reading


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of one arm over what was compared; ``counts`` per bucket, the last one unbounded."""

    events: float = 0.0
    exposure: float = 0.0
    counts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pod:
    """One instance of a gauge: its readings so far, and by how much they lay above all instances' mean."""

    arm: Arm
    instance: str
    ticks: int = 0
    level: float = 0.0
    apart: float = 0.0


@dataclass(frozen=True, slots=True)
class PresetState:
    """What a test with preset looks keeps (`amends.watch.preset`).

    ``taken`` counts its looks, ``found`` is what it rejected by, empty while it has not. Events: ``spent`` is
    what the upper and the lower side have spent, ``offset`` and ``masses`` the law of the candidate's events
    among the paths that have not crossed; ``events``, ``ours`` and ``expected`` are those of both arms, the
    candidate's and what its share makes expected. Gauges: ``pods``, and the last look's ``p_value``.
    """

    taken: int = 0
    found: str = ""
    spent: tuple[float, float] = (0.0, 0.0)
    offset: int = 0
    masses: tuple[float, ...] = (1.0,)
    events: float = 0.0
    ours: float = 0.0
    expected: float = 0.0
    pods: tuple[Pod, ...] = ()
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class StepState:
    """What was compared since the rollout's step began; `MetricState` says what the fields hold.

    ``number`` counts the steps from 1, ``since`` is when this one began (``None``: with the watch).
    ``log_stake`` and ``log_evidence`` are what its restarted e-process had when it began, and its own log
    e-value now (`amends.stats.restarts`). ``matched`` is each arm's events, baseline first, and the requests
    of both, every tick weighted alike on both arms (`amends.stats.confidence.matched_increment`).
    """

    number: int = 1
    since: datetime | None = None
    log_stake: float = FIRST_STAKE
    log_evidence: float = 0.0
    baseline: Totals = field(default_factory=Totals)
    candidate: Totals = field(default_factory=Totals)
    evidence: tuple[float, ...] = ()
    normaliser: tuple[float, ...] = ()
    rank: tuple[float, float] = (0.0, 0.0)
    wins: tuple[float, float] = (0.0, 0.0)
    tail: tuple[tuple[float, ...], ...] = ()
    matched: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class MetricState:
    """What is kept of one metric between two ticks.

    ``evidence`` holds log e-values per alternative; ``normaliser`` is the function that confidence bounds
    are inverted from (`amends.stats.confidence`); ``rank`` is (S, V), ``wins`` is (weighted sum of the
    share of pairs in which the candidate is slower, weight); ``tail`` holds log e-values per tail quantile.
    All of them are of the whole watch, ``step`` has those of its current step; a state from before there
    were steps goes on as one that begins now. ``run`` gathers the candidate's requests until its limit can
    be judged. ``last`` are the readings that the next tick is counted from. ``preset`` is for gauges and for
    a group-sequential watch.
    """

    metric: str
    ticks: int = 0
    compared_at: datetime | None = None
    baseline_at: datetime | None = None
    candidate_at: datetime | None = None
    baseline: Totals = field(default_factory=Totals)
    candidate: Totals = field(default_factory=Totals)
    bounds: tuple[float, ...] = ()
    evidence: tuple[float, ...] = ()
    normaliser: tuple[float, ...] = ()
    rank: tuple[float, float] = (0.0, 0.0)
    wins: tuple[float, float] = (0.0, 0.0)
    tail: tuple[tuple[float, ...], ...] = ()
    run: Totals = field(default_factory=Totals)
    run_bounds: tuple[float, ...] = ()
    last: tuple[Reading, ...] = ()
    preset: PresetState | None = None
    step: StepState = field(default_factory=StepState)


@dataclass(frozen=True, slots=True)
class WatchState:
    """A watch between two looks. ``at`` is the last look."""

    started_at: datetime
    at: datetime
    metrics: tuple[MetricState, ...] = ()

    def metric(self, name: str) -> MetricState:
        """Return the state of the metric ``name``; a fresh one if it was never seen."""
        return next((m for m in self.metrics if m.metric == name), MetricState(name))

    def readings(self) -> tuple[Reading, ...]:
        """Return the readings that it keeps, of all metrics."""
        return tuple(reading for metric in self.metrics for reading in metric.last)

    def to_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        data: dict[str, object] = msgspec.to_builtins(self)
        return data

    @classmethod
    def from_data(cls, data: object) -> WatchState:
        """Return the state that `to_data` gave.

        Raises
        ------
        msgspec.ValidationError
            If it is something else.
        """
        return msgspec.convert(data, cls)


def begin_watch(at: datetime) -> WatchState:
    """Return the state of a watch that begins at ``at`` and has seen nothing."""
    return WatchState(started_at=at, at=at)


def begin_step(state: WatchState) -> WatchState:
    """Return the state for the next step of the same rollout; it begins with the last look.

    The evidence of the whole watch goes on, for α holds for all of it; a fresh e-process joins it. Effect,
    bounds, totals and the minimum of requests begin anew, so that a step is passed on what it has shown and
    not on what an earlier one did.
    """
    return replace(
        state, metrics=tuple(replace(m, step=_step_after(m.step, state.at)) for m in state.metrics)
    )


def _step_after(step: StepState, at: datetime) -> StepState:
    stake = next_stake(step.log_stake, step.log_evidence, step.number)
    return StepState(number=step.number + 1, since=at, log_stake=stake)
