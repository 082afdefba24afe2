"""What an instance's ``/metrics`` page says, for a few metrics only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from amends.errors import MetricsUnavailableError
from amends.watch.selectors import Selector

_LINE_NAME = re.compile(r"^(?:# (?:TYPE|HELP|UNIT) )?([a-zA-Z_:][a-zA-Z0-9_:]*)", re.MULTILINE)
_START = "process_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Series:
    """One labelled number."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """The wanted metrics of one page: series by sample name, and every name that the page declares."""

    series: dict[str, list[Series]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    @property
    def started(self) -> float | None:
        """When the process started, in Unix seconds, if the page says so."""
        found = self.series.get(_START, [])
        return found[0].value if found else None

    def select(self, selector: Selector) -> list[Series]:
        """Return the series that ``selector`` selects; none, where the metric is there and nothing matches.

        Raises
        ------
        MetricsUnavailableError
            If the page has no such metric, or none of its series has a label that the selector needs:
            reading that as "no errors" would take a slip of the pen for health.
        """
        if selector.name not in self.names:
            near = difflib.get_close_matches(selector.name, sorted(self.names), n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else "nothing on the page is spelt like it"
            raise MetricsUnavailableError(f"`{selector}` selects a metric that is not there; {hint}.")
        series = self.series.get(selector.name, [])
        missing = selector.missing_label(s.labels for s in series)
        if missing:
            labels = sorted({name for s in series for name in s.labels}) or ["none"]
            raise MetricsUnavailableError(
                f"`{selector}` can match nothing: {selector.name} has no label {missing!r}; "
                f"its labels are {', '.join(labels)}."
            )
        return [s for s in series if selector.matches(s.labels)]


def read_exposition(text: str, wanted: Collection[str], content_type: str = "") -> Exposition:
    """Read a page in Prometheus' text format or, where ``content_type`` says so, OpenMetrics.

    Only samples named in ``wanted`` (and the process's start) are parsed: a page may hold thousands of
    others.

    Raises
    ------
    MetricsUnavailableError
        If a wanted line is not in the format.
    """
    keep = {*wanted, _START}
    openmetrics = "openmetrics" in content_type
    families_kept = _with_families(keep)
    lines = [line for line in text.splitlines() if _name(line) in families_kept]
    body = "\n".join([*lines, "# EOF" if openmetrics else "", ""])
    try:
        families: Iterable[Metric] = list((parse_openmetrics if openmetrics else parse_text)(body))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise MetricsUnavailableError(f"not in Prometheus' text format: {error}") from error
    series: dict[str, list[Series]] = {}
    for family in families:
        for sample in family.samples:
            if sample.name in keep:
                series.setdefault(sample.name, []).append(Series(dict(sample.labels), float(sample.value)))
    return Exposition(series, _names(text))


def _name(line: str) -> str:
    match = _LINE_NAME.match(line)
    return match.group(1) if match else ""


def _with_families(names: Iterable[str]) -> frozenset[str]:
    """Return the names together with those that their ``# TYPE`` lines may carry."""
    families = {n.removesuffix(s) for n in names for s in ("_total", "_bucket")}
    return frozenset(names) | families


def _names(text: str) -> frozenset[str]:
    """Return every sample name that the page has or declares (a declared counter may have no series yet)."""
    found = set(_LINE_NAME.findall(text))
    for name, kind in re.findall(r"^# TYPE (\S+) (counter|histogram)", text, re.MULTILINE):
        found |= {f"{name}_bucket"} if kind == "histogram" else {f"{name.removesuffix('_total')}_total"}
    return frozenset(found)
