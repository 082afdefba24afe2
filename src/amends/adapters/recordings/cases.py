"""Pairs of plain series from JSON objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amends.adapters.recordings.rows import number, read_time
from amends.errors import UsageError
from amends.watch.plan import Direction
from amends.watch.series import SeriesPair

_LONGEST = 366 * 86_400.0  # seconds


def is_pair(data: object) -> bool:
    """Say whether an object is meant as a pair of series."""
    return isinstance(data, dict) and ("baseline" in data or "candidate" in data)


def read_pair(data: Mapping[str, Any], where: str) -> tuple[SeriesPair, Direction | None]:
    """Return the pair, and its direction where it names one. Other keys are ignored.

    ``null`` and NaN are gaps. Raises ``UsageError``.
    """
    arms = {arm: _points(data.get(arm), arm, where) for arm in ("baseline", "candidate")}
    interval = data.get("interval_s")
    seconds = None if interval is None else number(interval, "interval_s", where)
    if seconds is not None and not 0 < seconds <= _LONGEST:
        raise UsageError(
            f"interval_s is {seconds:g}; it is above 0 and at most a year",
            where=where,
            remedy="give the seconds between points",
        )
    start = data.get("start")
    begun = None if start is None else datetime.fromtimestamp(read_time(start, where), UTC)
    pair = SeriesPair(str(data.get("metric") or "value"), arms["baseline"], arms["candidate"], seconds, begun)
    return pair, _direction(data.get("direction"), where)


def _points(found: object, arm: str, where: str) -> tuple[float, ...]:
    if not isinstance(found, list):
        raise UsageError(
            f"{arm} is {'missing' if found is None else 'no list'}; a pair has two lists of numbers",
            where=where, remedy='write it like {"metric": "latency", "baseline": [1, 2], "candidate": [2]}',
        )  # fmt: skip
    return tuple(
        math.nan if v is None else number(v, f"{arm}, point {i}", where) for i, v in enumerate(found, start=1)
    )


def _direction(found: object, where: str) -> Direction | None:
    if found is None:
        return None
    try:
        return Direction(str(found))
    except ValueError:
        raise UsageError(
            f"direction is {str(found)[:40]!r}; allowed are {', '.join(Direction)}", where=where,
            remedy="leave it out for both",
        ) from None  # fmt: skip
