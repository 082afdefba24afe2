"""From the pages of many instances to readings: shared by what fetches pages and what is sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from amends.adapters.metrics.assembly import counter_readings, gauge_readings, histogram_readings
from amends.adapters.metrics.exposition import Exposition, Matched, read_exposition
from amends.errors import MetricsUnavailableError
from amends.watch.measurements import Arm, Arms, MetricKind, MetricSnapshot, Reading
from amends.watch.plan import MetricSpec
from amends.watch.selectors import Selector, parse_selector, resolve


@dataclass(frozen=True, slots=True)
class Page:
    """What one instance of an arm answered; ``trouble`` says in a few words why there is nothing.

    ``content_type`` tells OpenMetrics from Prometheus' text format. ``at`` is when the page was taken, where
    that was before the moment of reading.
    """

    arm: Arm
    instance: str
    text: str = ""
    content_type: str = ""
    trouble: str = ""
    at: datetime | None = None


class PageReader:
    """Reads some metrics from pages; selectors are read once for all of them.

    Raises
    ------
    PolicyError
        If a selector cannot be read as one.
    """

    def __init__(self, specs: Sequence[MetricSpec], arms: Arms) -> None:
        self._wanted = {arm: [_Wanted(s, arms, arm) for s in specs] for arm in Arm}
        self._names = {
            arm: frozenset(s.name for w in wanted for s in w.selectors)
            for arm, wanted in self._wanted.items()
        }

    def read(self, pages: Iterable[Page], at: datetime) -> MetricSnapshot:
        """Return every metric of every page that could be read; the rest is told in ``problems``."""
        readings: list[Reading] = []
        problems: list[str] = []
        unanswered: list[str] = []
        for page in pages:
            try:
                found = self._parse(page)
            except MetricsUnavailableError as error:
                problems.append(f"{page.instance} {error.message}.")
                unanswered.append(page.instance)
                continue
            for want in self._wanted[page.arm]:
                try:
                    readings += want.readings(page, page.at or at, found)
                except MetricsUnavailableError as error:
                    problems.append(f"{want.spec.name}: {page.instance}: {error.message}")
        queries = dict.fromkeys(str(s) for arm in Arm for w in self._wanted[arm] for s in w.selectors)
        return MetricSnapshot(tuple(readings), tuple(problems), tuple(queries), tuple(unanswered))

    def _parse(self, page: Page) -> Exposition:
        if page.trouble:
            raise MetricsUnavailableError(page.trouble)
        try:
            return read_exposition(page.text, self._names[page.arm], page.content_type)
        except MetricsUnavailableError as error:
            raise MetricsUnavailableError(f"gave a page that is {error.message}") from error


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
        self._known: list[Matched] = [{} for _ in self.selectors]

    def readings(self, page: Page, at: datetime, found: Exposition) -> list[Reading]:
        selected = [found.select(s, known) for s, known in zip(self.selectors, self._known, strict=True)]
        if self.spec.kind is MetricKind.LATENCY:
            return histogram_readings(self.spec, page.arm, page.instance, at, selected[0], found.started)
        if self.spec.kind is MetricKind.GAUGE:
            return gauge_readings(self.spec, page.arm, page.instance, at, selected[0])
        total = selected[1] if len(selected) > 1 else None
        return counter_readings(self.spec, page.arm, page.instance, at, selected[0], total, found.started)
