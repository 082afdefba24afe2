"""A measure's rows as CSV, and a measure as values that JSON holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from amends.incidents.wording import say_seconds
from amends.measures.measure import Cell, Figure, Measure, Strips, text_of

_FORMULAE = ("=", "+", "-", "@", "\t", "\r")


def as_csv(measure: Measure) -> str:
    """Return the rows as CSV (RFC 4180), with their columns' names first.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP advises.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(measure.columns)
    for row in measure.rows:
        writer.writerow(_safe(row.get(column)) for column in measure.columns)
    return out.getvalue()


def _safe(cell: Cell) -> str:
    text = text_of(cell)
    return f"'{text}" if isinstance(cell, str | tuple) and text.startswith(_FORMULAE) else text


def as_data(measure: Measure, *, rows: bool = True) -> dict[str, Any]:
    """Return a measure as JSON-able values, with its rows or without."""
    found: dict[str, Any] = {
        "measure": measure.key, "title": measure.title, "definition": measure.definition,
        "source": measure.source, "caveats": list(measure.caveats),
        "figures": [_figure(figure) for figure in measure.figures],
    }  # fmt: skip
    if isinstance(measure.chart, Strips):
        found["over_time"] = {
            "periods": list(measure.chart.periods),
            "counts": {label: list(line) for label, line in measure.chart.lines},
        }
    if rows:
        found["rows"] = [_row(measure, row) for row in measure.rows]
    return found


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "label": figure.label, "value": figure.value, "unit": figure.unit, "low": figure.low,
        "high": figure.high, "bounds": figure.bounds, "note": figure.note, "rows_where": dict(figure.where),
    }  # fmt: skip


def _row(measure: Measure, row: Mapping[str, Cell]) -> dict[str, Any]:
    cells = ((column, row.get(column)) for column in measure.columns)
    return {
        column: cell.isoformat()
        if isinstance(cell, datetime)
        else list(cell)
        if isinstance(cell, tuple)
        else cell
        for column, cell in cells
    }


def say_figure(figure: Figure) -> str:
    """Write a figure's value with its bounds: ``12.5% (95% interval 3% to 38%)``; ``undecided`` for none."""
    if figure.value is None:
        return f"at least {_say(figure.low, figure)}" if figure.low else "undecided"
    told = _say(figure.value, figure)
    if figure.low is None or figure.high is None:
        return told
    between = f"{_say(figure.low, figure)} to {_say(figure.high, figure)}"
    return between if figure.bounds == "uncertain times" else f"{told} ({figure.bounds} {between})"


def _say(value: float | None, figure: Figure) -> str:
    if value is None:
        return "undecided"
    if figure.unit == "seconds":
        return say_seconds(value)
    if figure.unit == "share":
        return f"{value * 100:.3g}%"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def figures_csv(measures: Sequence[Measure]) -> str:
    """Return the figures of measures as CSV, one line for each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("measure", "figure", "value", "unit", "low", "high", "bounds", "note"))
    for measure in measures:
        for one in measure.figures:
            numbers = ("" if n is None else f"{n:g}" for n in (one.value, one.low, one.high))
            value, low, high = numbers
            writer.writerow((measure.key, one.label, value, one.unit, low, high, one.bounds, one.note))
    return out.getvalue()
