"""The picture of a latency's distribution on both sides, from the buckets that its rows hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from amends.watch.assessment import ArmSummary, MetricRow
from amends.watch.charts import Picture
from amends.watch.looks import Seen
from amends.watch.plotting import Plot, Spot, across, log_ticks, upwards

_PIECES = 8  # of a bucket: straight within it, it is bent on logarithmic axes
_QUANTILES = (("p50", 0.5), ("p99", 0.01))


def distribution_chart(seen: Sequence[Seen]) -> Picture | None:
    """Draw how many requests take longer than a time, on both sides; ``None`` without a histogram.

    Both axes are logarithmic, so that the slow tail is as wide as the bulk: a curve crosses 50% at its
    median and 1% at its 99th percentile. A share of nothing lies on the lower edge.
    """
    row = with_buckets(seen)
    if row is None:
        return None
    curves = [
        (name, ink, arm, slower_shares(arm))
        for name, ink, arm in (("baseline", "theirs", row.baseline), ("candidate", "ours", row.candidate))
    ]
    low, high = _reach([(arm, curve) for _, _, arm, curve in curves])
    shares = [share for *_, curve in curves for _, share in curve if share > 0]
    least = min(0.005, max(1e-5, min(shares, default=0.005) / 1.5))
    plot = Plot(
        across(low, high, logarithmic=True), upwards(least, 1.0, logarithmic=True),
        f"Distribution of {row.metric}: candidate {_quantiles(row.candidate)}, baseline "
        f"{_quantiles(row.baseline)}",
    )  # fmt: skip
    plot.ticks_up(log_ticks(least, 1.0), lambda value: f"{value * 100:.3g}%")
    plot.ticks_across(log_ticks(low, high, 6), lambda value: f"{value:g}")
    for _, share in _QUANTILES:
        plot.rule(share, "", "even")
    for name, ink, arm, curve in curves:
        plot.line([_through_buckets(curve, low, high)], ink)
        for quantile, share in _QUANTILES:
            value: float | None = getattr(arm, quantile)
            if value is not None and low <= value <= high:
                plot.mark(value, share, ink, f"{name}, {quantile}: {value:.3g}")
    plot.legend([("candidate", "ours"), ("baseline", "theirs")])
    return Picture("Requests that take longer; dots: p50, p99", plot.svg())


def with_buckets(seen: Sequence[Seen]) -> MetricRow | None:
    """Return the last row in which both sides have a histogram with requests in it."""
    for one in reversed(seen):
        arms = (one.row.baseline, one.row.candidate)
        if all(arm.exposure > 0 and any(bound > 0 for bound, _ in arm.buckets) for arm in arms):
            return one.row
    return None


def slower_shares(arm: ArmSummary) -> list[Spot]:
    """Return for each bucket's bound the share of requests that took longer."""
    if arm.exposure <= 0:
        return []
    return [(bound, max(0.0, 1 - count / arm.exposure)) for bound, count in arm.buckets]


def _reach(curves: Sequence[tuple[ArmSummary, list[Spot]]]) -> tuple[float, float]:
    """Return the times to draw: from below both medians to where no request takes longer."""
    bounds = [bound for _, curve in curves for bound, _ in curve if bound > 0]
    medians = [arm.p50 for arm, _ in curves if arm.p50]
    low = min([min(bounds) / 2, *(median / 2 for median in medians)])
    ends = [next((b for b, share in curve if b > 0 and share <= 0), max(bounds)) for _, curve in curves]
    return low, max(*ends, 2 * low)


def _through_buckets(curve: Sequence[Spot], low: float, high: float) -> list[Spot]:
    """Return a curve that is straight within each bucket, as quantiles take it."""
    spots = []
    for (a, s), (b, t) in pairwise([(0.0, 1.0), *((b, share) for b, share in curve if b > 0)]):
        start = max(a, low)
        if start >= b or start >= high:
            continue
        for k in range(_PIECES + 1):
            at = start * (b / start) ** (k / _PIECES)
            spots.append((at, s + (t - s) * (at - a) / (b - a)))
    return spots


def _quantiles(arm: ArmSummary) -> str:
    return ", ".join(
        f"{name} beyond the last bucket" if value is None else f"{name} {value:.3g}"
        for name, value in (("p50", arm.p50), ("p99", arm.p99))
    )
