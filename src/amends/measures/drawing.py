"""Charts as SVG: columns over time, and durations on a logarithmic line.

They are drawn by the server and hold no script. Every number in them stands in a table beside them, too.
Colours are those of the page around them, by class; shape and place say the same as colour.
"""

from __future__ import annotations

from html import escape
from math import log10

from amends.incidents.wording import say_seconds
from amends.measures.measure import Spans, Strips

_WIDTH = 640
_LEFT, _RIGHT = 172, 14
_ROW = 46
_MOST_DOTS = 400
_MARKS = (1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0, 365 * 86400.0)


def draw(chart: Strips | Spans, title: str) -> str:
    """Return a chart as an SVG element."""
    return _strips(chart, title) if isinstance(chart, Strips) else _spans(chart, title)


def _svg(height: int, title: str, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" class="measured" '
        f'role="img" aria-label="{escape(title)}; the table below it has the numbers">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _strips(chart: Strips, title: str) -> str:
    """Draw a row of columns for each label; all rows have one scale, so that they can be compared."""
    most = max((count for _, line in chart.lines for count in line), default=0) or 1
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(chart.periods))
    parts = []
    for row, (label, line) in enumerate(chart.lines):
        floor = 10 + (row + 1) * _ROW
        parts.append(_text(_LEFT - 8, floor - 4, _short(label), "end", "name"))
        parts.append(f'<path class="grid" d="M{_LEFT} {floor}H{_WIDTH - _RIGHT}"/>')
        for place, count in enumerate(line):
            if not count:
                continue
            high, x = count / most * (_ROW - 18), _LEFT + place * step
            words = escape(f"{label}, {chart.periods[place]}: {count}")
            parts.append(
                f'<rect class="column" x="{x + step * 0.1:.1f}" y="{floor - high:.1f}" '
                f'width="{step * 0.8:.1f}" height="{high:.1f}"><title>{words}</title></rect>'
            )
            if step >= 16 or count == most:
                parts.append(_text(x + step / 2, floor - high - 3, str(count), "middle"))
    floor = 10 + len(chart.lines) * _ROW
    for place in _spread(len(chart.periods), 6):
        parts.append(_text(_LEFT + (place + 0.5) * step, floor + 16, chart.periods[place], "middle"))
    return _svg(floor + 26, title, parts)


def _spread(count: int, most: int) -> list[int]:
    """Return at most so many places, evenly apart, of which the first is one."""
    step = max(1, -(-count // most))
    return list(range(0, count, step))


def _spans(chart: Spans, title: str) -> str:
    """Draw a line for each label: a dot for a point, a bar for a range, an arrow for what is still open."""
    known = [seconds for _, line in chart.lines for low, high in line for seconds in (low, high or low)]
    longest = max([*known, 60.0])
    marks = [mark for mark in _MARKS if mark <= longest * 1.2]

    def x(seconds: float) -> float:
        share = log10(max(seconds, 1.0)) / log10(max(longest * 1.2, 10.0))
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT - 12)

    floor = 10 + len(chart.lines) * _ROW
    parts = [f'<path class="grid" d="M{x(mark):.1f} 8V{floor}"/>' for mark in marks]
    shown = _apart([(x(mark), say_seconds(mark)) for mark in marks])
    parts += [_text(at, floor + 16, words, "middle") for at, words in shown]
    for row, (label, line) in enumerate(chart.lines):
        y = 10 + row * _ROW + _ROW / 2
        parts.append(_text(_LEFT - 8, y + 4, _short(label), "end", "name"))
        for number, (low, high) in enumerate(line[:_MOST_DOTS]):
            # What would lie upon each other is put a little apart; that has no meaning.
            parts.append(_span(x, y + (number % 5 - 2) * 5, low, high, label))
    return _svg(floor + 26, title, parts)


def _span(x: object, y: float, low: float, high: float | None, label: str) -> str:
    assert callable(x)
    left = x(low)
    if high is None:
        words = escape(f"{label}: open for {say_seconds(low)}")
        arrow = f"M{left - 4:.1f} {y - 4:.1f}h6l5 4l-5 4h-6z"
        return f'<path class="open" d="{arrow}"><title>{words}</title></path>'
    if high - low < 1 or x(high) - left < 3:
        words = escape(f"{label}: {say_seconds(high)}")
        return f'<circle class="dot" cx="{left:.1f}" cy="{y:.1f}" r="3.5"><title>{words}</title></circle>'
    words = escape(f"{label}: {say_seconds(low)} to {say_seconds(high)}")
    return (
        f'<rect class="range" x="{left:.1f}" y="{y - 2.5:.1f}" width="{x(high) - left:.1f}" height="5" '
        f'rx="2"><title>{words}</title></rect>'
    )


def _apart(labels: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Leave out labels that would run into the one before."""
    kept: list[tuple[float, str]] = []
    for at, words in labels:
        if not kept or at - kept[-1][0] > 46:
            kept.append((at, words))
    return kept


def _short(label: str) -> str:
    return label if len(label) <= 24 else label[:23] + "…"
