"""A forecast as values, lines and sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from amends.watch.measurements import MetricKind
from amends.watch.wording import number, seconds

_YEAR = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of the rollout: the candidate's per cent of the traffic, and for how long."""

    weight: float
    seconds: float


@dataclass(frozen=True, slots=True)
class EffectForecast:
    """How long one effect takes to be found on average; ``None``: more than ten years.

    ``least`` is what no test could beat (for pairs: no test on ranks). ``step`` is the one in which the
    planned rollout is expected to find it, 0 where it is not. With preset looks ``seconds`` is the first one
    by which it is found more often than not, and ``chance`` how likely it is found by the last.
    """

    effect: str
    seconds: float | None
    least: float | None
    step: int = 0
    chance: float | None = None


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


def span(value: float | None) -> str:
    """Return a time that something takes: ``40 s``, ``3.5 h``, ``6 days``, ``more than 10 years``."""
    if value is None:
        return "more than 10 years"
    if value < 2 * 86400:
        return seconds(value)
    return f"{value / 86400:.0f} days" if value < 2 * _YEAR else f"{value / _YEAR:.0f} years"


def sentence(told: MetricForecast, planned: float) -> str:
    """Return what a rollout that compares for ``planned`` seconds finds of a metric, and what it does not."""
    missed = [e for e in told.effects if not e.step]
    last = told.by_step[-1] if told.by_step else None
    parts = []
    if missed:
        takes = " and ".join(_takes(e) for e in missed)
        likely = "will not" if len(missed) == 1 and missed[0].chance is None else "will most likely not"
        fate = f"{'it' if len(missed) == 1 else 'they'} {likely} be found"
        parts.append(f"{takes}; the rollout compares for {span(planned)}: {fate}")
    else:
        parts.append(f"all of these are expected to be found in the {span(planned)} of the rollout")
    if told.kind is not MetricKind.LATENCY:
        parts.append(
            "not even ×100 is" if last is None else f"×{number(_up(last))} and more is expected to be found"
        )
    return f"{told.metric}: {'. '.join(p[0].upper() + p[1:] for p in parts)}."


def _up(ratio: float) -> float:
    """Round up, so that what is said to be found is not the ×2 that was just said to be missed."""
    return math.ceil(10 * ratio) / 10 if ratio < 10 else float(math.ceil(ratio))


def _takes(effect: EffectForecast) -> str:
    if effect.chance is None:
        return f"{effect.effect} would take {span(effect.seconds)}"
    return f"{effect.effect} is found in {100 * effect.chance:.0f} of 100 such rollouts"


def time_of(effect: EffectForecast) -> str:
    """Return the time until an effect is found, and with preset looks how likely it is."""
    if effect.chance is None:
        return span(effect.seconds)
    chance = f"{100 * effect.chance:.0f} of 100"
    return chance if effect.seconds is None else f"{span(effect.seconds)}, {chance}"


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
                f"  {row.metric:16} {effect.effect:28} {time_of(effect):>18}  {span(effect.least):>18}  "
                f"{effect.step or 'none'}"
            )
    lines += [f"  {row.sentence}" for row in told.metrics]
    lines += [f"  from {origin}" for origin in dict.fromkeys(r.origin for r in told.metrics) if origin]
    return lines
