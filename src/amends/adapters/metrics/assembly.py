"""From labelled series to readings: the part that every source shares."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from amends.adapters.metrics.exposition import Series
from amends.errors import MetricsUnavailableError
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.plan import MetricSpec


def counter_readings(
    spec: MetricSpec,
    arm: Arm,
    instance: str,
    at: datetime,
    events: Iterable[Series],
    total: Iterable[Series] | None,
    started: float | None = None,
) -> list[Reading]:
    """Return one reading per segment from an instance's counters. Without ``total``, time is the exposure."""
    counted = _by_segment(spec, events)
    exposed = _by_segment(spec, total) if total is not None else None
    segments = sorted({*counted, *(exposed or {})} or {""})
    return [
        Reading(
            arm,
            instance,
            spec.name,
            spec.kind,
            at,
            counted.get(segment, 0.0),
            None if exposed is None else exposed.get(segment, 0.0),
            started=started,
            segment=segment,
        )
        for segment in segments
    ]


def gauge_readings(
    spec: MetricSpec, arm: Arm, instance: str, at: datetime, series: Iterable[Series]
) -> list[Reading]:
    """Return a gauge's level, summed over its series; nothing where there are none."""
    found = list(series)
    if not found:
        return []
    level = sum(s.value for s in found)
    return [Reading(arm, instance, spec.name, MetricKind.GAUGE, at, level)]


def histogram_readings(
    spec: MetricSpec,
    arm: Arm,
    instance: str,
    at: datetime,
    buckets: Iterable[Series],
    started: float | None = None,
) -> list[Reading]:
    """Return one reading per segment from an instance's cumulative buckets, summed over other labels.

    Raises
    ------
    MetricsUnavailableError
        If a bucket has no bound, or a segment no ``+Inf`` bucket.
    """
    sums: dict[str, dict[float, float]] = {}
    for series in buckets:
        bound = _bound(spec, series)
        counts = sums.setdefault(series.labels.get(spec.segment, "") if spec.segment else "", {})
        counts[bound] = counts.get(bound, 0.0) + series.value
    readings = []
    for segment, counts in sorted((sums or {"": {math.inf: 0.0}}).items()):
        if math.inf not in counts:
            raise MetricsUnavailableError(f'the histogram `{spec.histogram}` has no bucket le="+Inf".')
        finite = tuple((b, counts[b]) for b in sorted(counts) if b != math.inf)
        readings.append(
            Reading(
                arm,
                instance,
                spec.name,
                spec.kind,
                at,
                exposure=counts[math.inf],
                buckets=finite,
                started=started,
                segment=segment,
            )
        )
    return readings


def _bound(spec: MetricSpec, series: Series) -> float:
    try:
        return float(series.labels["le"])
    except (KeyError, ValueError):
        raise MetricsUnavailableError(
            f"`{spec.histogram}` is not a classic histogram: a bucket's le is {series.labels.get('le')!r}."
        ) from None


def _by_segment(spec: MetricSpec, series: Iterable[Series]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in series:
        segment = one.labels.get(spec.segment, "") if spec.segment else ""
        sums[segment] = sums.get(segment, 0.0) + one.value
    return sums
