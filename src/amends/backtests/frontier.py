"""The frontier as a drawing: escapes stopped against delay added, as SVG that stands alone or in a page."""

from __future__ import annotations

from html import escape

from amends.backtests.sweep import Point, Sweep
from amends.gates.shape import format_duration

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 20, 20, 52
_DAY = 86400.0
_STEPS = (
    60.0,
    300.0,
    900.0,
    3600.0,
    3 * 3600.0,
    6 * 3600.0,
    12 * 3600.0,
    _DAY,
    2 * _DAY,
    5 * _DAY,
    10 * _DAY,
)


def draw_frontier(sweep: Sweep, *, standing_alone: bool = False) -> str:
    """Return the drawing. Its colours are those of the page around it; one that stands alone brings its own.

    Every figure in it has to stand in a table beside it, too: a drawing alone is not for everybody.
    """
    scale = _Scale.of(sweep)
    parts = [_axes(scale), _line(sweep, scale)]
    parts += [_dot(point, scale) for point in sweep.points[1:]]
    if sweep.picked and sweep.picked is not sweep.current:
        parts.append(_mark(sweep.picked, scale, "pick"))
    parts.append(_mark(sweep.current, scale, "now"))
    style = f"<style>{_STYLE}</style>" if standing_alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" class="frontier" '
        f'role="img" aria-label="Escapes stopped against delay added">{style}{"".join(parts)}</svg>'
    )


class _Scale:
    """From delay (seconds) and count to places in the drawing."""

    def __init__(self, longest: float, most: int) -> None:
        self.step = next((step for step in _STEPS if longest / step <= 8), _STEPS[-1])
        self.longest = max(self.step, longest)
        self.most = max(1, most)

    @classmethod
    def of(cls, sweep: Sweep) -> _Scale:
        delays = [point.whole.delay or 0.0 for point in sweep.points]
        return cls(max(delays, default=0.0) * 1.05, sweep.current.whole.escapes)

    def x(self, delay: float) -> float:
        return round(_LEFT + delay / self.longest * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, stopped: float) -> float:
        return round(_HEIGHT - _BOTTOM - stopped / self.most * (_HEIGHT - _TOP - _BOTTOM), 1)


def _axes(scale: _Scale) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>']
    for place in range(int(scale.longest / scale.step) + 1):
        x, text = scale.x(place * scale.step), format_duration(place * scale.step)
        parts.append(f'<path class="tick" d="M{x} {bottom}v5"/>')
        parts.append(f'<text class="label" x="{x}" y="{bottom + 19}" text-anchor="middle">{text}</text>')
    step = max(1, -(-scale.most // 5))
    for count in range(0, scale.most + 1, step):
        y = scale.y(count)
        parts.append(f'<path class="grid" d="M{_LEFT} {y}H{right}"/>')
        parts.append(f'<text class="label" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{count}</text>')
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text class="label" x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">'
        "mean delay added to a good release</text>"
    )
    parts.append(f'<text class="label" x="{_LEFT}" y="{_TOP - 7}">escapes stopped</text>')
    return "".join(parts)


def _line(sweep: Sweep, scale: _Scale) -> str:
    """Draw the frontier as steps: between two variants one has what the cheaper gives."""
    places = [(scale.x(p.whole.delay or 0.0), scale.y(p.whole.stopped)) for p in sweep.frontier]
    if not places:
        return ""
    path = f"M{places[0][0]} {places[0][1]}" + "".join(f"H{x}V{y}" for x, y in places[1:])
    return f'<path class="edge" d="{path}H{_WIDTH - _RIGHT}"/>'


def _dot(point: Point, scale: _Scale) -> str:
    if point.whole.delay is None:
        return ""
    kind = "best" if point.on_frontier else "rest"
    x, y = scale.x(point.whole.delay), scale.y(point.whole.stopped)
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="4">{_title(point)}</circle>'


def _mark(point: Point, scale: _Scale, kind: str) -> str:
    """Mark the current policy with a square, the pick with a ring; each says its name beside it."""
    if point.whole.delay is None:
        return ""
    x, y = scale.x(point.whole.delay), scale.y(point.whole.stopped)
    shape = (
        f'<rect class="now" x="{x - 6}" y="{y - 6}" width="12" height="12">{_title(point)}</rect>'
        if kind == "now"
        else f'<circle class="pick" cx="{x}" cy="{y}" r="9">{_title(point)}</circle>'
    )
    left = x > _WIDTH * 0.75
    anchor, offset = ("end", -12) if left else ("start", 12)
    drop = -8 if kind == "now" else 18
    word = "as it is" if kind == "now" else "pick"
    return (
        f'{shape}<text class="name" x="{x + offset}" y="{y + drop}" text-anchor="{anchor}">{word}</text>'
    )  # fmt: skip


def _title(point: Point) -> str:
    found = point.whole
    delay = format_duration(found.delay or 0.0)
    text = f"{point.variant.label}: {found.stopped} of {found.escapes} stopped, {delay} on average"
    return f"<title>{escape(text)}</title>"


_STYLE = (
    ".axis,.tick{stroke:#667;fill:none}.grid{stroke:#ccd;fill:none}"
    ".label,.name{font:12px sans-serif;fill:#334}"
    ".name{font-weight:bold}.edge{stroke:#1859a9;fill:none;stroke-width:2}.best{fill:#1859a9}"
    ".rest{fill:#99a}.now{fill:#b04a00}.pick{fill:none;stroke:#1f7a3d;stroke-width:2}"
)
