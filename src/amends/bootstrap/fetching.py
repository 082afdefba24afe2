"""Reading a watch's past from Prometheus: for a replay, or for what happened while nobody looked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from amends.errors import MetricsUnavailableError, UsageError

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.watch.measurements import Reading
    from amends.watch.tabulated import TableRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whose metrics, and of which time. ``plan`` is a policy's snapshot; its ``watch`` says what is read."""

    service: str
    environment: str
    baseline: str
    candidate: str
    begin: datetime
    end: datetime
    plan: Mapping[str, Any] = field(repr=False)


def span_of(
    workspace: Workspace, deployment: str, *, begin: datetime | None = None, end: datetime | None = None
) -> Span:
    """Return the span of a deployment's watch: from its start to its end, or to now.

    Raises
    ------
    NotFoundError
        The log has no such deployment.
    UsageError
        It had no release to compare with.
    """
    from amends.application.deployments import find_deployment

    d = find_deployment(workspace.log, deployment)
    if d.baseline is None:
        raise UsageError(
            f"{deployment} brought the first release; there was none to compare it with",
            remedy="name another deployment, or both versions with --baseline and --candidate",
        )
    return Span(
        service=d.service, environment=d.environment, baseline=d.baseline.version,
        candidate=d.candidate.version, begin=begin or d.started_at or d.requested_at,
        end=end or d.finished_at or workspace.clock.now(), plan=d.plan,
    )  # fmt: skip


def fetch_rows(workspace: Workspace, span: Span, interval: float = 0.0) -> tuple[list[TableRow], list[str]]:
    """Return what both sides did in each tick of ``interval`` seconds (the policy's), and what was not there.

    Raises
    ------
    UsageError
        The policy watches no metric, reads them elsewhere than at Prometheus, or the span is empty.
    MetricsUnavailableError
        Prometheus gave nothing at all.
    """
    from amends.adapters.metrics.prometheus import PrometheusSource
    from amends.bootstrap.carrying import metric_source
    from amends.watch.measurements import Arms
    from amends.watch.tabulated import rows_between
    from amends.workflows.watching import watch_plan

    plan = watch_plan(span.plan)
    said = dict(span.plan.get("watch") or {})
    step = interval or float(said.get("interval", 10.0))
    _check(span, bool(plan.metrics), step)
    source = metric_source(said.get("source") or {}, workspace.settings, workspace.opened.pushes)
    if not isinstance(source, PrometheusSource):
        source.close()
        raise UsageError(
            f"the policy of {span.service} does not read its metrics at Prometheus; nothing else keeps them",
            remedy="set `source: {prometheus: {url: …}}` under `watch`, or record with `amends watch export`",
        )
    problems: dict[str, int] = {}
    arms = Arms(
        span.service, span.environment, baseline_version=span.baseline, candidate_version=span.candidate
    )

    def looks() -> Iterator[tuple[datetime, tuple[Reading, ...]]]:
        for at, snapshot in source.read_range(plan.metrics, arms, span.begin, span.end, step):
            for problem in snapshot.problems:
                problems[problem] = problems.get(problem, 0) + 1
            yield at, snapshot.readings

    try:
        rows = list(rows_between(looks(), step, plan.max_gap_seconds))
    finally:
        source.close()
    told = [f"{problem} ({count} times)" for problem, count in problems.items()]
    if not rows:
        why = "; ".join(told[:3]) or "no counter was read twice"
        raise MetricsUnavailableError(f"Prometheus has nothing to compare in this time: {why}")
    return rows, told


def _check(span: Span, watched: bool, step: float) -> None:
    if not watched:
        raise UsageError(
            f"the policy of {span.service} watches no metric",
            remedy="list metrics under `watch` in the policy",
        )
    seconds = (span.end - span.begin).total_seconds()
    if step <= 0 or seconds < step:
        raise UsageError(
            f"found {seconds:g} s at {step:g} s a tick; at least one tick is needed",
            remedy="give an earlier --since, a later --until, or a shorter --interval",
        )
