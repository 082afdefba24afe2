"""The report of a watch: from a deployment in the log, or from any list of looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from amends.application.forecasting import kept_forecast
from amends.application.queries import DeploymentView, deployment_view
from amends.errors import InvalidEventError, UsageError
from amends.incidents.wording import say_seconds
from amends.releases.deployment import Deployment
from amends.reviews.audiences.redaction import Redactor
from amends.watch.foretold import time_of
from amends.watch.headline import Headline, began_of, cleaned
from amends.watch.outcome import Final, Outcome
from amends.watch.plan import WatchPlan
from amends.watch.poster import poster
from amends.watch.report import WatchReport, report_data, report_of
from amends.workflows.watching import watch_plan

if TYPE_CHECKING:
    from amends.bootstrap import Workspace

_TONES: dict[str, Literal["pass", "block", "wait"]] = {
    "promoted": "pass", "rolled_back": "block", "failed": "block", "refused": "block",
}  # fmt: skip
_OF_REPLAY: dict[Final, Literal["pass", "block", "wait"]] = {
    Final.PROMOTE: "pass", Final.ROLLBACK: "block", Final.HOLD: "wait",
}  # fmt: skip


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    SVG = "svg"
    JSON = "json"


def plan_of(d: Deployment) -> WatchPlan | None:
    """Return how a deployment is watched; ``None`` where its plan says nothing that can be read."""
    try:
        return watch_plan(d.plan)
    except InvalidEventError:
        return None


def forecast_beside(view: DeploymentView) -> dict[str, tuple[str, ...]]:
    """Return, by metric, what was forecast for it and how much time has gone since."""
    foreseen = kept_forecast(view.deployment.forecast)
    if foreseen is None or not view.watched:
        return {}
    gone = say_seconds(view.watched[-1].elapsed)
    return {
        metric.metric: (
            "Forecast: "
            + "; ".join(f"{effect.effect} after {time_of(effect)}" for effect in metric.effects)
            + f". {gone} have gone.",
        )
        for metric in foreseen.metrics
        if metric.effects
    }


def deployment_report(workspace: Workspace, deployment_id: str, format_: ReportFormat) -> str:
    """Return the report of a deployment's watch: fit to be shared outside the team that works with it.

    Texts in it are cleaned as notices to other teams are: no secrets, persons or internal hosts. Raises
    ``NotFoundError``; ``UsageError`` when ``notices.yaml`` cannot be read.
    """
    view = deployment_view(workspace.log, deployment_id, workspace.clock.now())
    clean = _cleaner(workspace, view)
    report = report_of(cleaned(view.watched, clean), plan_of(view.deployment), forecast_beside(view))
    return write_report(_headline(view, clean), report, format_)


def write_report(headline: Headline, report: WatchReport, format_: ReportFormat) -> str:
    """Return a report as one HTML file, as the picture of its decisive metric, or as JSON.

    Nothing is cleaned here: see `amends.watch.headline.cleaned`.
    """
    if format_ is ReportFormat.SVG:
        return poster(headline, report)
    if format_ is ReportFormat.JSON:
        return (
            json.dumps({**_head_data(headline), **report_data(report)}, ensure_ascii=False, indent=1) + "\n"
        )
    from amends.adapters.watchreport import render_page

    return render_page(headline, report)


def recording_report(name: str, outcome: Outcome, format_: ReportFormat) -> str:
    """Return the report of a recording that was replayed, cleaned as that of a deployment.

    Raises
    ------
    UsageError
        A pair of plain series: it has no looks with rows to draw.
    """
    if not outcome.looks:
        raise UsageError(
            f"{name} gives no looks to draw: {outcome.reason}",
            remedy="a report is made of recorded rows or of a watch that `amends watch export` wrote",
        )
    redactor = Redactor()
    looks = cleaned(outcome.looks, lambda text: redactor.clean(text, "dependants"))
    headline = Headline(
        subject=f"recording {name}", outcome=outcome.decision.value, ended=looks[-1].at,
        sentence=redactor.clean(outcome.reason, "dependants"), began=began_of(looks),
        tone=_OF_REPLAY[outcome.decision],
    )  # fmt: skip
    return write_report(headline, report_of(looks, outcome.plan), format_)


def _cleaner(workspace: Workspace, view: DeploymentView) -> Callable[[str], str]:
    from amends.application.notices.office import redactor_of
    from amends.bootstrap.telling import open_office

    redactor = redactor_of(open_office(workspace), view.facts)
    return lambda text: redactor.clean(text, "dependants")


def _headline(view: DeploymentView, clean: Callable[[str], str]) -> Headline:
    d = view.deployment
    outcome = d.outcome or "under way"
    return Headline(
        subject=f"{d.service} {_short(d.candidate.version)} in {d.environment}",
        outcome=outcome.replace("_", " "),
        sentence=clean(view.why),
        baseline=_short(d.baseline.version) if d.baseline else "",
        tone=_TONES.get(outcome, "block" if d.retreat else "wait"),
        began=began_of(view.watched),
        ended=view.watched[-1].at if view.watched else None,
    )


def _short(version: str) -> str:
    bare = version.removeprefix("sha256:")
    return bare[:10] if len(bare) >= 40 and all(c in "0123456789abcdef" for c in bare) else version


def _head_data(headline: Headline) -> dict[str, object]:
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(headline)
    return data
