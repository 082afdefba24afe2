"""The pictures of a watch over time: evidence, rates, effect with its confidence sequence.

Each is drawn from a list of looks, wherever they come from; each has a table beside it where it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from amends.watch import wording
from amends.watch.assessment import ArmSummary, MetricRow
from amends.watch.looks import Look, Seen, thin
from amends.watch.measurements import MetricKind
from amends.watch.plan import MetricSpec
from amends.watch.plotting import Plot, Spot, across, even_ticks, log_ticks, say_span, upwards

POINTS = 160
"""As many looks a picture shows; more than there are places for."""
_LN10 = math.log(10)
_DEEPEST = -2.0  # evidence below a hundredth is drawn at the edge: that far, it says "no worse" in any case
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_FURTHEST = 64.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: what it shows in a few words, and the drawing."""

    title: str
    svg: str


def joint_chart(looks: Sequence[Look]) -> Picture | None:
    """Draw the evidence of all metrics together; ``None`` where no look recorded it."""
    told = [
        (k.elapsed, k.log_evidence, k.log_threshold, k.step)
        for k in looks
        if k.log_evidence is not None and k.log_threshold is not None
    ]
    if not told:
        return None
    return Picture(
        "The evidence that decides, and the rollback line", _evidence(told, "all metrics together")
    )


def evidence_chart(seen: Sequence[Seen], *, alone: bool) -> Picture:
    """Draw one metric's evidence; where others are watched, too, the line is where it would be alone."""
    told = [
        (one.look.elapsed, one.row.log_evidence, one.row.log_threshold, one.look.step)
        for one in seen
        if math.isfinite(one.row.log_evidence)
    ]
    title = "Evidence and the rollback line" if alone else "Its own evidence; the line if it were alone"
    return Picture(title, _evidence(told, seen[-1].row.metric))


def _evidence(told: Sequence[tuple[float, float, float, int]], name: str) -> str:
    shown = [(at, e / _LN10, line / _LN10, step) for at, e, line, step in thin(told, POINTS)]
    line = shown[-1][2] if shown else 2.0
    values = [e for _, e, _, _ in shown]
    low = max(_DEEPEST, min([0.0, *values])) - 0.15
    high = max([line, *values])
    plot = Plot(
        across(0, _end(at for at, *_ in shown)), upwards(low, high + (high - low) * 0.08),
        f"Evidence of {name}: now {say_odds(values[-1] if values else 0.0)}, the rollback line is at "
        f"{say_odds(line)}",
    )  # fmt: skip
    apart = max(1, math.ceil((high - low) / 4))
    plot.ticks_up(range(math.ceil(low / apart) * apart, math.floor(high) + 1, apart), say_odds)
    plot.ticks_of_time()
    _borders(plot, [(at, step) for at, *_, step in shown])
    plot.rule(line, f"rollback line {say_odds(line)}", "stop")
    plot.line([[(at, e) for at, e, _, _ in shown]], "ours")
    crossed = next(((at, e) for at, e, line, _ in shown if e >= line), None)
    if crossed:
        words = f"{say_odds(crossed[1])} after {say_span(crossed[0])}: at the line"
        plot.mark(*crossed, "stop", words)
    plot.legend([(f"evidence {say_odds(values[-1])}" if values else "no evidence yet", "ours")])
    return plot.svg()


def say_odds(tens: float) -> str:
    """Return a base-10 logarithm of an e-value as people read it: ×100, ×10⁶, ×0.1."""
    if tens >= 5:
        return "×10" + "".join(_RAISED[int(digit)] for digit in f"{tens:.0f}")
    value = 10.0**tens
    return f"×{value:,.0f}" if value >= 100 else f"×{value:.2g}"


def rates_chart(seen: Sequence[Seen]) -> Picture:
    """Draw baseline against candidate: rates, or the 99th percentile of a latency."""
    shown = thin(seen, POINTS)
    kind = seen[-1].row.kind
    last = seen[-1].row
    values = [
        v for one in shown for v in (level(one.row, one.row.baseline), level(one.row, one.row.candidate))
    ]
    known = [v for v in values if v is not None]
    most = max(known, default=0.0) or (0.01 if kind is MetricKind.RATIO else 1.0)
    least = min(0.0, *known, 0.0)
    title = _TITLES.get(kind, "Rate")
    plot = Plot(
        across(0, _end(one.look.elapsed for one in shown)), upwards(least, most * 1.1),
        f"{title} of {last.metric}: candidate {say_level(last, last.candidate)}, baseline "
        f"{say_level(last, last.baseline)}",
    )  # fmt: skip
    plot.ticks_up(even_ticks(most * 1.1), _say(kind))
    plot.ticks_of_time()
    _borders(plot, [(one.look.elapsed, one.look.step) for one in shown])
    plot.line(_runs(shown, lambda row: level(row, row.baseline)), "theirs")
    plot.line(_runs(shown, lambda row: level(row, row.candidate)), "ours")
    if not known:
        plot.note("nothing compared yet")
    plot.legend([
        (f"candidate {say_level(last, last.candidate)}", "ours"),
        (f"baseline {say_level(last, last.baseline)}", "theirs"),
    ])  # fmt: skip
    return Picture(f"{title}: candidate against baseline", plot.svg())


_TITLES = {MetricKind.LATENCY: "99th percentile", MetricKind.GAUGE: "Level"}


def level(row: MetricRow, arm: ArmSummary) -> float | None:
    """Return what is drawn of an arm: its 99th percentile for a latency, else its rate."""
    return arm.p99 if row.kind is MetricKind.LATENCY else arm.rate


def say_level(row: MetricRow, arm: ArmSummary) -> str:
    """Return `level` in words."""
    found = level(row, arm)
    if found is not None:
        return _say(row.kind)(found)
    beyond = row.kind is MetricKind.LATENCY and arm.exposure > 0
    return "beyond the last bucket" if beyond else "–"


def _say(kind: MetricKind) -> Callable[[float], str]:
    return wording.percent if kind is MetricKind.RATIO else lambda value: f"{value:,.3g}"


def effect_chart(seen: Sequence[Seen], spec: MetricSpec | None) -> Picture | None:
    """Draw the effect with its confidence sequence; ``None`` for a level, which is not compared.

    The band begins anew with each step of the rollout, as the sequence does. A side that the data do not
    bound yet is open: the band then reaches the edge, without a line.
    """
    last = seen[-1].row
    if last.kind is MetricKind.GAUGE:
        return None
    shown = thin(seen, POINTS)
    rules = _effect_rules(spec)
    low, high = _effect_range(shown, [value for value, _, _ in rules])
    title = "Odds of being slower" if last.kind is MetricKind.LATENCY else "Effect"
    plot = Plot(
        across(0, _end(one.look.elapsed for one in shown), beside=78), upwards(low, high, logarithmic=True),
        f"{title} of {last.metric} over time: {say_effect(last)}",
    )  # fmt: skip
    plot.ticks_up(log_ticks(low, high), lambda value: f"×{value:g}")
    plot.ticks_of_time()
    _borders(plot, [(one.look.elapsed, one.look.step) for one in shown])
    for part in _steps(shown):
        _band(plot, part, low, high)
    plot.rules_beside(rules)
    plot.line(_runs(shown, lambda row: row.effect.estimate), "ours")
    plot.legend(
        [
            (f"estimate {_now(last)}", "ours"),
            (f"{last.effect.confidence * 100:g}% bounds, at every look", "sure"),
        ]
    )
    return Picture(f"{title} and its confidence sequence", plot.svg())


def _effect_rules(spec: MetricSpec | None) -> list[tuple[float, str, str]]:
    if spec is None:
        return [(1.0, "no difference", "even")]
    matters, margin = spec.effect_that_matters, spec.margin
    rules = [(1.0, "", "even")]
    if spec.direction != "lower":
        rules += [(matters, f"matters ×{matters:g}", "matters"), (margin, f"margin ×{margin:g}", "margin")]
    if spec.direction != "higher":
        rules += [
            (1 / matters, f"matters ×{1 / matters:.2g}", "matters"),
            (1 / margin, f"margin ×{1 / margin:.2g}", "margin"),
        ]
    return rules


def _effect_range(shown: Sequence[Seen], rules: Sequence[float]) -> tuple[float, float]:
    """Return the range to draw: all rules, and the bounds of the later half, which are the telling ones."""
    later = [one.row.effect for one in shown[len(shown) // 2 :]]
    values = [v for e in later for v in (e.lower, e.upper, e.estimate) if v is not None and v > 0]
    low = max(1 / _FURTHEST, min([0.5, *rules, *values]) / 1.25)
    return low, min(_FURTHEST, max([2.0, *rules, *values]) * 1.25)


def _band(plot: Plot, part: Sequence[Seen], low: float, high: float) -> None:
    told = [one for one in part if one.row.effect.lower is not None or one.row.effect.upper is not None]
    lower = [(one.look.elapsed, _or(one.row.effect.lower, low)) for one in told]
    upper = [(one.look.elapsed, _or(one.row.effect.upper, high)) for one in told]
    if len(told) == 1:
        plot.bar(lower[0][0], lower[0][1], upper[0][1], "sure")
        return
    plot.band(lower, upper, "sure")
    plot.line(_runs(part, lambda row: _within(row.effect.lower, low, high)), "edge")
    plot.line(_runs(part, lambda row: _within(row.effect.upper, low, high)), "edge")


def _within(value: float | None, low: float, high: float) -> float | None:
    """Return a bound if its place is in the plot: a line along the edge would say that it is there."""
    return value if value is not None and low <= value <= high else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _now(row: MetricRow) -> str:
    return "–" if row.effect.estimate is None else f"×{row.effect.estimate:.2g}"


def say_effect(row: MetricRow) -> str:
    """Return the effect and its bounds: ``×5.2, between ×3.1 and ×9.8 with 99% confidence``."""
    low, high, estimate = row.effect.lower, row.effect.upper, row.effect.estimate
    if low is not None and high is not None:
        bounds = f"between ×{low:.2g} and ×{high:.2g}"
    elif low is not None:
        bounds = f"at least ×{low:.2g}"
    else:
        bounds = f"at most ×{high:.2g}" if high is not None else ""
    if not bounds:
        return "not bounded yet" if estimate is None else f"×{estimate:.2g}, not bounded yet"
    head = "" if estimate is None else f"×{estimate:.2g}, "
    return f"{head}{bounds} with {row.effect.confidence * 100:g}% confidence"


def _end(moments: Iterable[float]) -> float:
    return max([1.0, *moments])


def _steps(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Cut a list of looks where a step of the rollout begins."""
    parts: list[list[Seen]] = []
    for one in seen:
        if not parts or parts[-1][-1].look.step != one.look.step:
            parts.append([])
        parts[-1].append(one)
    return parts


def _runs(seen: Sequence[Seen], read: Callable[[MetricRow], float | None]) -> list[list[Spot]]:
    """Return the values without those unknown, cut at these and where a step begins."""
    runs: list[list[Spot]] = []
    for part in _steps(seen):
        runs.append([])
        for one in part:
            value = read(one.row)
            if value is None or not math.isfinite(value):
                runs.append([])
            else:
                runs[-1].append((one.look.elapsed, value))
    return [run for run in runs if run]


def _borders(plot: Plot, steps: Sequence[tuple[float, int]]) -> None:
    before = steps[0][1] if steps else 0
    for at, step in steps:
        if step != before:
            plot.border(at, f"step {step}")
            before = step
