"""What a watch says at one look: plain values that an event can hold and a page can draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from amends.verdicts import Decision
from amends.watch.measurements import MetricKind


class Verdict(StrEnum):
    """What to do with the candidate."""

    WATCHING = "watching"  # go on looking
    ROLL_BACK = "roll_back"  # at once
    PROMOTE = "promote"  # only from `conclude`, at a step's end
    INCONCLUSIVE = "inconclusive"  # only from `conclude`: the policy's `on_inconclusive` says what now


class Cause(StrEnum):
    """Why, in a word for programs; the ``reason`` beside it is for people."""

    PROVEN_WORSE = "proven_worse"
    LIMIT_BROKEN = "limit_broken"
    CANDIDATE_DEAD = "candidate_dead"
    WITHIN_MARGIN = "within_margin"
    MARGIN_NOT_SHOWN = "margin_not_shown"
    COLLECTING = "collecting"
    WARMING_UP = "warming_up"
    NOT_COMPARED = "not_compared"
    NO_METRICS = "no_metrics"
    NO_DATA = "no_data"
    TOO_LITTLE_DATA = "too_little_data"
    CANDIDATE_SILENT = "candidate_silent"  # it reported, then stopped, and the baseline goes on
    BASELINE_SILENT = "baseline_silent"
    SELF_TEST_FAILED = "self_test_failed"  # the baseline differs from itself: chance is not what is assumed


@dataclass(frozen=True, slots=True)
class Health:
    """What the deployer and its probes see. ``None``: nobody knows, and so it decides nothing."""

    baseline_alive: bool | None = None
    candidate_alive: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """How much worse or better: a ratio (or, for a latency, odds) with its confidence sequence.

    It is that of the rollout's current step. Each bound holds at every look at the step together with the
    given confidence, if the effect stays the same within the step. ``None`` is unknown or unbounded.
    """

    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.99


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One arm's totals since the rollout's step began. For a latency, ``p50`` and ``p99`` in its own unit.

    ``rate`` is events per exposure (a gauge's mean); ``buckets`` are bounds and cumulative counts to draw.
    """

    events: float = 0.0
    exposure: float = 0.0
    rate: float | None = None
    p50: float | None = None
    p99: float | None = None
    buckets: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a metric's guarantee goes.

    ``exact``: α holds for independent requests at every sample size. ``approximate``: counts were divided by
    ``dispersion``, which is estimated or a number from the policy (``None``: there is no history to estimate
    it from, and the metric cannot roll back). ``self_test`` is the baseline's test against itself with its
    reason; ``log_evidence`` is ln of that test's e-value. ``sentence`` says all of it to people.
    """

    guarantee: Literal["exact", "approximate"] = "exact"
    dispersion: float | None = 1.0
    self_test: Literal["passed", "failed", "not tested"] = "not tested"
    reason: str = ""
    log_evidence: float = 0.0
    sentence: str = ""

    @property
    def failed(self) -> bool:
        """Whether the baseline differs from itself beyond chance."""
        return self.self_test == "failed"


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric at one look.

    ``log_evidence`` is the natural logarithm of its e-value; ``log_threshold`` that of the rollback line if
    it were the only metric. ``observed`` is the reason without its conclusion. With several,
    `Assessment.log_evidence` is what is held against the line.
    """

    metric: str
    kind: MetricKind
    decision: Decision
    cause: Cause
    reason: str
    log_evidence: float
    log_threshold: float
    effect: Effect
    baseline: ArmSummary
    candidate: ArmSummary
    observed: str = ""
    trust: Trust = Trust()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole watch at one look.

    ``log_evidence`` is ln of the mean e-value of all metrics, ``log_threshold`` ln(1/α); a rollback by
    statistics is at their crossing. ``moved`` names the metrics that e-BH holds to have moved. ``guarantee``
    is approximate where any metric's is. ``refused``: the evidence has reached the line, but stands on
    metrics whose baseline differs from itself, and so decides nothing.
    """

    at: datetime
    verdict: Verdict
    cause: Cause
    reason: str
    log_evidence: float
    log_threshold: float
    elapsed_seconds: float
    metrics: tuple[MetricRow, ...] = ()
    moved: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    guarantee: Literal["exact", "approximate"] = "exact"
    refused: bool = False
