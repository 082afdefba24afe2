"""What a replay of recorded data ends with, in the shape that programs read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from amends.watch.looks import Look
from amends.watch.plan import WatchPlan

_LARGEST_LOG = 700.0  # exp of more is no finite number


class Final(StrEnum):
    """What is to become of the candidate."""

    ROLLBACK = "rollback"
    PROMOTE = "promote"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class MetricOutcome:
    """One metric. ``effect`` is a ratio (odds, for a latency) or, for a pair of series, a shift.

    ``observations`` are those of both arms that were compared.
    """

    metric: str
    decision: Final
    log_evidence: float
    effect: float | None
    interval: tuple[float | None, float | None]
    observations: float
    reason: str

    def to_data(self) -> dict[str, Any]:
        """Return it as plain JSON values; ``evidence`` is the e-value, 100 is one in a hundred."""
        whole = self.observations == int(self.observations)
        return {
            "metric": self.metric, "decision": self.decision.value,
            "evidence": math.exp(min(self.log_evidence, _LARGEST_LOG)),
            "effect": _finite(self.effect), "interval": [_finite(side) for side in self.interval],
            "observations": int(self.observations) if whole else self.observations, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TickOutcome:
    """One look: its time, ln of the evidence of all metrics together, and the verdict in a word."""

    at: datetime | float
    log_evidence: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict over one recording.

    ``decided_at`` is the time of the look that decided; for series without times the seconds (or, where no
    interval is known either, the points) since the candidate began. ``ticks`` are all looks up to it;
    ``looks`` are the same with their rows, and ``plan`` what they were held to, for a report. A pair of
    series has neither.
    """

    decision: Final
    decided_at: datetime | float | None
    reason: str
    metrics: tuple[MetricOutcome, ...] = ()
    ticks: tuple[TickOutcome, ...] = ()
    problems: tuple[str, ...] = field(default=())
    looks: tuple[Look, ...] = field(default=(), repr=False)
    plan: WatchPlan | None = field(default=None, repr=False)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
