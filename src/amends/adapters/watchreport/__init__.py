"""A watch as one HTML file: its verdict, pictures and tables, with nothing to load and nothing to run."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from amends.incidents.wording import say_seconds
from amends.watch.headline import Headline
from amends.watch.report import WatchReport
from amends.watch.wording import percent

_HERE = Path(__file__).parent
_WEB = _HERE.parent.parent / "web"


def render_page(headline: Headline, report: WatchReport) -> str:
    """Return the page, with its style in it."""
    style = Markup((_WEB / "static" / "style.css").read_text("utf-8"))  # noqa: S704 - our own
    return _environment().get_template("report.html").render(headline=headline, report=report, style=style)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader([_HERE, _WEB / "templates"]), autoescape=select_autoescape(default=True),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        moment=_moment, span=say_seconds, percent=percent, part=lambda value: quote(str(value), safe="")
    )
    return made


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
