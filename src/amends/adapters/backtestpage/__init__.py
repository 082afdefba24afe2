"""Backtests and sweeps as HTML: a fragment for the server's page, or one file that needs nothing else."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from amends.application.backtesting import Priced, Swept
from amends.backtests import wording
from amends.backtests.answers import HELD, PASSED, UNDECIDED, WAITS
from amends.backtests.frontier import draw_frontier
from amends.gates.shape import format_duration

SHOWN = 100
"""How many held releases a page lists; the JSON lists all."""
_HERE = Path(__file__).parent
_STYLE = _HERE.parent.parent / "web" / "static" / "style.css"
_CELLS = {
    PASSED: ("plain", "passed"), UNDECIDED: ("undecided", "undecided"), WAITS: ("observe", "waits"),
    HELD: ("pass", "holds"),
}  # fmt: skip
_CALLOUTS = {"helps": "pass", "harms": "block", "no evidence": "wait"}


def render_body(priced: Priced | None, swept: Swept | None, *, links: bool) -> str:
    """Return a fragment of a page; with ``links`` it leads to the server's other pages."""
    return _environment().get_template("body.html").render(_view(priced, swept, links=links))


def render_file(priced: Priced | None, swept: Swept | None) -> str:
    """Return a page with its style in it, which loads nothing."""
    style = Markup(_STYLE.read_text("utf-8"))  # noqa: S704 - our own
    view = _view(priced, swept, links=False)
    return _environment().get_template("file.html").render({**view, "style": style})


def _view(priced: Priced | None, swept: Swept | None, *, links: bool) -> dict[str, Any]:
    return {
        "priced": priced, "found": priced.backtest if priced else None, "swept": swept, "links": links,
        "shown": SHOWN, "cells": _CELLS, "callouts": _CALLOUTS,
        "drawing": Markup(draw_frontier(swept.sweep)) if swept else "",  # noqa: S704 - escaped where it is made
    }  # fmt: skip


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(default=True), trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        span=lambda seconds: "not known" if seconds is None else format_duration(seconds), moment=_moment,
        part=lambda value: quote(str(value), safe=""), signed=wording.points, short=_short,
        file=lambda path: Path(path).name,
    )  # fmt: skip
    made.globals.update(
        verdict_sentence=wording.verdict_sentence, guard_sentences=wording.guard_sentences,
        lead_time_sentence=wording.lead_time_sentence, effect_sentence=wording.effect_sentence,
        comparison_sentence=wording.comparison_sentence, sweep_sentence=wording.sweep_sentence,
    )  # fmt: skip
    return made


def _short(name: str) -> str:
    """Shorten a commit wherever it stands in a name; leave other words alone."""
    return re.sub(r"\b[0-9a-f]{40}\b", lambda found: found[0][:10], name)


def _moment(value: datetime | None) -> Markup:
    if value is None:
        return Markup('<span class="unknown">not recorded</span>')
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), f"{value:%Y-%m-%d %H:%M}")
