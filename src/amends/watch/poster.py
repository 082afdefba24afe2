"""What decided, and the decisive metric's effect, as one SVG for a chat or a document."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from html import escape

from amends.watch.charts import Picture
from amends.watch.headline import Headline
from amends.watch.plotting import HEIGHT, WIDTH
from amends.watch.report import WatchReport, decisive

_MARGIN, _GAP = 20, 16
_LETTERS = 100  # of a sentence, on one line of the picture
_MOST_LINES = 4
_TITLE = 52
_TONES = {"pass": "#1a6b3c", "block": "#a1231b", "wait": "#7a5200"}
# The page's classes, in its light colours: a picture in a chat does not know what surrounds it.
_STYLE = """
text{font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1b1f22}
.head{font-size:17px;font-weight:700}.why{font-size:14px}.name{font-size:13px;fill:#565e64}
.label{font-size:12px;fill:#565e64}.on{paint-order:stroke;stroke:#fff;stroke-width:3px}
.grid{stroke:#d9dcd8;fill:none}.border{stroke:#565e64;fill:none;stroke-dasharray:1 3}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.line.ours{stroke:#b2560f}.line.theirs{stroke:#4a63a0;stroke-dasharray:6 4}
.line.edge{stroke:#b2560f;stroke-width:1}
.dot.ours,.mark.ours{fill:#b2560f}.dot.theirs,.mark.theirs{fill:#4a63a0}
.dot.edge{fill:none}.mark.stop{fill:#a1231b}
.band{fill:#b2560f;fill-opacity:.18}.rule{fill:none;stroke-width:1.4;stroke:#565e64}
.rule.stop,.rule.margin{stroke:#a1231b;stroke-dasharray:7 4}.rule.even{stroke-width:1}
.rule.matters{stroke-dasharray:2 3}
"""


def poster(headline: Headline, report: WatchReport) -> str:
    """Return the picture; without any look it is the sentence alone."""
    lines = _wrapped(headline.sentence)
    top = _MARGIN + 24 + 20 * len(lines) + 8
    pictures = _chosen(report)
    bottom = top + (24 + HEIGHT if pictures else 0) + _MARGIN
    wide = 2 * _MARGIN + 2 * WIDTH + _GAP
    parts = [
        f'<rect width="{wide}" height="{bottom}" fill="#fff"/>',
        f'<rect width="6" height="{bottom}" fill="{_TONES[headline.tone]}"/>',
        _text(_MARGIN, _MARGIN + 16, "head", f"{headline.subject}: {headline.outcome}"),
    ]
    parts += [_text(_MARGIN, _MARGIN + 40 + 20 * i, "why", line) for i, line in enumerate(lines)]
    for place, picture in enumerate(pictures):
        left = _MARGIN + place * (WIDTH + _GAP)
        parts.append(_text(left, top + 14, "name", _clipped(picture.title)))
        parts.append(_nested(picture.svg, left, top + 22))
    words = escape(f"{headline.subject}: {headline.outcome}. {headline.sentence}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {bottom}" width="{wide}" '
        f'height="{bottom}" role="img" aria-label="{words}"><title>{words}</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _chosen(report: WatchReport) -> tuple[Picture, ...]:
    """Return the evidence that decides, and the effect of the decisive metric, or else its rates."""
    found = decisive(report)
    if found is None:
        return ()
    own = found.pictures
    effect = next((one for one in own[1:] if "confidence" in one.title), None)
    second = effect or (own[1] if len(own) > 1 else None)
    named = (replace(one, title=f"{found.name}: {one.title}") for one in (second,) if one)
    return (report.joint or own[0], *named)


def _clipped(title: str) -> str:
    return title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"


def _wrapped(sentence: str) -> list[str]:
    lines = textwrap.wrap(sentence, _LETTERS)
    return (
        lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][:-1] + "…"]
    )


def _text(x: float, y: float, kind: str, words: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>'


def _nested(svg: str, x: float, y: float) -> str:
    return svg.replace("<svg ", f'<svg x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" ', 1)
