"""Stretches of time, put together: joined, taken from each other, read in a time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from amends.gates.gate import Intervals


def joined(stretches: Sequence[tuple[float, float]]) -> Intervals:
    """Join stretches that touch or overlap; they come in order of their start."""
    starts: list[float] = []
    ends: list[float] = []
    for start, end in stretches:
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return Intervals(np.array(starts, dtype=np.float64), np.array(ends, dtype=np.float64))


def without(allowed: Intervals, closures: Intervals) -> Intervals:
    """Return what is left of disjoint ``allowed`` stretches outside all ``closures``."""
    closed = joined(list(zip(closures.starts.tolist(), closures.ends.tolist(), strict=True)))
    edges = np.concatenate([allowed.starts, allowed.ends, closed.starts, closed.ends])
    steps = np.concatenate(
        [np.full(len(part), step) for part, step in
         ((allowed.starts, 1), (allowed.ends, -1), (closed.starts, -1), (closed.ends, 1))]
    )  # fmt: skip
    order = np.argsort(edges, kind="stable")
    times, level = edges[order], np.cumsum(steps[order])
    if not len(times):
        return Intervals(times, times)
    last = np.append(times[1:] != times[:-1], True)  # several edges at one moment count together
    times, open_ = times[last], level[last] > 0
    before = np.append(False, open_[:-1])
    return Intervals(times[open_ & ~before], times[~open_ & before])


def labelled(intervals: Intervals, kind: str, zone: ZoneInfo) -> list[tuple[float, float, str]]:
    """Return a calendar's stretches with what a sentence calls them, wall-clock times read in ``zone``."""
    count = len(intervals.starts)
    labels = intervals.labels or ("",) * count
    local = intervals.local if len(intervals.local) else np.zeros(count, dtype=np.bool_)
    found = []
    for start, end, label, floats in zip(intervals.starts, intervals.ends, labels, local, strict=True):
        edges = (_local(start, zone), _local(end, zone)) if floats else (float(start), float(end))
        found.append((*edges, f"{kind} {label!r}" if label else kind))
    return found


def _local(epoch: float, zone: ZoneInfo) -> float:
    """Read a wall-clock time that was written as if it were UTC in ``zone``."""
    return datetime.fromtimestamp(float(epoch), UTC).replace(tzinfo=zone).timestamp()
