"""Asks a Prometheus server (or anything with its query API) with instant queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
import msgspec

from amends.adapters.metrics.access import HttpAccess, describe
from amends.adapters.metrics.assembly import counter_readings, gauge_readings, histogram_readings
from amends.adapters.metrics.exposition import Series
from amends.errors import MetricsUnavailableError, PolicyError
from amends.watch.measurements import Arm, Arms, MetricKind, MetricSnapshot, Reading
from amends.watch.plan import MetricSpec
from amends.watch.selectors import Selector, parse_selector, resolve


class PrometheusSource:
    """A metric source behind the query API.

    Selectors tell the arms apart by ``$version`` (or another label). A selector may also be any PromQL
    expression that gives *cumulative* counters, such as ``sum by (instance, code) (…)``; never a rate.

    Parameters
    ----------
    url:
        Base address, without ``/api/v1``.
    access:
        Certificates, headers, credentials, time-out per query.
    instance_label:
        The label that tells processes apart: counters of one process fall together when it restarts.
    """

    def __init__(self, url: str, access: HttpAccess | None = None, instance_label: str = "instance") -> None:
        self._url = f"{url.rstrip('/')}/api/v1/query"
        self._client = (access or HttpAccess()).client()
        self._instance_label = instance_label

    def read(self, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
        """Read every metric of both arms as of ``at``; what the server does not have is told in ``problems``.

        Raises
        ------
        PolicyError
            If a selector names an unknown variable, or a histogram's is not a plain selector.
        """
        readings: list[Reading] = []
        problems: list[str] = []
        queries: list[str] = []
        for spec in specs:
            for arm in Arm:
                asked = _Question(self, spec, arms, arm, at)
                try:
                    readings += asked.readings()
                except MetricsUnavailableError as error:
                    problems.append(f"{spec.name}: {arm}: {error.message}")
                queries += asked.queries
        return MetricSnapshot(tuple(readings), tuple(problems), tuple(dict.fromkeys(queries)))

    def close(self) -> None:
        """Release its connections."""
        self._client.close()

    def ask(self, query: str, at: datetime) -> list[Series]:
        """Return the instant vector that ``query`` gives at ``at``.

        Raises
        ------
        MetricsUnavailableError
            If the server cannot be reached, refuses the query, or answers with something else.
        """
        try:
            response = self._client.post(self._url, data={"query": query, "time": str(at.timestamp())})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MetricsUnavailableError(f"Prometheus {describe(error)}.") from error
        try:
            answer: Any = msgspec.json.decode(response.content)
            if answer["status"] != "success":
                raise MetricsUnavailableError(f"Prometheus refused `{query}`: {answer['error']}.")
            data = answer["data"]
            if data["resultType"] != "vector":
                kind = data["resultType"]
                raise MetricsUnavailableError(f"`{query}` gives a {kind}; an instant vector is needed.")
            return [Series(dict(s["metric"]), float(s["value"][1])) for s in data["result"]]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise MetricsUnavailableError(
                f"Prometheus answered {response.status_code}, and not in the form of its query API."
            ) from error

    def by_instance(self, series: Sequence[Series]) -> dict[str, list[Series]]:
        """Return series by the process that they belong to."""
        found: dict[str, list[Series]] = {}
        for one in series:
            found.setdefault(one.labels.get(self._instance_label, ""), []).append(one)
        return found


class _Question:
    """One metric of one arm: its resolved queries and what the server says to them."""

    def __init__(
        self, source: PrometheusSource, spec: MetricSpec, arms: Arms, arm: Arm, at: datetime
    ) -> None:
        self.source, self.spec, self.arms, self.arm, self.at = source, spec, arms, arm, at
        self.queries: list[str] = []

    def readings(self) -> list[Reading]:
        if self.spec.kind is MetricKind.LATENCY:
            return self._histogram()
        if self.spec.kind is MetricKind.GAUGE:
            found = self._instances(self._ask(self.spec.events))
            return [r for i, s in found.items() for r in gauge_readings(self.spec, self.arm, i, self.at, s)]
        return self._counter()

    def _ask(self, text: str) -> list[Series]:
        query = resolve(text, self.arms, self.arm)
        self.queries.append(query)
        return self.source.ask(query, self.at)

    def _instances(self, series: Sequence[Series]) -> dict[str, list[Series]]:
        return self.source.by_instance(series)

    def _histogram(self) -> list[Reading]:
        selector = parse_selector(resolve(self.spec.histogram, self.arms, self.arm))
        bucket = selector.named(f"{selector.name.removesuffix('_bucket')}_bucket")
        self.queries.append(str(bucket))
        found = self.source.ask(str(bucket), self.at)
        if not found:
            self._explain(bucket)
        return [
            r
            for i, s in self._instances(found).items()
            for r in histogram_readings(self.spec, self.arm, i, self.at, s)
        ]

    def _counter(self) -> list[Reading]:
        events = self._instances(self._ask(self.spec.events))
        total = self._instances(self._ask(self.spec.total)) if self.spec.total else None
        if not events:
            self._explain(_plain(resolve(self.spec.events, self.arms, self.arm)))
        if total == {}:
            self._explain(_plain(resolve(self.spec.total, self.arms, self.arm)))
        instances: Mapping[str, list[Series]] = events if total is None else {**total, **events}
        return [
            reading
            for instance in sorted(instances)
            for reading in counter_readings(
                self.spec,
                self.arm,
                instance,
                self.at,
                events.get(instance, []),
                None if total is None else total.get(instance, []),
            )
        ]

    def _explain(self, selector: Selector | None) -> None:
        """Raise unless the server knows the metric and every label that the selector needs.

        Only then does an empty answer mean that nothing happened.
        """
        if selector is None:
            raise MetricsUnavailableError(
                f"`{self.queries[-1]}` gives nothing; an expression has to give 0 where nothing happened."
            )
        needed = sorted({m.label for m in selector.matchers if m.needs_label})
        by = f" by ({', '.join(needed)})" if needed else ""
        series = self.source.ask(f"group{by} ({selector.name})", self.at)
        if not series:
            raise MetricsUnavailableError(f"Prometheus has no metric `{selector.name}` (`{selector}`).")
        missing = selector.missing_label(s.labels for s in series)
        if missing:
            raise MetricsUnavailableError(
                f"`{selector}` can match nothing: {selector.name} has no label {missing!r}."
            )


def _plain(text: str) -> Selector | None:
    try:
        return parse_selector(text)
    except PolicyError:
        return None
