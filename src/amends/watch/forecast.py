"""What a rollout as planned can find, and what it cannot: said before it begins.

From the traffic of each metric, the policy's watch and the rollout's steps to times and sentences. The
formulas are in `amends.stats.forecast`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from amends.stats.forecast import (
    Bets,
    Stretch,
    event_bets,
    expected_seconds,
    is_found,
    least_seconds,
    pair_bets,
    preset_chances,
    slowed_tail,
    smallest_found,
    tail_bets,
)
from amends.watch.foretold import EffectForecast, Forecast, MetricForecast, PlannedStep, sentence
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.preset import (
    GAUGE_LOOKS,
    even_instances,
    has_preset_looks,
    is_tested,
    preset_alpha,
)
from amends.watch.wording import percent

RATIOS = (1.5, 2.0, 5.0)
_SLOW_PART, _SLOW_TIMES = 0.02, 5.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is known of one metric before the rollout.

    Parameters
    ----------
    exposure_per_second:
        Requests (or seconds of running, for a count without a total) a second on both arms together.
    rate:
        Events per exposure when all is well; ``None`` where nobody knows. Not used for a latency.
    events:
        On how many events ``rate`` rests; ``None`` if somebody stated it.
    bounds, counts:
        A latency's histogram, counts per bucket, the last one unbounded. Empty where it is not known.
    share:
        The candidate's share of the exposure where that does not follow the traffic (seconds of running).
    origin:
        Where this is from, for people.
    divided:
        By what the last watch divided its counts, where its dispersion was estimated; 1 where it did not.
    """

    metric: str
    exposure_per_second: float
    rate: float | None = None
    events: float | None = None
    bounds: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    share: float | None = None
    origin: str = ""
    divided: float = 1.0


def forecast_watch(
    plan: WatchPlan, steps: Sequence[PlannedStep], traffic: Sequence[Traffic], interval: float = 10.0
) -> Forecast:
    """Return what a rollout through ``steps`` is expected to find.

    A metric of which no traffic is known is listed with the reason; nothing is made up for it.
    """
    watched = _watched(steps, plan.warmup_seconds)
    known = {t.metric: t for t in traffic}
    told = Forecast(
        seconds=sum(s.seconds for s in watched if 0 < s.weight < 100),
        alpha=plan.alpha,
        steps=tuple(watched),
    )
    if not plan.metrics:
        return replace(told, remark="the policy watches no metric, so the rollout can find nothing")
    if told.seconds <= 0:
        return replace(told, remark="in no step do both versions serve, so nothing is compared")
    plan = replace(plan, planned_seconds=sum(s.seconds for s in steps if s.weight < 100))
    line = math.log(sum(is_tested(plan, m) for m in plan.metrics) / plan.alpha)
    rows = tuple(_Row(plan, m, watched, line, interval).told(known.get(m.name)) for m in plan.metrics)
    return replace(told, metrics=rows)


def _watched(steps: Sequence[PlannedStep], warmup: float) -> list[PlannedStep]:
    """Return the steps without the warm-up, which the first ones lose."""
    found = []
    for step in steps:
        lost = min(warmup, step.seconds)
        warmup -= lost
        found.append(replace(step, seconds=step.seconds - lost))
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    plan: WatchPlan
    spec: MetricSpec
    steps: Sequence[PlannedStep]
    line: float
    interval: float

    def told(self, traffic: Traffic | None) -> MetricForecast:
        unknown = self._unknown(traffic)
        if unknown or traffic is None:
            said = f"{self.spec.name}: {unknown}"
            told = MetricForecast(self.spec.name, self.spec.kind, said, unknown=unknown)
            if traffic is None:
                return told
            seen = traffic.exposure_per_second
            return replace(told, exposure_per_second=seen, rate=traffic.rate, origin=traffic.origin)
        stretches = self._stretches(traffic)
        effects = self._effects(traffic, stretches)
        by_step = self._by_step(traffic, stretches)
        told = MetricForecast(
            self.spec.name,
            self.spec.kind,
            "",
            effects,
            by_step,
            traffic.exposure_per_second,
            traffic.rate,
            origin=traffic.origin,
        )
        return replace(told, sentence=sentence(told, sum(s.seconds for s in stretches)))

    def _unknown(self, traffic: Traffic | None) -> str:
        if self.spec.kind is MetricKind.GAUGE:
            return self._gauge()
        if traffic is None:
            return "its traffic is not known, so nobody can say what the watch will find"
        if traffic.exposure_per_second <= 0:
            return "there is no traffic, so the watch will find nothing"
        if self.spec.kind is MetricKind.LATENCY:
            return ""
        if traffic.rate is None:
            return "how often it happens when all is well is not known"
        if traffic.rate <= 0:
            return "it has not happened at all so far, and a multiple of nothing is nothing"
        return ""

    def _gauge(self) -> str:
        alpha = preset_alpha(self.plan) / GAUGE_LOOKS / (1 + (self.spec.direction is Direction.BOTH))
        return (
            "a level is compared by its instances, whatever the traffic, at a third, two thirds and the "
            f"end of the rollout; at least {even_instances(alpha)} on each side are needed"
        )

    def _asked(self) -> tuple[float, ...]:
        return (1.2, *RATIOS) if self.spec.kind is MetricKind.LATENCY else RATIOS

    def _stretches(self, traffic: Traffic) -> list[Stretch]:
        return [
            Stretch(s.seconds, s.weight / 100 if traffic.share is None else traffic.share)
            for s in self.steps
            if 0 < s.weight < 100
        ]

    def _bets(self, traffic: Traffic, ratios: Sequence[float]) -> list[tuple[str, Bets]]:
        if self.spec.kind is not MetricKind.LATENCY:
            return [(f"×{r:g}", self._event_bets(traffic, r)) for r in ratios]
        found = [(f"slower in {100 * r / (1 + r):.0f} of 100 pairs", self._pairs(traffic, r)) for r in ratios]
        slowed = slowed_tail(_SLOW_PART, _SLOW_TIMES, traffic.bounds, traffic.counts)
        higher, lower = self._directions()
        if higher:
            bets = tail_bets(
                traffic.exposure_per_second, slowed, lower=lower, dispersion=_divisor(self.spec, traffic)
            )
            found.append((f"{percent(_SLOW_PART)} of requests ×{_SLOW_TIMES:g}", bets))
        return found

    def _directions(self) -> tuple[bool, bool]:
        return self.spec.direction is not Direction.LOWER, self.spec.direction is not Direction.HIGHER

    def _worse(self, traffic: Traffic, ratio: float) -> float:
        """Return the ratio of rates that so many times worse means."""
        if not self._directions()[0]:
            return 1 / ratio
        capped = self.spec.kind is MetricKind.RATIO and traffic.rate
        return min(ratio, 1 / traffic.rate) if capped and traffic.rate else ratio  # no more than all can fail

    def _event_bets(self, traffic: Traffic, ratio: float) -> Bets:
        higher, lower = self._directions()
        return event_bets(
            traffic.exposure_per_second,
            traffic.rate or 0.0,
            self._worse(traffic, ratio),
            self.spec.effect_that_matters,
            higher=higher,
            lower=lower,
            dispersion=_divisor(self.spec, traffic),
        )

    def _pairs(self, traffic: Traffic, ratio: float) -> Bets:
        higher, lower = self._directions()
        slower = ratio / (1 + ratio) if higher else 1 / (1 + ratio)
        return pair_bets(
            traffic.exposure_per_second,
            slower,
            higher=higher,
            lower=lower,
            dispersion=_divisor(self.spec, traffic),
        )

    def _effects(self, traffic: Traffic, stretches: Sequence[Stretch]) -> tuple[EffectForecast, ...]:
        if has_preset_looks(self.plan, self.spec):
            return tuple(self._preset(traffic, ratio, stretches) for ratio in self._asked())
        bets = self._bets(traffic, self._asked())
        return tuple(self._effect(label, bet, stretches, self._few(traffic)) for label, bet in bets)

    def _preset(self, traffic: Traffic, ratio: float, stretches: Sequence[Stretch]) -> EffectForecast:
        least = least_seconds(stretches, self._event_bets(traffic, ratio), self.plan.alpha)
        looks = self._chances(traffic, ratio, stretches)
        needed = next((when for when, chance in looks if chance >= 0.5), None)
        chance = looks[-1][1] if looks else 0.0
        return EffectForecast(f"×{ratio:g}", needed, least, _step_of(needed, self.steps), chance)

    def _chances(
        self, traffic: Traffic, ratio: float, stretches: Sequence[Stretch]
    ) -> tuple[tuple[float, float], ...]:
        higher, lower = self._directions()
        alpha = preset_alpha(self.plan) / (higher + lower)
        times = self._worse(traffic, ratio)
        exposure, rate = traffic.exposure_per_second / _divisor(self.spec, traffic), traffic.rate or 0.0
        return preset_chances(stretches, exposure, rate, times, self.plan.looks, alpha, self.plan.spending)

    def _effect(self, label: str, bets: Bets, stretches: Sequence[Stretch], few: float) -> EffectForecast:
        needed = self._needed(bets, stretches, few)
        least = least_seconds(stretches, bets, self.plan.alpha)
        return EffectForecast(label, needed, least, _step_of(needed, self.steps))

    def _needed(self, bets: Bets, stretches: Sequence[Stretch], few: float) -> float | None:
        found = expected_seconds(stretches, bets, self.line, few)
        if found is None or self.interval <= 0:
            return found
        return math.ceil(found / self.interval) * self.interval

    def _by_step(self, traffic: Traffic, stretches: Sequence[Stretch]) -> tuple[float | None, ...]:
        compared, found = 0, []
        for step in self.steps:
            compared += 0 < step.weight < 100
            found.append(self._smallest(traffic, stretches, compared) if compared else None)
        return tuple(found)

    def _smallest(self, traffic: Traffic, stretches: Sequence[Stretch], compared: int) -> float | None:
        by = sum(s.seconds for s in stretches[:compared])

        def found(ratio: float) -> bool:
            if has_preset_looks(self.plan, self.spec):
                looks = self._chances(traffic, ratio, stretches)
                return any(chance >= 0.5 for when, chance in looks if when <= by + 1e-6)
            bets = self._bets(traffic, (ratio,))[0][1]
            return is_found(stretches[:compared], bets, self.line, self._few(traffic))

        return smallest_found(found, self.spec.effect_that_matters * 1.01)

    def _few(self, traffic: Traffic) -> float:
        return (
            0 if self.spec.kind is MetricKind.LATENCY else self.plan.min_events / _divisor(self.spec, traffic)
        )


def _divisor(spec: MetricSpec, traffic: Traffic) -> float:
    return float(spec.dispersion) if isinstance(spec.dispersion, float | int) else traffic.divided


def _step_of(needed: float | None, steps: Sequence[PlannedStep]) -> int:
    """Return the step in which so many compared seconds are over; 0 for none."""
    gone = 0.0
    for place, step in enumerate(steps, start=1):
        gone += step.seconds if 0 < step.weight < 100 else 0.0
        if needed is not None and gone >= needed:
            return place
    return 0
