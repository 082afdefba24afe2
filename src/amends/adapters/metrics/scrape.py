"""Reads the ``/metrics`` page of every instance directly; needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx

from amends.adapters.metrics.access import HttpAccess, describe
from amends.adapters.metrics.pages import Page, PageReader
from amends.watch.measurements import Arm, Arms, Endpoint, MetricSnapshot
from amends.watch.plan import MetricSpec

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
        reader = PageReader(specs, arms)
        asked = [(arm, end) for arm in Arm for end in arms.endpoints(arm)]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            pages = list(pool.map(lambda ask: self._page(*ask), asked))
        return reader.read(pages, at)

    def close(self) -> None:
        """Release its connections."""
        self._client.close()

    def _page(self, arm: Arm, end: Endpoint) -> Page:
        if not end.metrics_url:
            return Page(arm, end.name, trouble="has no metrics address")
        try:
            response = self._client.get(end.metrics_url, headers={"Accept": _ACCEPT})
            response.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Page(arm, end.name, trouble=describe(error))
        return Page(arm, end.name, response.text, response.headers.get("content-type", ""))
