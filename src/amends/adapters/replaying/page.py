"""A replay as one HTML file: differences grouped by cause, each with the inputs on which it depends."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from amends.application.replays import Replayed, Services
from amends.events.redaction import redact
from amends.prevention.replay import report

_HERE = Path(__file__).parent
_STYLE = _HERE.parent.parent / "web" / "static" / "style.css"
_CALLOUTS = {"pass": "pass", "block": "block", "undecided": "wait", "error": "block"}
_SHOWN = 50


def render_page(done: Replayed, services: Services) -> str:
    """Return the page, with its style in it; it loads nothing."""
    judged = done.played.judged
    return (
        _environment()
        .get_template("page.html")
        .render(
            style=Markup(_STYLE.read_text("utf-8")),  # noqa: S704 - our own
            done=done, judged=judged, causes=done.played.causes, services=services, shown=_SHOWN,
            callout=_CALLOUTS[judged.decision.value], summary=report.summary(judged, done.played.causes),
        )
    )  # fmt: skip


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(default=True), trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(percent=report.percent, redacted=redact, number=lambda value: f"{value:,}")
    made.globals.update(
        cause_sentence=report.cause_sentence, depends_words=report.depends_words,
        difference_words=report.difference_words, plural=report.plural,
    )  # fmt: skip
    return made
