"""Reads the ``/metrics`` page of every instance directly; needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx

from amends.adapters.metrics.access import HttpAccess, describe
from amends.adapters.metrics.assembly import counter_readings, gauge_readings, histogram_readings
from amends.adapters.metrics.exposition import Exposition, read_exposition
from amends.errors import MetricsUnavailableError
from amends.watch.measurements import Arm, Arms, Endpoint, MetricKind, MetricSnapshot, Reading
from amends.watch.plan import MetricSpec
from amends.watch.selectors import Selector, parse_selector, resolve

_ACCEPT = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5"
_AT_ONCE = 8


class ScrapeSource:
    """A metric source that asks the instances themselves.

    Parameters
    ----------
    access:
        How they are reached; the time-out is per instance, all are asked at once.
    """

    def __init__(self, access: HttpAccess | None = None) -> None:
        self._client = (access or HttpAccess(timeout_seconds=3.0)).client()

    def read(self, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
        """Read every metric of every instance that answers; the rest is told in ``problems``.

        Raises
        ------
        PolicyError
            If a selector cannot be read.
        """
        wanted = {arm: [_Wanted(s, arms, arm) for s in specs] for arm in Arm}
        asked = [(arm, end) for arm in Arm for end in arms.endpoints(arm)]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            pages = list(pool.map(lambda ask: self._page(ask[1], wanted[ask[0]]), asked))
        readings: list[Reading] = []
        problems: list[str] = []
        unanswered: list[str] = []
        for (arm, end), page in zip(asked, pages, strict=True):
            if isinstance(page, str):
                problems.append(f"{end.name} {page}.")
                unanswered.append(end.name)
                continue
            for want in wanted[arm]:
                try:
                    readings += want.readings(arm, end.name, at, page)
                except MetricsUnavailableError as error:
                    problems.append(f"{want.spec.name}: {end.name}: {error.message}")
        queries = dict.fromkeys(str(s) for arm in Arm for w in wanted[arm] for s in w.selectors)
        return MetricSnapshot(tuple(readings), tuple(problems), tuple(queries), tuple(unanswered))

    def close(self) -> None:
        """Release its connections."""
        self._client.close()

    def _page(self, end: Endpoint, wanted: Sequence[_Wanted]) -> Exposition | str:
        if not end.metrics_url:
            return "has no metrics address"
        try:
            response = self._client.get(end.metrics_url, headers={"Accept": _ACCEPT})
            response.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return describe(error)
        names = {s.name for w in wanted for s in w.selectors}
        try:
            return read_exposition(response.text, names, response.headers.get("content-type", ""))
        except MetricsUnavailableError as error:
            return f"gave a page that is {error.message}"


class _Wanted:
    """One metric's selectors, resolved for one arm."""

    def __init__(self, spec: MetricSpec, arms: Arms, arm: Arm) -> None:
        self.spec = spec
        texts = [spec.histogram] if spec.kind is MetricKind.LATENCY else [spec.events, spec.total]
        found = [parse_selector(resolve(t, arms, arm)) for t in texts if t]
        self.selectors: list[Selector] = [
            s.named(f"{s.name.removesuffix('_bucket')}_bucket") if spec.kind is MetricKind.LATENCY else s
            for s in found
        ]

    def readings(self, arm: Arm, instance: str, at: datetime, page: Exposition) -> list[Reading]:
        selected = [page.select(s) for s in self.selectors]
        if self.spec.kind is MetricKind.LATENCY:
            return histogram_readings(self.spec, arm, instance, at, selected[0], page.started)
        if self.spec.kind is MetricKind.GAUGE:
            return gauge_readings(self.spec, arm, instance, at, selected[0])
        total = selected[1] if len(selected) > 1 else None
        return counter_readings(self.spec, arm, instance, at, selected[0], total, page.started)
