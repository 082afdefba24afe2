"""What an instance's ``/metrics`` page says, for a few metrics only.

A page is read in one pass of one regular expression, which takes well-formed lines of the wanted names. As
soon as a wanted line is anything else, the page goes to prometheus-client's parser, which knows every corner
of the format and says what is wrong with it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from amends.errors import MetricsUnavailableError
from amends.watch.selectors import Selector

_LINE_NAME = re.compile(r"^[ \t]*(?:# (?:TYPE|HELP|UNIT) )?([a-zA-Z_:][a-zA-Z0-9_:]*)", re.MULTILINE)
_TYPE = re.compile(r"^# TYPE (\S+) (counter|histogram)", re.MULTILINE)
_START = "process_start_time_seconds"

# What may follow a name: labels in braces, the value, a time and an exemplar that nobody here asks for.
_QUOTED = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_REST = (
    rf"(?:[ \t]*\{{([^\"{{}}\n]*(?:{_QUOTED}[^\"{{}}\n]*)*)\}}[ \t]*|[ \t]+)"
    r"([0-9a-zA-Z.+-]+)(?:[ \t]+-?[0-9][0-9.eE+-]*)?[ \t]*(?:# \{.*)?\r?(?=\n)"
)
_PAIR = re.compile(rf"[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)=({_QUOTED})[ \t]*(?:,|$)")
_ESCAPED = re.compile(r'\\[\\n"]')
_LABEL_SETS = 65_536


class _OddError(Exception):
    """A wanted line is not of the plain form."""


class Series(NamedTuple):
    """One labelled number."""

    labels: Mapping[str, str]
    value: float


# By the identity of the labels, which are kept here so that nothing else can get it.
Matched = dict[int, tuple[Mapping[str, str], bool]]


@dataclass(frozen=True, slots=True)
class Exposition:
    """The wanted metrics of one page: series by sample name, and the page for what else it declares."""

    series: dict[str, list[Series]] = field(default_factory=dict)
    page: str = field(default="", repr=False)

    @property
    def started(self) -> float | None:
        """When the process started, in Unix seconds, if the page says so."""
        found = self.series.get(_START, [])
        return found[0].value if found else None

    def select(self, selector: Selector, known: Matched | None = None) -> list[Series]:
        """Return the series that ``selector`` selects; none, where the metric is there and nothing matches.

        ``known`` remembers what this selector said of labels that many pages share.

        Raises
        ------
        MetricsUnavailableError
            If the page has no such metric, or none of its series has a label that the selector needs:
            reading that as "no errors" would take a slip of the pen for health.
        """
        series = self.series.get(selector.name, [])
        names = frozenset((selector.name,)) if series else _names(self.page)
        if selector.name not in names:
            near = difflib.get_close_matches(selector.name, sorted(names), n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else "nothing on the page is spelt like it"
            raise MetricsUnavailableError(f"`{selector}` selects a metric that is not there; {hint}.")
        missing = selector.missing_label(s.labels for s in series)
        if missing:
            labels = sorted({name for s in series for name in s.labels}) or ["none"]
            raise MetricsUnavailableError(
                f"`{selector}` can match nothing: {selector.name} has no label {missing!r}; "
                f"its labels are {', '.join(labels)}."
            )
        if known is None:
            return [s for s in series if selector.matches(s.labels)]
        chosen = []
        for one in series:
            said = known.get(id(one.labels))
            if said is None:
                said = known[id(one.labels)] = (one.labels, selector.matches(one.labels))
            if said[1]:
                chosen.append(one)
        return chosen


def read_exposition(text: str, wanted: Collection[str], content_type: str = "") -> Exposition:
    """Read a page in Prometheus' text format or, where ``content_type`` says so, OpenMetrics.

    Only samples named in ``wanted`` (and the process's start) are parsed: a page may hold thousands of
    others.

    Raises
    ------
    MetricsUnavailableError
        If a wanted line is not in the format.
    """
    keep = frozenset((*wanted, _START))
    openmetrics = "openmetrics" in content_type
    if openmetrics and not text.rstrip().endswith("# EOF"):
        raise MetricsUnavailableError("cut off: OpenMetrics ends with `# EOF`")
    try:
        series = _read_plain(text, keep)
    except (_OddError, ValueError):
        series = _read_any(text, keep, openmetrics=openmetrics)
    return Exposition(series, text)


def _read_plain(text: str, keep: frozenset[str]) -> dict[str, list[Series]]:
    """Read well-formed lines.

    Raises
    ------
    _OddError, ValueError
        If a wanted line is not one.
    """
    series: dict[str, list[Series]] = {}
    for name, block, value, odd in _pattern(_spelt(keep)).findall(f"\n{text}\n"):
        if odd:
            raise _OddError
        one = Series(_labels(block), float(value))
        if name in series:
            series[name].append(one)
        else:
            series[name] = [one]
    return _renamed(text, series, keep)


def _spelt(keep: frozenset[str]) -> frozenset[str]:
    """Return the names together with those of counters that a page declares without ``_total``."""
    return keep | {name.removesuffix("_total") for name in keep}


def _renamed(text: str, series: dict[str, list[Series]], keep: frozenset[str]) -> dict[str, list[Series]]:
    """Let counters without ``_total`` also go by that name, as in the library."""
    for bare in [name for name in series if f"{name}_total" in keep and f"{name}_total" not in series]:
        if re.search(rf"^# TYPE {re.escape(bare)} counter\s*$", text, re.MULTILINE):
            series[f"{bare}_total"] = series[bare]
    return {name: found for name, found in series.items() if name in keep}


@lru_cache(maxsize=256)
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    one_of = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"\n[ \t]*({one_of})(?:{_REST}|([ \t{{].*|(?=\r?\n)))")


@lru_cache(maxsize=_LABEL_SETS)
def _labels(block: str) -> Mapping[str, str]:
    """Return the labels between braces. Most pages share theirs, so that each is read once."""
    labels: dict[str, str] = {}
    place = 0
    while place < len(block):
        pair = _PAIR.match(block, place)
        if pair is None or pair[1] in labels or pair[1].startswith("__"):
            raise _OddError
        labels[pair[1]] = _ESCAPED.sub(_unescape, pair[2][1:-1])
        place = pair.end()
    return labels


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[0] == "\\n" else match[0][1]


def _read_any(text: str, keep: frozenset[str], *, openmetrics: bool) -> dict[str, list[Series]]:
    families_kept = _with_families(keep)
    lines = [line for line in text.split("\n") if _name(line) in families_kept]
    body = "\n".join([*lines, "# EOF" if openmetrics else "", ""])
    try:
        families: Iterable[Metric] = list((parse_openmetrics if openmetrics else parse_text)(body))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise MetricsUnavailableError(f"not in Prometheus' text format: {error}") from error
    series: dict[str, list[Series]] = {}
    for family in families:
        for sample in family.samples:
            # The library gives every counter the ending, also one whose page and selector leave it out.
            name = sample.name if sample.name in keep else sample.name.removesuffix("_total")
            if name in keep:
                series.setdefault(name, []).append(Series(dict(sample.labels), float(sample.value)))
    return series


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
    for name, kind in _TYPE.findall(text):
        found |= {f"{name}_bucket"} if kind == "histogram" else {f"{name.removesuffix('_total')}_total"}
    return frozenset(found)
