"""Templates: one environment, autoescaped, with the few filters that pages share."""

from __future__ import annotations

import itertools
import json
import math
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nh3
from fastapi import Request
from fastapi.templating import Jinja2Templates
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from amends.amendments.pricetag import cost_sentence, worth_sentence
from amends.prevention.signature import describe
from amends.reviews.anchoring import plain
from amends.reviews.sections import Section
from amends.watch.foretold import time_of
from amends.web.security import CONTENT_SECURITY_POLICY

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
# No images: a review that loads one from elsewhere would tell that origin who reads it.
_TAGS = nh3.ALLOWED_TAGS - {"img", "area", "map", "bdi", "bdo"}
_REGION = '<div class="scroll" tabindex="0" role="region" aria-label="Table {}"><table>'
_AS_WRITTEN = Markup('<pre tabindex="0" class="wide">{}</pre>')
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]+\S.*$", re.MULTILINE)
_MOST_LINKS, _MOST_RENDERED = 2_000, 200_000
_LN10 = math.log(10)
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


def moment(value: datetime | None) -> Markup:
    """Show a time in UTC to the second, as a ``<time>`` element."""
    if value is None:
        return Markup('<span class="unknown">not recorded</span>')
    text = f"{value:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


def ago(value: datetime | None, now: datetime) -> Markup:
    """Show how long ago (or until) a moment is, with the moment itself as a title."""
    if value is None:
        return Markup('<span class="unknown">not recorded</span>')
    seconds = (now - value).total_seconds()
    text = f"in {span(-seconds)}" if seconds < 0 else f"{span(seconds)} ago"
    return Markup('<time datetime="{}" title="{} UTC" data-relative>{}</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M:%S}", text
    )


def held(value: datetime | None, now: datetime) -> Markup:
    """Show for how long something has been so, with the moment since when as a title."""
    if value is None:
        return Markup('<span class="unknown">since an unknown time</span>')
    seconds = max(0.0, (now - value).total_seconds())
    return Markup('<time datetime="{}" title="since {} UTC" data-relative="for">for {}</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M:%S}", span(seconds)
    )


def span(value: timedelta | float | None) -> str:
    """Show a duration in the two largest units that say something: ``3 d 4 h``, ``40 s``."""
    if value is None:
        return "not known"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 60:
        return f"{sign}{_plain(seconds)} s"
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{int(count)} {unit}")
    return sign + " ".join(parts[:2])


def _plain(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f}"


def markdown(text: str) -> Markup:
    """Render people's Markdown; what comes out is always sanitised."""
    return _sanitised(_MARKDOWN.render(text), itertools.count(1))


def markdown_sections(text: str, sections: Sequence[Section]) -> list[Markup]:
    """Render a text's sections one by one; links that are defined anywhere in the text work in each.

    What comes after as much as a page renders in good time stands there as it was written.
    """
    known: dict[str, Any] = {}
    _MARKDOWN.parse("\n".join(_DEFINITION.findall(text)[:_MOST_LINKS]), known)
    numbers, left = itertools.count(1), _MOST_RENDERED
    rendered = []
    for section in sections:
        left -= len(section.text)
        rendered.append(
            _sanitised(_MARKDOWN.render(section.text, known), numbers)
            if left >= 0
            else _AS_WRITTEN.format(section.text)
        )
    return rendered


def _sanitised(rendered: str, numbers: Iterator[int]) -> Markup:
    html = nh3.clean(rendered, tags=_TAGS, link_rel="noopener noreferrer")
    # A wide table scrolls by itself, and what scrolls has to be reachable by keyboard.
    html = re.sub("<table>", lambda _: _REGION.format(next(numbers)), html)
    html = html.replace("</table>", "</table></div>")
    return Markup(html)  # noqa: S704 - sanitised above


def words(value: object) -> str:
    """Show a word of the record as people write it: ``rolled_back`` is ``rolled back``."""
    return str(value).replace("_", " ")


def percent(value: float | None) -> str:
    """Show a rate as a percentage with telling digits."""
    if value is None:
        return "–"
    return f"{value * 100:.3g}%"


def figure(value: float | None) -> str:
    """Show a number with three telling digits and thousands apart."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def odds(log_evidence: float | None) -> str:
    """Show a natural log of an e-value as odds: ``×8.3``, ``×120,000``, ``×10^12``."""
    if log_evidence is None or not math.isfinite(log_evidence):
        return "–"
    tens = log_evidence / _LN10
    if tens > 6:
        return f"×10^{tens:.0f}"
    value = math.exp(log_evidence)
    return f"×{value:,.0f}" if value >= 100 else f"×{value:.2g}"


def short(name: str) -> str:
    """Shorten a commit or a digest; leave other names alone."""
    bare = name.removeprefix("sha256:")
    whole = len(bare) >= 40 and all(c in "0123456789abcdef" for c in bare)
    return bare[:10] if whole else name


def path_part(value: object) -> str:
    """Quote one segment of a path, slashes included."""
    return quote(str(value), safe="")


_MOST_SHOWN = 4_000


def shown(value: object) -> str:
    """Return a recorded input as indented JSON; of a long one the beginning, since a page has many."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_SHOWN]}\n… {len(text) - _MOST_SHOWN:,} more characters: amends log show"


templates.env.filters.update(
    moment=moment, ago=ago, held=held, span=span, markdown=markdown, words=words, percent=percent,
    cost=cost_sentence, worth=worth_sentence, figure=figure, odds=odds, short=short, part=path_part,
    signature=describe, shown=shown, plain=plain, foretold=time_of,
)  # fmt: skip
templates.env.trim_blocks = True
templates.env.lstrip_blocks = True


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page with what every page needs.

    That is the form's token, the time, whether the clock is accelerated, and the overrides that hold: they
    are on every page until they expire.
    """
    workspace = request.app.state.workspace
    csrf = getattr(request.state, "csrf", "")
    now = workspace.clock.now()
    shared: dict[str, Any] = {"csrf": csrf, "accelerated": workspace.clock.accelerated, "now": now}
    if "overrides" not in values:
        shared["overrides"] = request.app.state.follower.overrides(now) if csrf else ()
    return templates.TemplateResponse(request, name, {**shared, **values}, status_code=status)


def page_with_editor(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page on which the editor may put its style element, by a nonce of this answer alone."""
    nonce = secrets.token_urlsafe(16)
    response = page(request, name, status=status, nonce=nonce, **values)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "style-src 'self'", f"style-src 'self' 'nonce-{nonce}'"
    )
    return response
