"""A watch as people read it: pictures, each with its table, and how it was judged. Made of looks alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from amends.watch import charts, wording
from amends.watch.assessment import Effect, MetricRow
from amends.watch.charts import Picture
from amends.watch.distribution import distribution_chart, slower_shares, with_buckets
from amends.watch.looks import Look, Seen, metrics_of, thin
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.plotting import say_span

TABLE_ROWS = 12
"""As many looks a table has; all of them are in the JSON."""
_LN10 = 2.302585092994046


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand at the right."""

    title: str
    number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A picture's numbers. ``events`` are those of the log that hold each row, where there are such."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    events: tuple[str, ...] = ()
    looks: int = 0

    @property
    def left_out(self) -> int:
        """How many looks the table does not show."""
        return max(0, self.looks - len(self.rows))


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric: its last row, pictures, their numbers, and sentences that stand ``beside`` them."""

    name: str
    last: MetricRow
    pictures: tuple[Picture, ...]
    table: Table
    distribution: Table | None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchReport:
    """A whole watch. ``joint`` is ``None`` where the looks did not record the evidence of all metrics."""

    looks: tuple[Look, ...]
    joint: Picture | None
    joint_table: Table | None
    metrics: tuple[MetricReport, ...]
    judged: Table | None
    alpha: float | None

    @property
    def last(self) -> Look | None:
        return self.looks[-1] if self.looks else None


def report_of(
    looks: Sequence[Look],
    plan: WatchPlan | None = None,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> WatchReport:
    """Draw and tabulate a watch from its looks, oldest first.

    With the ``plan`` the smallest effects and margins are drawn, too. ``beside`` are sentences for a metric,
    by its name: what was forecast for it, how far its guarantee goes. Without looks everything is empty.
    """
    found = metrics_of(looks)
    specs = {spec.name: spec for spec in plan.metrics} if plan else {}
    alone = len(found) == 1
    return WatchReport(
        looks=tuple(looks),
        joint=None if alone else charts.joint_chart(looks),
        joint_table=None if alone else _joint_table(looks),
        metrics=tuple(
            _metric(seen, specs.get(name), tuple((beside or {}).get(name, ())), alone=alone)
            for name, seen in found.items()
        ),
        judged=_judged(plan) if plan and plan.metrics else None,
        alpha=plan.alpha if plan else None,
    )


def decisive(report: WatchReport) -> MetricReport | None:
    """Return the metric that the verdict is about: one that moved or is blocked, else the strongest."""
    if not report.metrics or report.last is None:
        return None
    moved = report.last.moved
    compared = [m for m in report.metrics if m.last.kind is not MetricKind.GAUGE] or list(report.metrics)
    return max(compared, key=lambda m: (m.last.decision == "block", m.name in moved, m.last.log_evidence))


def report_data(report: WatchReport) -> dict[str, Any]:
    """Return a report as JSON values: every look with every row, and how it was judged.

    The states of the watch are not in it. ``log_evidence`` and ``log_threshold`` are natural logarithms.
    """
    return {
        "alpha": report.alpha,
        "judged": [dict(zip(("metric", *_JUDGED), row, strict=True)) for row in report.judged.rows]
        if report.judged
        else [],
        "looks": [_look_data(look) for look in report.looks],
    }


def _look_data(look: Look) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(look)
    data["metrics"] = data.pop("rows")
    data.pop("event")
    return data


def _metric(
    seen: Sequence[Seen], spec: MetricSpec | None, beside: tuple[str, ...], *, alone: bool
) -> MetricReport:
    last = seen[-1].row
    drawn = [
        charts.evidence_chart(seen, alone=alone) if _tested(seen) else None,
        charts.rates_chart(seen),
        charts.effect_chart(seen, spec),
        distribution_chart(seen),
    ]
    return MetricReport(
        name=last.metric, last=last, pictures=tuple(one for one in drawn if one), table=_metric_table(seen),
        distribution=_distribution(seen), beside=(*beside, *_guarantee(last)),
    )  # fmt: skip


def _guarantee(row: MetricRow) -> tuple[str, ...]:
    return (f"Guarantee: {row.trust.sentence}.",) if row.trust.sentence else ()


def _tested(seen: Sequence[Seen]) -> bool:
    """Say whether a metric was tested at all: a level may only be held to its limit."""
    return seen[-1].row.kind is not MetricKind.GAUGE or any(one.row.log_evidence for one in seen)


def _joint_table(looks: Sequence[Look]) -> Table | None:
    told = [look for look in looks if look.log_evidence is not None]
    if not told:
        return None
    shown = list(reversed(thin(told, TABLE_ROWS)))
    return Table(
        "all metrics together",
        (Column("After"), Column("Step"), Column("Evidence"), Column("Line"), Column("Moved", number=False)),
        tuple(
            (
                say_span(k.elapsed), str(k.step), _odds(k.log_evidence), _odds(k.log_threshold),
                ", ".join(k.moved) or "–",
            )
            for k in shown
        ),
        tuple(k.event for k in shown),
        len(told),
    )  # fmt: skip


def _metric_table(seen: Sequence[Seen]) -> Table:
    shown = list(reversed(thin(seen, TABLE_ROWS)))
    last = seen[-1].row
    what = "p99" if last.kind is MetricKind.LATENCY else "level" if last.kind is MetricKind.GAUGE else "rate"
    titles = (
        "After", "Step", "Evidence", "Line", f"Baseline {what}", f"Candidate {what}", "Effect", "At least",
        "At most", "Readings" if last.kind is MetricKind.GAUGE else "Requests",
    )  # fmt: skip
    return Table(
        last.metric, tuple(Column(title) for title in titles), tuple(_cells(one) for one in shown),
        tuple(one.look.event for one in shown), len(seen),
    )  # fmt: skip


def _cells(one: Seen) -> tuple[str, ...]:
    row = one.row
    effect = row.effect
    return (
        say_span(one.look.elapsed), str(one.look.step), _odds(row.log_evidence), _odds(row.log_threshold),
        charts.say_level(row, row.baseline), charts.say_level(row, row.candidate), _times(effect.estimate),
        _bound(effect, effect.lower), _bound(effect, effect.upper),
        wording.number(row.baseline.exposure + row.candidate.exposure),
    )  # fmt: skip


def _odds(log_evidence: float | None) -> str:
    return "–" if log_evidence is None else charts.say_odds(log_evidence / _LN10)


def _times(value: float | None) -> str:
    return "–" if value is None else f"×{value:.3g}"


def _bound(effect: Effect, value: float | None) -> str:
    if value is None and (effect.estimate, effect.lower, effect.upper) != (None, None, None):
        return "open"
    return _times(value)


def _distribution(seen: Sequence[Seen]) -> Table | None:
    row = with_buckets(seen)
    if row is None:
        return None
    theirs, ours = (dict(slower_shares(arm)) for arm in (row.baseline, row.candidate))
    rows = [(f"> {bound:g}", _share(theirs.get(bound)), _share(share)) for bound, share in ours.items()]
    named = [
        (name, _value(getattr(row.baseline, name)), _value(getattr(row.candidate, name)))
        for name in ("p50", "p99")
    ]
    served = ("requests", *(wording.number(arm.exposure) for arm in (row.baseline, row.candidate)))
    return Table(
        f"distribution of {row.metric}",
        (Column("Took", number=False), Column("Baseline"), Column("Candidate")), (*rows, *named, served),
    )  # fmt: skip


def _share(share: float | None) -> str:
    return "–" if share is None else wording.percent(share)


def _value(value: float | None) -> str:
    return "beyond the last bucket" if value is None else f"{value:.3g}"


_JUDGED = ("kind", "worse", "smallest_effect", "margin", "limit")


def _judged(plan: WatchPlan) -> Table:
    columns = ("Metric", "Kind", "Worse is", "Smallest effect", "Margin", "Limit")
    return Table(
        "how it was judged",
        tuple(Column(title, number=False) for title in columns),
        tuple(_spec_cells(spec) for spec in plan.metrics),
    )


def _spec_cells(spec: MetricSpec) -> tuple[str, ...]:
    level = spec.kind is MetricKind.GAUGE
    return (
        spec.name, spec.kind.value, "either" if spec.direction is Direction.BOTH else spec.direction.value,
        "–" if level else f"×{spec.effect_that_matters:g}", "–" if level else f"×{spec.margin:g}",
        _limit(spec),
    )  # fmt: skip


def _limit(spec: MetricSpec) -> str:
    if spec.limit is None:
        return "none"
    above, below = spec.limit.above, spec.limit.below
    if spec.kind is MetricKind.LATENCY and above is not None:
        return f"{wording.percent(spec.limit.quantile)} within {above:g}"
    sides = [f"at most {above:g}"] if above is not None else []
    sides += [f"at least {below:g}"] if below is not None else []
    return " and ".join(sides)
