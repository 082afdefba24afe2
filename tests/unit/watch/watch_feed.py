"""Two arms that serve requests, and what a source would read of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from amends.watch.assess import assess
from amends.watch.assessment import Assessment, Health
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import WatchPlan
from amends.watch.state import WatchState, begin_watch

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ratio(
    arm: Arm, seconds: float, events: float, exposure: float | None, instance: str = "", **more
) -> Reading:
    name = instance or f"{arm}-1"
    return Reading(arm, name, "5xx", MetricKind.RATIO, at(seconds), events, exposure, **more)


def latency(arm: Arm, seconds: float, counts: list[float], bounds: tuple[float, ...] = BOUNDS) -> Reading:
    """``counts`` cumulative at the bounds; the last one is the total."""
    buckets = tuple(zip(bounds, counts, strict=False))
    return Reading(arm, f"{arm}-1", "latency", MetricKind.LATENCY, at(seconds), 0.0, counts[-1], buckets)


@dataclass
class Feed:
    """Serves requests on both arms with the given rates and latencies; gives cumulative readings."""

    plan: WatchPlan
    seed: int = 1
    state: WatchState = field(default_factory=lambda: begin_watch(START))
    looks: list[Assessment] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.counts = {arm: np.zeros(2) for arm in Arm}
        self.buckets = {arm: np.zeros(len(BOUNDS)) for arm in Arm}

    def serve(self, arm: Arm, requests: int, errors: float, median: float = 0.1) -> None:
        self.counts[arm] += (self.rng.binomial(requests, errors), requests)
        took = self.rng.lognormal(np.log(median), 0.6, requests)
        self.buckets[arm] += [(took <= b).sum() for b in BOUNDS]

    def readings(self, *arms: Arm) -> list[Reading]:
        found = []
        for arm in arms:
            events, total = (float(x) for x in self.counts[arm])
            found.append(ratio(arm, self.seconds, events, total))
            found.append(latency(arm, self.seconds, [*map(float, self.buckets[arm]), total]))
        return [r for r in found if any(r.metric == s.name for s in self.plan.metrics)]

    def look(self, *arms: Arm, health: Health | None = None) -> Assessment:
        self.state, said = assess(
            self.plan, self.state, self.readings(*(arms or tuple(Arm))), health or Health(), at(self.seconds)
        )
        self.looks.append(said)
        return said

    def run(
        self, ticks: int, candidate: float, baseline: float = 0.004, requests: int = 200,
        share: float = 0.5, slower: float = 1.0,
    ) -> Assessment:  # fmt: skip
        """Look every five seconds until a rollback or ``ticks`` are over."""
        said = self.look()
        for _ in range(ticks):
            self.seconds += 5
            self.serve(Arm.BASELINE, round(requests * (1 - share)), baseline)
            self.serve(Arm.CANDIDATE, round(requests * share), candidate, 0.1 * slower)
            said = self.look()
            if said.verdict == "roll_back":
                break
        return said
