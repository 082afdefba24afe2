"""What a watch looks for, and how sure it has to be: the policy's ``watch`` part, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from amends.errors import PolicyError
from amends.stats.group_sequential import Spending
from amends.watch.measurements import MetricKind


class Direction(StrEnum):
    """Which way a metric gets worse."""

    HIGHER = "higher"
    LOWER = "lower"
    BOTH = "both"


class Mode(StrEnum):
    """When a watch may decide on events."""

    ALWAYS = "always"  # at every look
    GROUP_SEQUENTIAL = "group_sequential"  # at a few preset ones, with more power where there is little


class OnInconclusive(StrEnum):
    """What happens at the end of a step that showed neither harm nor health."""

    ASK = "ask"
    EXTEND = "extend"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Limit:
    """A line that the team drew for the candidate, whatever the baseline does.

    Broken when, over a run of at least ``min_requests`` requests of the candidate, the ratio (or events per
    exposure, or a gauge's mean) is above ``above`` or below ``below``. For a latency, ``quantile`` of the
    requests must be at or under ``above``: broken when fewer are.
    """

    above: float | None = None
    below: float | None = None
    min_requests: int = 200
    quantile: float = 0.99

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise PolicyError(
                "a limit has neither `above` nor `below`.", remedy="Give one, for example `above: 0.2`."
            )
        if not 0 < self.quantile < 1:
            raise PolicyError(
                f"quantile is {self.quantile}; it lies between 0 and 1.", remedy="For p99 write 0.99."
            )


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric to watch.

    Parameters
    ----------
    events, total:
        Selectors (or queries) of the counters for ``RATIO`` and ``COUNT``; ``events`` alone for a ``GAUGE``.
    histogram:
        Selector of the histogram's base name for ``LATENCY``, without ``_bucket``.
    smallest_effect:
        The ratio that begins to matter. For ratios and counts: candidate's rate over baseline's, 1.5. For a
        gauge: of the levels, 1.2. For a latency: the odds that a request of the candidate is slower than
        one of the baseline, 1.1 (52.4 of 100 pairs); besides, half as many slow requests again beyond the
        baseline's p90 to p99.9 always matter.
    margin:
        At a step's end the effect's upper confidence bound (the lower one's inverse, where lower is worse)
        must not exceed this. In the same unit as ``smallest_effect``; 2 by default.
    negligible:
        A difference of rates that nobody minds, one percentage point by default: a service with no errors at
        all has no ratio, and could otherwise never be promoted. Ratios only.
    limit:
        An absolute line; see `Limit`.
    segment:
        A label that splits traffic into parts compared with their like only. Empty: none.
    dispersion:
        Fano factor of the counts between two equal arms: what the evidence is divided by. A number holds
        throughout, 1 for independent requests. ``"estimated"``: from how the baseline's instances differ
        among themselves, in this watch and in the service's former ones. ``"auto"``: 1 until that rules out
        1, then estimated. Other than 1, the guarantee is approximate.
    """

    name: str
    kind: MetricKind = MetricKind.RATIO
    events: str = ""
    total: str = ""
    histogram: str = ""
    direction: Direction = Direction.HIGHER
    smallest_effect: float | None = None
    margin: float = 2.0
    negligible: float = 0.01
    limit: Limit | None = None
    segment: str = ""
    dispersion: float | Literal["auto", "estimated"] = "auto"

    def __post_init__(self) -> None:
        needed = {MetricKind.RATIO: ("events", "total"), MetricKind.LATENCY: ("histogram",)}
        for field in needed.get(self.kind, ("events",)):
            if not getattr(self, field):
                raise PolicyError(
                    f"metric {self.name!r} is a {self.kind} and has no `{field}`.",
                    remedy=f'Add `{field}:` with a selector such as http_requests_total{{code=~"5.."}}.',
                )
        fixed = self.dispersion if isinstance(self.dispersion, float | int) else 1.0
        if self.effect_that_matters < 1 or self.margin <= 1 or fixed < 1:
            raise PolicyError(
                f"metric {self.name!r}: smallest_effect {self.effect_that_matters}, margin {self.margin}, "
                f"dispersion {self.dispersion}; the first and last are at least 1, the margin above 1.",
                remedy="They are ratios: 1.5 means half as much again.",
            )

    @property
    def effect_that_matters(self) -> float:
        """The smallest effect, with the kind's default where the policy gives none."""
        if self.smallest_effect is not None:
            return self.smallest_effect
        return {MetricKind.LATENCY: 1.1, MetricKind.GAUGE: 1.2}.get(self.kind, 1.5)


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """How a whole deployment is watched.

    Parameters
    ----------
    alpha:
        The probability, over the *whole* watch and all metrics together, of rolling back a release that is no
        worse. Looked at as often as you like.
    min_requests:
        Requests that each arm must have served in a step before it may end in a promotion.
    min_events:
        Events (errors) on both arms together before a ratio or count may roll back.
    warmup_seconds:
        Start of the watch during which nothing is compared (caches, compilers). Limits and a dead candidate
        still roll back. An instance that starts later is compared after as long.
    max_gap_seconds:
        After a longer pause without readings of both arms, counting starts afresh instead of comparing what
        happened unseen in between.
    mode, looks, spending:
        ``GROUP_SEQUENTIAL`` tests ratios and counts at so many looks only, evenly over ``planned_seconds``,
        and spends alpha by then as ``spending`` says. Latencies are tested at every look in either mode.
    planned_seconds:
        How long the rollout compares in all. Gauges are compared at a third, two thirds and the end of it.
        Where it is 0 nothing can be preset: every ratio and count is tested always, and no gauge at all.
    """

    metrics: tuple[MetricSpec, ...] = ()
    alpha: float = 0.01
    min_requests: int = 100
    min_events: int = 3
    warmup_seconds: float = 0.0
    max_gap_seconds: float = 120.0
    on_inconclusive: OnInconclusive = OnInconclusive.ASK
    mode: Mode = Mode.ALWAYS
    looks: int = 4
    spending: Spending = Spending.OBRIEN_FLEMING
    planned_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.looks < 1:
            raise PolicyError(f"looks is {self.looks}; it is at least 1.", remedy="Write 4.")
        if not 0 < self.alpha < 1:
            raise PolicyError(
                f"alpha is {self.alpha}; it lies between 0 and 1.", remedy="Write 0.01 for one in a hundred."
            )
        names = [m.name for m in self.metrics]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise PolicyError(
                f"metric {twice[0]!r} is listed twice.", remedy="Give each metric its own name."
            )
