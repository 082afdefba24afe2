"""Templates: one environment, autoescaped, with the few filters that pages share."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nh3
from fastapi import Request
from fastapi.templating import Jinja2Templates
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


def moment(value: datetime | None) -> Markup:
    """Show a time in UTC to the second, as a ``<time>`` element."""
    if value is None:
        return Markup('<span class="unknown">not recorded</span>')
    text = f"{value:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


def span(value: timedelta | float | None) -> str:
    """Show a duration in the two largest units that say something: ``3 d 4 h``, ``40 s``."""
    if value is None:
        return "not known"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 60:
        return f"{sign}{seconds:.3g} s"
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{int(count)} {unit}")
    return sign + " ".join(parts[:2])


def markdown(text: str) -> Markup:
    """Render people's Markdown; what comes out is always sanitised."""
    html = nh3.clean(_MARKDOWN.render(text), link_rel="noopener noreferrer")
    return Markup(html)  # noqa: S704 - sanitised on the line above


templates.env.filters["moment"] = moment
templates.env.filters["span"] = span
templates.env.filters["markdown"] = markdown


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page with what every page needs: the form token and whether the clock is accelerated."""
    workspace = request.app.state.workspace
    shared = {
        "csrf": getattr(request.state, "csrf", ""),
        "accelerated": workspace.clock.accelerated,
        "now": workspace.clock.now(),
    }
    return templates.TemplateResponse(request, name, {**shared, **values}, status_code=status)
