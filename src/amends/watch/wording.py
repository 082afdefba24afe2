"""Sentences that say why, for someone who has just been woken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from amends.watch.assessment import ArmSummary, Effect, Trust
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec


def percent(rate: float) -> str:
    """Return a rate as a percentage with two telling digits."""
    return f"{_digits(rate * 100)}%"


def number(value: float) -> str:
    """Return a whole number with thousands separated, any other with two telling digits."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else _digits(value)


def seconds(value: float) -> str:
    """Return a span of time: 40 s, 12 min, 3.5 h."""
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def comparison(
    spec: MetricSpec,
    baseline: ArmSummary,
    candidate: ArmSummary,
    effect: Effect,
    after: float,
    where: str = "",
) -> str:
    """Return the row's sentence: both arms, the effect and its bounds, time and amount of evidence.

    ``where`` follows the amount: which steps it is of, where there are several.
    """
    served = number(baseline.exposure + candidate.exposure)
    amount = f"after {seconds(after)} and {served} {_unit(spec)}{where}"
    if spec.kind is MetricKind.LATENCY:
        parts = [_slower(effect), _tail(baseline, candidate)]
    else:
        parts = [f"{_rate(spec, candidate)} against {_rate(spec, baseline)}", _ratio(spec, effect)]
    return f"{spec.name}: {', '.join(p for p in (*parts, amount) if p)}"


def basis(trust: Trust) -> str:
    """Return what a row's sentence ends with where its guarantee is not exact."""
    if trust.guarantee == "exact":
        return ""
    if trust.dispersion is None:
        return " (no history yet to estimate the overdispersion from: this metric cannot roll back)"
    return f" (approximate: divided by {_digits(trust.dispersion)} for overdispersion)"


def guarantee(trust: Trust) -> str:
    """Return how far a metric's guarantee goes, for people: its label and the baseline's self-test."""
    if trust.guarantee == "exact":
        label = "exact for independent requests"
    elif trust.dispersion is None:
        label = "none yet, for there is no history to estimate the overdispersion from"
    else:
        label = f"approximate, counts divided by {_digits(trust.dispersion)} for overdispersion"
    test = f"not tested, {trust.reason}" if trust.self_test == "not tested" else trust.reason
    return f"{label}; baseline against itself: {test}"


def recorded_guarantees(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what recorded rows say of their guarantee, metric by metric; those of older logs say nothing."""
    trusts = ((row.get("metric"), row.get("trust")) for row in rows)
    return tuple(f"{name}: {t['sentence']}" for name, t in trusts if isinstance(t, Mapping) and t["sentence"])


def self_test(log_evidence: float, failed: bool) -> str:
    """Return what the baseline's test against itself says."""
    if not failed:
        return "the baseline's two halves are alike"
    times = f"×{math.exp(log_evidence):,.0f}" if log_evidence < math.log(1e6) else "over a million to one"
    return (
        f"the baseline's own two halves differ beyond chance ({times}), so more than chance moves this metric"
    )


def limit_broken(spec: MetricSpec, observed: str, requests: float) -> str:
    """Return the sentence for a broken limit."""
    limit = spec.limit
    if limit is None:
        return ""
    if spec.kind is MetricKind.LATENCY:
        line = f"at least {percent(limit.quantile)} have to be within {limit.above:g}"
    else:
        sides = [f"at most {limit.above:g}"] if limit.above is not None else []
        sides += [f"at least {limit.below:g}"] if limit.below is not None else []
        line = f"the team's limit is {' and '.join(sides)}"
    return f"{spec.name}: {observed} over {number(requests)} {_unit(spec)}; {line}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    places = max(0, 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit(spec: MetricSpec) -> str:
    if spec.kind is MetricKind.GAUGE:
        return "readings"
    return "seconds of running" if spec.kind is MetricKind.COUNT and not spec.total else "requests"


def _rate(spec: MetricSpec, arm: ArmSummary) -> str:
    if arm.rate is None:
        return "nothing yet"
    return percent(arm.rate) if spec.kind is MetricKind.RATIO else _digits(arm.rate)


def _ratio(spec: MetricSpec, effect: Effect) -> str:
    sure = f"with {effect.confidence * 100:g}% confidence"
    low, high = effect.lower, effect.upper
    if low is not None and low > 1 and spec.direction is not Direction.LOWER:
        return f"at least ×{_digits(low)} {sure}"
    if high is not None and high < 1 and spec.direction is not Direction.HIGHER:
        return f"at most ×{_digits(high)} {sure}"
    if low is not None and high is not None:
        return f"between ×{_digits(low)} and ×{_digits(high)} {sure}"
    if high is not None:
        return f"at most ×{_digits(high)} {sure}"
    return f"at least ×{_digits(low)} {sure}" if low is not None else ""


def _pairs(value: float) -> str:
    return f"{100 * value / (1 + value):.0f}"


def _slower(effect: Effect) -> str:
    if effect.estimate is None and effect.lower is None:
        return "nothing compared yet"
    # Odds without an end are not kept: there every pair was slower.
    pairs = "100" if effect.estimate is None else _pairs(effect.estimate)
    text = f"a request of the candidate is slower in {pairs} of 100 pairs"
    low = _pairs(effect.lower) if effect.lower is not None else "0"
    high = _pairs(effect.upper) if effect.upper is not None else "100"
    return f"{text} ({low} to {high} with {effect.confidence * 100:g}% confidence)"


def _tail(baseline: ArmSummary, candidate: ArmSummary) -> str:
    """Return how many requests lie above the bound that 99 of 100 of the baseline's keep."""
    theirs, ours = dict(baseline.buckets), dict(candidate.buckets)
    kept = [b for b, count in theirs.items() if count >= 0.99 * baseline.exposure and b in ours]
    if not kept or baseline.exposure <= 0 or candidate.exposure <= 0:
        return ""
    slow, usual = (
        1 - side[kept[0]] / n for side, n in ((ours, candidate.exposure), (theirs, baseline.exposure))
    )
    return f"above {kept[0]:.3g}: {percent(max(0.0, slow))} against {percent(max(0.0, usual))}"
