import pytest

from amends.adapters.metrics.exposition import read_exposition
from amends.errors import MetricsUnavailableError
from amends.watch.selectors import parse_selector

PAGE = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET"} 90
http_requests_total{code="500",method="GET"} 7
http_requests_total{code="503",method="HEAD"} 3
# TYPE retries counter
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 8
took_seconds_bucket{le="+Inf"} 9
took_seconds_count 9
process_start_time_seconds 1.7e+09
unrelated{ 12 garbage
"""


def select(selector: str, page: str = PAGE, content_type: str = "") -> list[float]:
    wanted = parse_selector(selector)
    return [s.value for s in read_exposition(page, {wanted.name}, content_type).select(wanted)]


def test_what_is_selected() -> None:
    assert select('http_requests_total{code=~"5..",method!="HEAD"}') == [7]
    assert select("took_seconds_bucket") == [8, 9]
    assert read_exposition(PAGE, ()).started == 1.7e9


def test_a_metric_that_is_there_without_a_match_is_nothing_so_far() -> None:
    assert select('http_requests_total{code="404"}') == []
    assert select('retries_total{kind="x"}') == []  # declared, no series yet


def test_a_metric_that_is_not_there_is_named_with_its_neighbours() -> None:
    with pytest.raises(MetricsUnavailableError, match="nearest: http_requests_total"):
        select('http_request_total{code="500"}')


def test_a_label_that_is_not_there_is_no_health() -> None:
    with pytest.raises(MetricsUnavailableError, match="no label 'status'; its labels are code, method"):
        select('http_requests_total{status=~"5.."}')


def test_a_wanted_line_that_is_not_in_the_format() -> None:
    with pytest.raises(MetricsUnavailableError, match="text format"):
        select("unrelated")


def test_openmetrics_with_exemplars() -> None:
    page = '# TYPE a counter\na_total{x="y"} 4.0 # {trace_id="1"} 1.0\nb 3\n# EOF\n'
    assert select("a_total", page, "application/openmetrics-text; version=1.0.0") == [4]


def test_values_that_are_not_numbers_are_passed_on_to_be_refused_later() -> None:
    (value,) = select("a", "a NaN\n")
    assert value != value
