"""From cumulative readings to rows of what happened, as recordings hold them (`amends watch replay`)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from amends.watch.deltas import Increment, instance_steps
from amends.watch.measurements import MetricKind, Reading

COLUMNS = ("time", "arm", "metric", "kind", "value", "weight", "segment", "instance")
_KINDS = {
    MetricKind.RATIO: "count", MetricKind.COUNT: "count", MetricKind.LATENCY: "histogram",
    MetricKind.GAUGE: "gauge",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row, in the order of ``COLUMNS``: what an instance did in the tick that begins at ``time``.

    For a ``count``, ``value`` events among ``weight`` requests (``None``: for the time that passed); for a
    ``histogram``, ``weight`` requests in the bucket up to ``value``, not cumulative; for a ``gauge`` a level.
    """

    time: datetime
    arm: str
    metric: str
    kind: str
    value: float
    weight: float | None
    segment: str
    instance: str


def rows_between(
    looks: Iterable[tuple[datetime, Sequence[Reading]]], step: float, max_gap_seconds: float
) -> Iterator[TableRow]:
    """Yield what happened between readings that were taken every ``step`` seconds.

    As in a live watch, an instance is first seen without counting, a restarted one counts from zero, what
    happened while an instance gave no reading belongs to the tick in which it gave one again, and after a
    longer gap than ``max_gap_seconds`` counting starts afresh.
    """
    last: dict[tuple[str, str, str, str], Reading] = {}
    for at, readings in looks:
        begins = at - timedelta(seconds=step)
        for metric in dict.fromkeys(reading.metric for reading in readings):
            here = [reading for reading in readings if reading.metric == metric]
            before = [
                reading
                for key, reading in last.items()
                if key[0] == metric and (at - reading.at).total_seconds() <= max_gap_seconds
            ]
            for now, increment, bounds in instance_steps(metric, before, here):
                yield from _rows(now, increment, bounds, begins)
        for reading in readings:
            if reading.is_usable():
                last[reading.metric, reading.arm, reading.instance, reading.segment] = reading


def _rows(
    now: Reading, increment: Increment, bounds: Sequence[float], begins: datetime
) -> Iterator[TableRow]:
    def row(value: float, weight: float | None) -> TableRow:
        return TableRow(
            begins, now.arm.value, now.metric, _KINDS[now.kind], value, weight, now.segment, now.instance
        )

    if now.kind is MetricKind.LATENCY:
        for bound, count in zip((*bounds, math.inf), increment.counts, strict=True):
            yield row(bound, count)
    elif now.kind is MetricKind.GAUGE:
        yield row(now.value, None)
    else:
        yield row(increment.events, None if now.exposure is None else increment.exposure)
