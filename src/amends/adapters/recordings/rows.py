"""Rows of a recording, from a table's cells or a JSON object: typed, or left out and told, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amends.errors import AmendsError, UsageError
from amends.events.event import parse_time
from amends.watch.measurements import Arm
from amends.watch.recorded import Row, RowKind

COLUMNS = ("time", "arm", "metric", "kind", "value", "weight", "segment", "instance")
NEEDED = ("time", "arm", "metric", "kind", "value")
_NOT_SECONDS = 1e11  # as seconds, the year 5138: these are milliseconds


def read_row(cells: Mapping[str, Any], where: str) -> Row | None:
    """Return a row; ``None`` if its value (or weight) is NaN: a gap in the data, to be counted and told.

    Raises
    ------
    UsageError
        A cell holds what it cannot; ``where`` is its place.
    """
    missing = [name for name in NEEDED if cells.get(name) in (None, "")]
    if missing == ["value"]:
        return None
    if missing:
        raise UsageError(
            f"nothing in {' and '.join(missing)}; a row needs {', '.join(NEEDED)}",
            where=where, remedy="docs/reference/recordings.md shows every column",
        )  # fmt: skip
    kind = _one_of(RowKind, cells["kind"], "kind", where)
    value = number(cells["value"], "value", where)
    weight = None if cells.get("weight") in (None, "") else number(cells["weight"], "weight", where)
    if math.isnan(value) or (weight is not None and math.isnan(weight)):
        return None
    _check(kind, value, weight, where)
    segment, instance = (str(cells.get(name) or "").strip() for name in ("segment", "instance"))
    return Row(
        read_time(cells["time"], where), _one_of(Arm, cells["arm"], "arm", where),
        str(cells["metric"]).strip(), kind, value, weight, segment, instance, where,
    )  # fmt: skip


def number(found: object, name: str, where: str) -> float:
    """Return a number, which may be NaN or infinite. Raises ``UsageError``."""
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return float(found)
    if isinstance(found, str):
        try:
            return float(found)
        except ValueError:
            pass
    raise UsageError(
        f"{name} is {str(found)[:40]!r}, which is no number", where=where,
        remedy="write it like 12 or 0.35; leave it empty, or write NaN, where nothing was measured",
    )  # fmt: skip


def read_time(found: object, where: str) -> float:
    """Return a time as Unix seconds, from those, from milliseconds or from RFC 3339.

    Without a zone it is taken as UTC: tables often come so, and all rows of one are shifted alike. Raises
    ``UsageError``.
    """
    try:
        seconds = float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _written_time(str(found).strip(), where)
    if seconds > _NOT_SECONDS:
        seconds /= 1000
    if not 0 <= seconds <= _NOT_SECONDS:
        raise UsageError(
            f"the time is {found}; allowed are Unix seconds or milliseconds", where=where,
            remedy="write it like 2026-03-20T14:27:05Z",
        )  # fmt: skip
    return seconds


def _written_time(text: str, where: str) -> float:
    try:
        naive = datetime.fromisoformat(text)
        if naive.tzinfo is None:
            return naive.replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass
    try:
        return parse_time(text).timestamp()
    except AmendsError as error:
        raise UsageError(error.message, where=where, remedy=error.remedy) from None


def _check(kind: RowKind, value: float, weight: float | None, where: str) -> None:
    endless = kind is RowKind.HISTOGRAM and value == math.inf
    if not (math.isfinite(value) or endless):
        raise UsageError(
            f"value is {value}; only the last bucket of a histogram ends at infinity",
            where=where, remedy="leave it empty where nothing was measured",
        )  # fmt: skip
    if value < 0 and kind is not RowKind.GAUGE:
        raise UsageError(
            f"value is {value:g}; a {kind} is never below 0", where=where,
            remedy="where the value may fall below 0, it is of kind gauge",
        )  # fmt: skip
    if weight is not None and (weight < 0 or math.isinf(weight)):
        raise UsageError(
            f"weight is {weight:g}; it is 0 or more", where=where,
            remedy="leave it empty for 1; for a count write among how many requests it was",
        )  # fmt: skip
    if kind is RowKind.HISTOGRAM and weight is None:
        raise UsageError(
            "a bucket of a histogram without a weight", where=where,
            remedy="write in `weight` how many observations the bucket holds, without the buckets below it",
        )  # fmt: skip


def _one_of(names: Any, found: object, column: str, where: str) -> Any:
    text = str(found).strip().lower()
    if text not in {n.value for n in names}:
        raise UsageError(
            f"{column} is {str(found)[:40]!r}; allowed are {', '.join(n.value for n in names)}", where=where,
            remedy=f"correct the {column}, or leave the row out of the file",
        )  # fmt: skip
    return names(text)
