"""What a metric source reads: cumulative readings of single instances, in two arms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric counts, and with it how two arms are compared."""

    RATIO = "ratio"  # events among requests (5xx of all); an event belongs to at most one request
    COUNT = "count"  # events for an exposure that they may exceed (retries per request, restarts per hour)
    LATENCY = "latency"  # a histogram with cumulative buckets
    GAUGE = "gauge"  # a level (memory, queue length); compared by instances, its readings are not independent


class Arm(StrEnum):
    """The two sides of a watch: what ran before, and what is being rolled out."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric of one instance at one moment, cumulative since that instance started.

    Parameters
    ----------
    at:
        When the source read it, by the reader's clock. Clocks of instances are never compared.
    value:
        Events so far (``RATIO``, ``COUNT``), sum of the observed values (``LATENCY``) or level (``GAUGE``).
    exposure:
        Requests so far; the ``+Inf`` bucket of a histogram. ``None`` for a count without a total: then
        the time that passed is the exposure, in seconds.
    buckets:
        Pairs of a *finite* upper bound and the cumulative count at it, ascending (``LATENCY``).
    started:
        When the instance's process started, in Unix seconds, if it says so: a restart is then seen even where
        the new counter has already overtaken the old one.
    segment:
        A part of the traffic that is compared with its like only (a region, a client). Empty: all of it.
    """

    arm: Arm
    instance: str
    metric: str
    kind: MetricKind
    at: datetime
    value: float = 0.0
    exposure: float | None = None
    buckets: tuple[tuple[float, float], ...] = ()
    started: float | None = None
    segment: str = ""

    def numbers(self) -> tuple[float, ...]:
        """Return everything in it that only ever grows while its process lives."""
        grown = () if self.kind is MetricKind.LATENCY else (self.value,)
        exposure = () if self.exposure is None else (self.exposure,)
        return grown + exposure + tuple(count for _, count in self.buckets)

    def is_usable(self) -> bool:
        """Say whether every number is finite and none is negative (a gauge may be)."""
        numbers = self.numbers()
        if not all(math.isfinite(n) for n in numbers):
            return False
        return self.kind is MetricKind.GAUGE or all(n >= 0 for n in numbers)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An instance as a metric source needs it: its name and where its exposition is."""

    name: str
    metrics_url: str = ""


@dataclass(frozen=True, slots=True)
class Arms:
    """Whom to read: the instances and versions of both sides in one environment."""

    service: str
    environment: str
    baseline: tuple[Endpoint, ...] = ()
    candidate: tuple[Endpoint, ...] = ()
    baseline_version: str = ""
    candidate_version: str = ""

    def version(self, arm: Arm) -> str:
        """Return the version that runs on ``arm``."""
        return self.baseline_version if arm is Arm.BASELINE else self.candidate_version

    def endpoints(self, arm: Arm) -> tuple[Endpoint, ...]:
        """Return the instances of ``arm``."""
        return self.baseline if arm is Arm.BASELINE else self.candidate


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: labels and value of each series, as they came.

    ``left_out`` counts series that are not kept, ``digest`` is the SHA-256 of the whole response.
    """

    query: str
    series: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class MetricSnapshot:
    """What a source could read at one moment.

    ``problems`` are sentences about what it could not; ``queries`` are the resolved selectors or queries,
    kept with the verdict, ``answers`` what a query API gave for them; ``unanswered`` names the endpoints that
    gave no answer at all.
    """

    readings: tuple[Reading, ...] = ()
    problems: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
