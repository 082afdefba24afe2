"""The parts of a picture: scales, ticks, lines, bands and rules, as SVG without script or style.

Colours come from classes, which the page around it, or `amends.watch.picture`, gives a meaning. What a
colour says is said by dash, width or words, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 360, 224
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 38, 26
_APART = 13.0  # a line of text
_SHORTEST = 46.0  # between two words on the axis of time
_TIMES = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places. What lies beyond ``low`` or ``high`` is put at the edge."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (
            (math.log(self.low), math.log(self.high), math.log(max(value, 1e-300)))
            if self.logarithmic
            else (self.low, self.high, value)
        )
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def across(low: float, high: float, *, logarithmic: bool = False, beside: float = 0.0) -> Scale:
    """Return the scale of the horizontal axis; ``beside`` it, at the right, is room for words."""
    return Scale(low, high, _LEFT, WIDTH - _RIGHT - beside, logarithmic)


def upwards(low: float, high: float, *, logarithmic: bool = False) -> Scale:
    """Return the scale of the vertical axis."""
    return Scale(low, high, HEIGHT - _BOTTOM, _TOP, logarithmic)


@dataclass(slots=True)
class Plot:
    """A picture under way. ``words`` describe it to somebody who does not see it."""

    x: Scale
    y: Scale
    words: str
    parts: list[str] = field(default_factory=list)

    def ticks_of_time(self) -> None:
        """Name moments under the plot."""
        for value in time_ticks(self.x.high):
            self._tick(self.x(value), say_span(value))

    def ticks_across(self, values: Iterable[float], say: Callable[[float], str]) -> None:
        """Name values under the plot; a word that would run into the one before is left out."""
        last = -math.inf
        for value in values:
            at = self.x(value)
            self.parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
            if at - last >= _SHORTEST:
                self._tick(at, say(value))
                last = at

    def _tick(self, at: float, words: str) -> None:
        anchor = "end" if at > WIDTH - _RIGHT - 14 else "middle"
        self.parts.append(_text(at, HEIGHT - 9, words, anchor))

    def ticks_up(self, values: Iterable[float], say: Callable[[float], str]) -> None:
        """Name values beside the plot, with a thin line across."""
        for value in values:
            at = self.y(value)
            self.parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{self.x.end:.1f}"/>')
            self.parts.append(_text(_LEFT - 6, at + 4, say(value), "end"))

    def border(self, at: float, words: str) -> None:
        """Draw where something new begins: a step of the rollout."""
        x = self.x(at)
        self.parts.append(f'<path class="border" d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
        self.parts.append(_text(x, _TOP - 3, words, "middle" if x < WIDTH - 30 else "end", "label on"))

    def rule(self, value: float, words: str, kind: str) -> None:
        """Draw a value that matters as a line across, with its words on it."""
        at = self.y(value)
        self.parts.append(f'<path class="rule {kind}" d="M{_LEFT} {at:.1f}H{self.x.end:.1f}"/>')
        if words:
            self.parts.append(_text(_LEFT + 4, at - 4, words, "start", "label on"))

    def rules_beside(self, rules: Sequence[tuple[float, str, str]]) -> None:
        """Draw values that matter (value, words, class), their words beside the plot and kept apart."""
        placed = -math.inf
        for value, words, kind in sorted(rules, key=lambda rule: -rule[0]):
            self.rule(value, "", kind)
            if words:
                placed = max(self.y(value) + 4, placed + _APART)
                self.parts.append(_text(self.x.end + 4, placed, words, "start"))

    def line(self, runs: Iterable[Sequence[Spot]], kind: str) -> None:
        """Draw lines through values; a run of one value is a dot."""
        path, dots = [], []
        for run in runs:
            spots = _plain([(self.x(a), self.y(b)) for a, b in run])
            if len(spots) == 1:
                dots.append(
                    f'<circle class="dot {kind}" cx="{spots[0][0]:.1f}" cy="{spots[0][1]:.1f}" r="3"/>'
                )
            elif spots:
                path.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in spots))
        if path:
            self.parts.append(f'<path class="line {kind}" d="{"".join(path)}"/>')
        self.parts += dots

    def band(self, lower: Sequence[Spot], upper: Sequence[Spot], kind: str) -> None:
        """Fill between two lines."""
        if len(lower) < 2:
            return
        around = [(self.x(a), self.y(b)) for a, b in (*lower, *reversed(upper))]
        d = "L".join(f"{a:.1f} {b:.1f}" for a, b in around)
        self.parts.append(f'<path class="band {kind}" d="M{d}Z"/>')

    def bar(self, at: float, low: float, high: float, kind: str) -> None:
        """Draw one range of values."""
        x, bottom, top = self.x(at), self.y(low), self.y(high)
        self.parts.append(
            f'<rect class="band {kind}" x="{x - 4:.1f}" y="{top:.1f}" width="8" height="{bottom - top:.1f}"/>'
        )

    def mark(self, x: float, y: float, kind: str, words: str) -> None:
        """Draw a dot with words that appear when pointed at."""
        self.parts.append(
            f'<circle class="mark {kind}" cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="4">'
            f"<title>{escape(words)}</title></circle>"
        )

    def note(self, words: str) -> None:
        """Say something inside an otherwise empty plot."""
        self.parts.append(_text((WIDTH + _LEFT) / 2, (HEIGHT + _TOP) / 2, words, "middle", "label on"))

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Name the lines (words, class) above the plot."""
        at = 4.0
        for words, kind in entries:
            shape = (
                f'<rect class="band {kind}" x="{at:.1f}" y="6" width="16" height="9"/>'
                if kind.startswith("sure")
                else f'<path class="line {kind}" d="M{at:.1f} 10.5h16"/>'
            )
            self.parts += [shape, _text(at + 20, 14.5, words, "start")]
            at += 20 + 6.6 * len(words) + 10

    def svg(self) -> str:
        """Return the picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="plotted" '
            f'role="img" aria-label="{escape(self.words)}">{"".join(self.parts)}</svg>'
        )


def _plain(spots: Sequence[Spot]) -> list[Spot]:
    """Leave out spots in the middle of a straight level line."""
    return [
        here
        for i, here in enumerate(spots)
        if i in (0, len(spots) - 1)
        or not abs(spots[i - 1][1] - here[1]) + abs(spots[i + 1][1] - here[1]) < 0.05
    ]


def _text(x: float, y: float, words: str, anchor: str, kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def time_ticks(end: float) -> list[float]:
    """Return round moments from 0 to ``end`` seconds, at most five."""
    step = next((t for t in _TIMES if end / t <= 4), max(_TIMES[-1], end / 4))
    return [step * i for i in range(int(end // step) + 1)]


def even_ticks(high: float, most: int = 4) -> list[float]:
    """Return round values from 0 to ``high``."""
    power = 10.0 ** math.floor(math.log10(high / most)) if high > 0 else 1.0
    step = next((power * m for m in (1, 2, 2.5, 5, 10) if high / (power * m) <= most), power * 10)
    return [step * i for i in range(int(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round values of a logarithmic axis: 1, 2, 5, 10… or powers of ten, as many as fit."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**k for k in range(first, last + 1) for m in steps if low <= m * 10.0**k <= high]
        if len(found) <= most:
            break
    apart = -(-len(found) // most)
    return found[::apart]


def say_span(seconds: float) -> str:
    """Return a span in its largest round unit: 40 s, 1.5 min, 3 h."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
