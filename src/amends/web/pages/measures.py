"""Measures: all of them with their charts, and the rows of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import JSONResponse, Response

from amends.application.measuring import measure_one, scope_of
from amends.measures.drawing import draw
from amends.measures.measure import Measure, Strips, text_of
from amends.measures.tables import as_csv, as_data, say_figure
from amends.web.forms import moment_of
from amends.web.templating import page

router = APIRouter(include_in_schema=False)
SHOWN = 100
"""How many rows a page lists; the downloads have all."""
_OWN = ("service", "env", "since", "until")


@dataclass(frozen=True, slots=True)
class Asked:
    """The scope that a page's address names, and its query to carry on."""

    measures: list[Measure]
    filters: dict[str, str]
    query: str


def _asked(request: Request, service: str = "", env: str = "", since: str = "", until: str = "") -> Asked:
    state = request.app.state
    filters = {"service": service.strip(), "env": env.strip(), "since": since.strip(), "until": until.strip()}
    scope = scope_of(
        state.workspace.log, service=filters["service"], environment=filters["env"],
        since=moment_of(since, "since"), until=moment_of(until, "until"),
    )  # fmt: skip
    found = state.measures.read(scope, whole=not filters["until"])
    return Asked(found, filters, urlencode({k: v for k, v in filters.items() if v}))


Scoped = Annotated[Asked, Depends(_asked)]


@router.get("/measures")
def measures(request: Request, asked: Scoped) -> Response:
    """Show every measure with its figures and its chart."""
    return page(request, "measures.html", asked=asked, **_drawn(asked.measures))


@router.get("/measures.json")
def as_json(asked: Scoped) -> Response:
    """Return every measure with its rows."""
    return JSONResponse([as_data(measure) for measure in asked.measures])


@router.get("/measures/{key}/rows.csv")
def rows_csv(key: str, asked: Scoped) -> Response:
    """Return a measure's rows as CSV."""
    return _download(as_csv(measure_one(asked.measures, key)), "text/csv; charset=utf-8", f"{key}.csv")


@router.get("/measures/{key}/rows.json")
def rows_json(key: str, asked: Scoped) -> Response:
    """Return a measure with its rows as JSON."""
    return JSONResponse(as_data(measure_one(asked.measures, key)))


@router.get("/measures/{key}")
def measure(request: Request, key: str, asked: Scoped) -> Response:
    """Show the rows of a measure, or those that a figure was counted from."""
    found = measure_one(asked.measures, key)
    # The scope's own words are no columns, except where a figure's rows are asked for by "row.COLUMN".
    where = {
        name.removeprefix("row."): value for name, value in request.query_params.items()
        if name.startswith("row.")
    }  # fmt: skip
    rows = found.rows_where(where)
    return page(
        request, "measure.html", asked=asked, m=found, rows=rows[:SHOWN], more=len(rows) - SHOWN,
        where=where, **_drawn([found]),
    )  # fmt: skip


def _drawn(measures: list[Measure]) -> dict[str, Any]:
    drawings = {m.key: Markup(draw(m.chart, m.title)) for m in measures if m.chart}  # noqa: S704 - escaped there
    tables = {m.key: m.chart for m in measures if isinstance(m.chart, Strips)}
    return {
        "drawings": drawings, "tables": tables, "say": say_figure, "text_of": text_of,
        "rows_of": lambda figure: urlencode([(f"row.{column}", value) for column, value in figure.where]),
    }  # fmt: skip


def _download(text: str, kind: str, name: str) -> Response:
    return Response(text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
