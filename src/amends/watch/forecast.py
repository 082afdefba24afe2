"""What a rollout as planned can find, and what it cannot: said before it begins.

From the traffic of each metric, the policy's watch and the rollout's steps to times and sentences. The
formulas are in `amends.stats.forecast`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from amends.stats.forecast import (
    Bets,
    Stretch,
    event_bets,
    expected_seconds,
    least_seconds,
    pair_bets,
    slowed_tail,
    smallest_found,
    tail_bets,
)
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.wording import number, percent, seconds

RATIOS = (1.5, 2.0, 5.0)
_SLOW_PART, _SLOW_TIMES = 0.02, 5.0
_YEAR = 365 * 86400.0


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
    """

    metric: str
    exposure_per_second: float
    rate: float | None = None
    events: float | None = None
    bounds: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    share: float | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of the rollout: the candidate's per cent of the traffic, and for how long."""

    weight: float
    seconds: float


@dataclass(frozen=True, slots=True)
class EffectForecast:
    """How long one effect takes to be found on average; ``None``: more than ten years.

    ``least`` is what no test could beat (for pairs: no test on ranks). ``step`` is the one in which the
    planned rollout is expected to find it, 0 where it is not.
    """

    effect: str
    seconds: float | None
    least: float | None
    step: int = 0


@dataclass(frozen=True, slots=True)
class MetricForecast:
    """One metric: a row for each effect, or ``unknown`` with the reason.

    ``by_step`` is the smallest ratio that is expected to be found by the end of each step (for a latency the
    odds that a request is slower), ``None`` where not even ×100 is.
    """

    metric: str
    kind: MetricKind
    sentence: str
    effects: tuple[EffectForecast, ...] = ()
    by_step: tuple[float | None, ...] = ()
    exposure_per_second: float | None = None
    rate: float | None = None
    unknown: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole rollout. ``seconds`` is how long it compares, without warm-up and unwatched steps."""

    seconds: float
    alpha: float
    steps: tuple[PlannedStep, ...] = ()
    metrics: tuple[MetricForecast, ...] = ()
    remark: str = ""

    def to_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        data: dict[str, object] = msgspec.to_builtins(self)
        return data


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
    tested = sum(m.kind is not MetricKind.GAUGE for m in plan.metrics)
    line = math.log(max(1, tested) / plan.alpha)
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
            sentence = f"{self.spec.name}: {unknown}"
            told = MetricForecast(self.spec.name, self.spec.kind, sentence, unknown=unknown)
            if traffic is None:
                return told
            seen = traffic.exposure_per_second
            return replace(told, exposure_per_second=seen, rate=traffic.rate, origin=traffic.origin)
        stretches = self._stretches(traffic)
        effects = tuple(
            self._effect(label, bets, stretches) for label, bets in self._bets(traffic, self._asked())
        )
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
        return replace(told, sentence=_sentence(self.spec, told, sum(s.seconds for s in stretches)))

    def _unknown(self, traffic: Traffic | None) -> str:
        if self.spec.kind is MetricKind.GAUGE:
            return "a level is compared by its instances, not by traffic; more instances find more"
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
                traffic.exposure_per_second, slowed, lower=lower, dispersion=self.spec.dispersion
            )
            found.append((f"{percent(_SLOW_PART)} of requests ×{_SLOW_TIMES:g}", bets))
        return found

    def _directions(self) -> tuple[bool, bool]:
        return self.spec.direction is not Direction.LOWER, self.spec.direction is not Direction.HIGHER

    def _event_bets(self, traffic: Traffic, ratio: float) -> Bets:
        higher, lower = self._directions()
        rate = traffic.rate or 0.0
        if not higher:
            ratio = 1 / ratio
        elif self.spec.kind is MetricKind.RATIO and rate < 1:
            ratio = min(ratio, 1 / rate)  # more than all of the requests cannot fail
        return event_bets(
            traffic.exposure_per_second,
            rate,
            ratio,
            self.spec.effect_that_matters,
            higher=higher,
            lower=lower,
            dispersion=self.spec.dispersion,
        )

    def _pairs(self, traffic: Traffic, ratio: float) -> Bets:
        higher, lower = self._directions()
        slower = ratio / (1 + ratio) if higher else 1 / (1 + ratio)
        return pair_bets(
            traffic.exposure_per_second, slower, higher=higher, lower=lower, dispersion=self.spec.dispersion
        )

    def _effect(self, label: str, bets: Bets, stretches: Sequence[Stretch]) -> EffectForecast:
        needed = self._needed(bets, stretches)
        least = least_seconds(stretches, bets, self.plan.alpha)
        return EffectForecast(label, needed, least, _step_of(needed, self.steps))

    def _needed(self, bets: Bets, stretches: Sequence[Stretch]) -> float | None:
        few = 0 if self.spec.kind is MetricKind.LATENCY else self.plan.min_events / self.spec.dispersion
        found = expected_seconds(stretches, bets, self.line, few)
        if found is None or self.interval <= 0:
            return found
        return math.ceil(found / self.interval) * self.interval

    def _by_step(self, traffic: Traffic, stretches: Sequence[Stretch]) -> tuple[float | None, ...]:
        def needed(ratio: float) -> float | None:
            return self._needed(self._bets(traffic, (ratio,))[0][1], stretches)

        found, gone = [], 0.0
        for step in self.steps:
            gone += step.seconds if 0 < step.weight < 100 else 0.0
            found.append(_smallest(needed, gone, self.spec.effect_that_matters) if gone else None)
        return tuple(found)


def _smallest(needed: Callable[[float], float | None], gone: float, matters: float) -> float | None:
    return smallest_found(needed, gone, matters * 1.01)


def _step_of(needed: float | None, steps: Sequence[PlannedStep]) -> int:
    """Return the step in which so many compared seconds are over; 0 for none."""
    gone = 0.0
    for place, step in enumerate(steps, start=1):
        gone += step.seconds if 0 < step.weight < 100 else 0.0
        if needed is not None and gone >= needed:
            return place
    return 0


def span(value: float | None) -> str:
    """Return a time that something takes: ``40 s``, ``3.5 h``, ``6 days``, ``more than 10 years``."""
    if value is None:
        return "more than 10 years"
    if value < 2 * 86400:
        return seconds(value)
    return f"{value / 86400:.0f} days" if value < 2 * _YEAR else f"{value / _YEAR:.0f} years"


def _sentence(spec: MetricSpec, told: MetricForecast, planned: float) -> str:
    missed = [e for e in told.effects if not e.step]
    last = told.by_step[-1] if told.by_step else None
    parts = []
    if missed:
        takes = " and ".join(f"{e.effect} would take {span(e.seconds)}" for e in missed)
        fate = "it will not be found" if len(missed) == 1 else "they will most likely not be found"
        parts.append(f"{takes}; the rollout compares for {span(planned)}: {fate}")
    else:
        parts.append(f"all of these are expected to be found in the {span(planned)} of the rollout")
    if spec.kind is not MetricKind.LATENCY:
        parts.append(
            "not even ×100 is" if last is None else f"×{number(last)} and more is expected to be found"
        )
    return f"{spec.name}: {'. '.join(p[0].upper() + p[1:] for p in parts)}."


def forecast_lines(told: Forecast) -> list[str]:
    """Return the forecast as lines of a table and sentences."""
    if told.remark:
        return [f"forecast: {told.remark}"]
    course = ", ".join(f"{s.weight:g}% for {span(s.seconds)}" for s in told.steps)
    lines = [
        f"what the watch can find ({course}; α = {told.alpha:g} for all of it):",
        f"  {'metric':16} {'if it is worse by':28} {'found after':>18}  {'at best':>18}  in step",
    ]
    for row in told.metrics:
        for effect in row.effects:
            lines.append(
                f"  {row.metric:16} {effect.effect:28} {span(effect.seconds):>18}  {span(effect.least):>18}  "
                f"{effect.step or 'none'}"
            )
    lines += [f"  {row.sentence}" for row in told.metrics]
    lines += [f"  from {origin}" for origin in dict.fromkeys(r.origin for r in told.metrics) if origin]
    return lines
