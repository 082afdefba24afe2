"""Recorded data as the looks that a watch would have taken: rows of what happened in each tick, added up.

What a row says depends on its kind:

- ``count``: ``value`` events among ``weight`` requests (or another exposure). Without weights the time is the
  exposure.
- ``latency``: a request took ``value``, ``weight`` times (1 by default).
- ``histogram``: ``weight`` requests in the bucket whose upper bound is ``value`` (``inf`` for the last one).
  Not cumulative.
- ``gauge``: a level.

Rows say what happened, a `Reading` how much happened so far: rows are summed per instance, metric and
segment, and each tick's sums are read as if a counter had been scraped, so that `assess` judges them as it
judges a live watch. Single latencies are sorted into buckets `FINEST` wide. Within those 2% two values count
as equal; that costs the Mann-Whitney test less than a thousandth of its strength for latencies that spread
as they do.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from amends.errors import UsageError
from amends.watch.assessment import Health
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.state import WatchState

FINEST = 2 ** (1 / 32)
_MOST_BUCKETS = 512
_MOST_TICKS = 200_000
_SECONDS = 10.0


class RowKind(StrEnum):
    """What a row of a recording holds."""

    COUNT = "count"
    LATENCY = "latency"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


_FITS = {
    RowKind.COUNT: (MetricKind.RATIO, MetricKind.COUNT),
    RowKind.LATENCY: (MetricKind.LATENCY,),
    RowKind.HISTOGRAM: (MetricKind.LATENCY,),
    RowKind.GAUGE: (MetricKind.GAUGE,),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a recording. ``time`` in Unix seconds, ``where`` its place in the file."""

    time: float
    arm: Arm
    metric: str
    kind: RowKind
    value: float
    weight: float | None = None
    segment: str = ""
    instance: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a watch had before it at one look."""

    at: datetime
    readings: tuple[Reading, ...] = ()
    health: Health = field(default_factory=Health)
    step: int = 1


@dataclass(frozen=True, slots=True)
class Recording:
    """A watch to be replayed.

    ``problems`` are sentences about what was left out; ``former`` is what the watch had learnt from those
    before it when it began (`begin_watch`).
    """

    plan: WatchPlan
    started_at: datetime
    looks: tuple[Look, ...]
    problems: tuple[str, ...] = ()
    former: WatchState | None = None


def infer_plan(
    rows: Sequence[Row],
    direction: Direction = Direction.BOTH,
    alpha: float = 0.01,
    interval: float = _SECONDS,
) -> WatchPlan:
    """Return the plan for a recording that comes without a policy: every metric, as its rows have it.

    Counts that never exceed their weight are ratios.
    """
    by_metric: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_metric[row.metric].append(row)
    specs = tuple(
        MetricSpec(
            name, _kind(found), events="recorded", total="recorded", histogram="recorded", direction=direction
        )
        for name, found in by_metric.items()
    )
    return WatchPlan(specs, alpha=alpha, max_gap_seconds=max(120.0, 12 * interval))


def usual_interval(rows: Sequence[Row]) -> float:
    """Return 10 s, or the rows' own spacing if that is wider."""
    times = np.unique([row.time for row in rows])
    return max(_SECONDS, float(np.median(np.diff(times)))) if times.size > 1 else _SECONDS


def recording(rows: Sequence[Row], plan: WatchPlan, interval: float) -> Recording:
    """Return the looks at ``rows``, one for each ``interval`` seconds from the candidate's first row on.

    Raises
    ------
    UsageError
        Rows of a metric differ in kind, or from the plan's; some have a weight and some have none; or the
        time they cover is too long for the interval.
    """
    wanted = {spec.name: spec for spec in plan.metrics}
    for row in rows:
        _check(row, wanted.get(row.metric))
    watched = sorted((r for r in rows if r.metric in wanted), key=lambda r: r.time)
    if not watched:
        return Recording(plan, datetime.fromtimestamp(0, UTC), (), _unwatched(rows, wanted))
    ours = [r.time for r in watched if r.arm is Arm.CANDIDATE]
    begin = math.floor((ours[0] if ours else watched[0].time) / interval) * interval
    within = [r for r in watched if r.time >= begin]
    problems = _unwatched(rows, wanted)
    if len(within) < len(watched):
        problems += (f"{len(watched) - len(within)} rows of the baseline lie before the candidate's first.",)
    whole = _without_ragged_end(within, begin, interval)
    if len(whole) < len(within):
        problems += ("In the last tick one arm has no row of a metric that it had just before: left out.",)
    looks = _looks(whole, wanted, begin, interval)
    return Recording(plan, datetime.fromtimestamp(begin, UTC), looks, problems)


def _without_ragged_end(rows: list[Row], begin: float, interval: float) -> list[Row]:
    """Leave out a last tick in which an arm is missing that was there before: recordings end like that.

    An arm that is silent for longer has stopped, and that is told.
    """
    last = math.floor((rows[-1].time - begin) / interval)
    arms: dict[tuple[int, str], set[Arm]] = defaultdict(set)
    for row in rows:
        tick = math.floor((row.time - begin) / interval)
        if tick >= last - 1:
            arms[last - tick, row.metric].add(row.arm)
    both = set(Arm)
    before = {metric for (back, metric), found in arms.items() if back and found == both}
    ragged = any(arms.get((0, metric)) != both for metric in before)
    return [r for r in rows if math.floor((r.time - begin) / interval) < last] if ragged else rows


def _kind(rows: Sequence[Row]) -> MetricKind:
    if rows[0].kind is not RowKind.COUNT:
        return _FITS[rows[0].kind][0]
    among = all(r.weight is not None and r.value <= r.weight for r in rows)
    return MetricKind.RATIO if among else MetricKind.COUNT


def _check(row: Row, spec: MetricSpec | None) -> None:
    if spec is None:
        return
    if spec.kind not in _FITS[row.kind]:
        raise UsageError(
            f"a row of kind {row.kind} for {row.metric}, which is a {spec.kind} elsewhere",
            where=row.where, remedy="give each metric one kind, or each kind a metric of its own",
        )  # fmt: skip
    if spec.kind is MetricKind.RATIO and row.weight is None:
        raise UsageError(
            f"a count of {row.metric} without a weight; it is a ratio and needs its requests",
            where=row.where, remedy="write in `weight` among how many requests the events were",
        )  # fmt: skip


def _unwatched(rows: Sequence[Row], wanted: dict[str, MetricSpec]) -> tuple[str, ...]:
    others = sorted({r.metric for r in rows} - set(wanted))
    return (f"Not watched, and left out: {', '.join(others)}.",) if others else ()


def _looks(
    rows: Sequence[Row], specs: dict[str, MetricSpec], begin: float, interval: float
) -> tuple[Look, ...]:
    last = math.floor((rows[-1].time - begin) / interval)
    if last >= _MOST_TICKS:
        raise UsageError(
            f"the rows cover {last + 1:,} ticks of {interval:g} s; allowed are {_MOST_TICKS:,}",
            remedy="give a longer --interval, or replay a part of the recording",
        )
    ticks: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        ticks[math.floor((row.time - begin) / interval)].append(row)
    counters = {name: _Counter(spec, [r for r in rows if r.metric == name]) for name, spec in specs.items()}
    start = datetime.fromtimestamp(begin, UTC)
    looks = [Look(start, tuple(r for c in counters.values() for r in c.begin(start)))]
    for tick in range(last + 1):
        at = datetime.fromtimestamp(begin + (tick + 1) * interval, UTC)
        here = ticks.get(tick, [])
        readings = (c.add([r for r in here if r.metric == n], at) for n, c in counters.items())
        looks.append(Look(at, tuple(r for found in readings for r in found)))
    return tuple(looks)


@dataclass
class _Sums:
    events: float = 0.0
    exposure: float = 0.0
    counts: list[float] = field(default_factory=list)


class _Counter:
    """The counters of one metric, as instances that only ever count up would publish them."""

    def __init__(self, spec: MetricSpec, rows: Sequence[Row]) -> None:
        self._spec = spec
        self._timed = spec.kind is MetricKind.COUNT and not any(r.weight is not None for r in rows)
        if not self._timed and spec.kind is MetricKind.COUNT:
            _all_weighed(rows)
        self._bounds = {arm: _bounds([r for r in rows if r.arm is arm], rows) for arm in Arm}
        self._sums: dict[tuple[Arm, str, str], _Sums] = {}
        for arm in Arm:
            for segment in sorted({r.segment for r in rows}):
                mine = {self._instance(r) for r in rows if r.arm is arm and r.segment == segment}
                for name in sorted(mine) or [arm.value]:
                    self._sums[arm, name, segment] = _Sums(counts=[0.0] * (len(self._bounds[arm]) + 1))

    def begin(self, at: datetime) -> list[Reading]:
        return [] if self._spec.kind is MetricKind.GAUGE else self._read(set(Arm), at)

    def add(self, rows: Sequence[Row], at: datetime) -> list[Reading]:
        if self._spec.kind is MetricKind.GAUGE:
            return _levels(rows, at)
        for row in rows:
            self._count(row)
        return self._read({row.arm for row in rows}, at)

    def _instance(self, row: Row) -> str:
        """Keep instances apart, so that the baseline can be tested against itself; not where time counts."""
        return row.arm.value if self._timed or not row.instance else row.instance

    def _count(self, row: Row) -> None:
        sums = self._sums[row.arm, self._instance(row), row.segment]
        if row.kind is RowKind.COUNT:
            sums.events += row.value
            sums.exposure += row.weight or 0.0
            return
        times = 1.0 if row.weight is None else row.weight
        sums.exposure += times
        sums.counts[bisect_left(self._bounds[row.arm], row.value)] += times
        sums.events += row.value * times if math.isfinite(row.value) else 0.0

    def _read(self, arms: set[Arm], at: datetime) -> list[Reading]:
        return [
            self._reading(arm, name, segment, sums, at)
            for (arm, name, segment), sums in self._sums.items()
            if arm in arms
        ]

    def _reading(self, arm: Arm, name: str, segment: str, sums: _Sums, at: datetime) -> Reading:
        bounds = self._bounds[arm]
        up_to = tuple(float(c) for c in np.cumsum(sums.counts))
        buckets = tuple(zip(bounds, up_to, strict=False))
        exposure = None if self._timed else sums.exposure
        return Reading(
            arm, name, self._spec.name, self._spec.kind, at, sums.events, exposure, buckets,
            segment=segment,
        )  # fmt: skip


def _all_weighed(rows: Sequence[Row]) -> None:
    bare = next((r for r in rows if r.weight is None), None)
    if bare is not None:
        raise UsageError(
            f"a count of {bare.metric} without a weight, where others have one",
            where=bare.where, remedy="give every row of the metric a weight, or none",
        )  # fmt: skip


def _bounds(mine: Sequence[Row], rows: Sequence[Row]) -> tuple[float, ...]:
    """Return an arm's bucket bounds: its own for a histogram, for latencies a grid over both arms together.

    Made from the values of both arms without regard to which is whose, the grid favours neither.
    """
    if not rows or rows[0].kind not in (RowKind.LATENCY, RowKind.HISTOGRAM):
        return ()
    if rows[0].kind is RowKind.HISTOGRAM:
        return tuple(sorted({r.value for r in mine if math.isfinite(r.value)}))
    values = [r.value for r in rows if r.value > 0]
    if not values:
        return (0.0,)
    least, most = min(values), max(values)
    steps = min(_MOST_BUCKETS, math.ceil(math.log(most / least, FINEST))) if most > least else 1
    edges = least * (most / least) ** (np.arange(steps) / steps)
    return tuple(float(e) for e in edges)


def _levels(rows: Iterable[Row], at: datetime) -> list[Reading]:
    """Return each instance's mean level in a tick."""
    found: dict[tuple[Arm, str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        key = (row.arm, row.instance or row.arm.value, row.metric, row.segment)
        found[key].append((row.value, 1.0 if row.weight is None else row.weight))
    readings = []
    for (arm, instance, metric, segment), levels in found.items():
        weight = sum(w for _, w in levels)
        if weight > 0:
            mean = sum(v * w for v, w in levels) / weight
            readings.append(Reading(arm, instance, metric, MetricKind.GAUGE, at, mean, segment=segment))
    return readings
