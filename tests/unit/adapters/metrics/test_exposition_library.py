"""The quick reading of a page against prometheus-client's own parser, on pages of every kind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from amends.adapters.metrics import exposition
from amends.adapters.metrics.exposition import read_exposition
from amends.errors import MetricsUnavailableError

NAMES = ("requests_total", "requests", "took_seconds_bucket", "up")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
LABEL_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
LABELS = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), LABEL_VALUES, max_size=3)
VALUES = st.one_of(
    st.integers(0, 10**18).map(str),
    st.floats(0, allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["NaN", "+Inf", "-Inf", "-0.5", "1e3", "1.7E+09", "007"]),
)
TIMES = st.sampled_from(["", " 1700000000000", " -5", "\t12", "  1.5e3"])


@dataclass(frozen=True)
class Line:
    name: str
    labels: dict[str, str]
    value: str
    after: str

    def __str__(self) -> str:
        inside = ",".join(f'{k}="{escape(v)}"' for k, v in self.labels.items())
        return f"{self.name}{f'{{{inside}}}' if inside else ''} {self.value}{self.after}"


def escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


LINES = st.one_of(
    st.builds(Line, st.sampled_from((*NAMES, "other", "up_more")), LABELS, VALUES, TIMES).map(str),
    st.sampled_from(
        ["", "# a comment", "# HELP up Is it up?", "# TYPE up gauge", "  up 3  ", "up{} 4", "\tup\t5\r",
         'up{ a="b" , c="d", } 6', "up {a=\"b\"} 7", 'requests_total{a="}"} 8', 'requests{a="{,"} 9'],
    ),
)  # fmt: skip


def told(series: dict[str, list[exposition.Series]]) -> dict[str, list[tuple[list[tuple[str, str]], str]]]:
    return {
        name: [(sorted(s.labels.items()), repr(s.value)) for s in found] for name, found in series.items()
    }


def by_library(page: str, openmetrics: bool = False) -> dict[str, list[exposition.Series]]:
    found: dict[str, list[exposition.Series]] = {}
    for family in (parse_openmetrics if openmetrics else parse_text)(page):
        for s in family.samples:
            if s.name in NAMES:
                found.setdefault(s.name, []).append(exposition.Series(s.labels, float(s.value)))
    return found


@given(st.lists(LINES, max_size=12).map("\n".join))
@example('up{a="\\\\"} 1\nup{a="\\n\\""} 2')
@example('up{a="x\\q"} 1')
def test_the_same_series_as_the_library(page: str) -> None:
    assert told(read_exposition(page, NAMES).series) == told(by_library(page))


@given(
    st.lists(st.tuples(LABELS, st.integers(0, 10**9), st.booleans(), st.booleans()), max_size=6,
             unique_by=lambda one: tuple(sorted(one[0].items())))
)  # fmt: skip
def test_openmetrics_with_times_and_exemplars_as_the_library_reads_it(
    series: list[tuple[dict[str, str], int, bool, bool]],
) -> None:
    lines = ["# TYPE requests counter"]
    for labels, value, timed, traced in series:
        after = " 1700000000.123" if timed else ""
        after += ' # {trace_id="a} # {b"} 0.7 1700000000.5' if traced else ""
        lines.append(str(Line("requests_total", labels, str(value), after)))
    page = "\n".join([*lines, "# EOF", ""])
    assert told(read_exposition(page, NAMES, OPENMETRICS).series) == told(by_library(page, openmetrics=True))


def test_a_plain_page_never_meets_the_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the slow parser was asked")

    monkeypatch.setattr(exposition, "_read_any", refuse)
    page = 'up{a="b\\"}"} 1 1700000000000\n# TYPE up gauge\nup 2 # {trace_id="x"} 3\nup NaN\n'
    first, second, third = read_exposition(page, ["up"]).series["up"]
    assert (first.labels, first.value, second.value) == ({"a": 'b"}'}, 1, 2)
    assert math.isnan(third.value)


@pytest.mark.parametrize(
    "line",
    ["up", "up x", "up{a=1} 2", 'up{a="b"', 'up{a="b",a="c"} 1', "up 1_000", 'up{a="b"} 1 x', "up{a} 1"],
)
def test_a_wanted_line_that_is_cut_or_odd_is_refused_and_not_left_out(line: str) -> None:
    with pytest.raises(MetricsUnavailableError, match="text format"):
        read_exposition(f"up 1\n{line}\n", ["up"])


def test_a_page_of_openmetrics_that_was_cut_off_is_refused() -> None:
    with pytest.raises(MetricsUnavailableError, match="cut off"):
        read_exposition("# TYPE a counter\na_total 4\n", ["a_total"], OPENMETRICS)


def test_a_counter_without_its_ending_is_found_by_either_name() -> None:
    page = "# TYPE retries counter\nretries 3\n"
    found = read_exposition(page, ["retries", "retries_total"]).series
    assert [s.value for s in found["retries"]] == [s.value for s in found["retries_total"]] == [3]
