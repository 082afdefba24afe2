import pytest

from amends.errors import PolicyError
from amends.watch.measurements import Arm, Arms
from amends.watch.selectors import parse_selector, resolve

ARMS = Arms("shop", "production", baseline_version="1.3.0", candidate_version='1.4"0')


@pytest.mark.parametrize(
    ("condition", "labels", "expected"),
    [
        ('code=~"5.."', {"code": "503"}, True),
        ('code=~"5.."', {"code": "5031"}, False),
        ('code=~"5.."', {}, False),
        ('method!="HEAD"', {}, True),
        ('method!~"HEAD|GET"', {"method": "GET"}, False),
        ('path="a\\"b\\\\c"', {"path": 'a"b\\c'}, True),
        ('code=~"5..", method!="HEAD",', {"code": "500", "method": "GET"}, True),
    ],
)
def test_conditions(condition: str, labels: dict[str, str], expected: bool) -> None:
    selector = parse_selector(f"http_requests_total{{{condition}}}")
    assert selector.matches(labels) is expected
    assert parse_selector(str(selector)).matchers == selector.matchers


def test_a_bare_name_selects_every_series() -> None:
    selector = parse_selector("up")
    assert selector.matches({"a": "b"})
    assert str(selector) == "up"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "its end"),
        ("5xx{}", "5xx"),
        ("a{b}", "b}"),
        ('a{b="c}', 'b="c}'),
        ('a{b="c" d="e"}', 'd="e"}'),
        ('a{b="c"', "its end"),
        ('a{b="c"} or d', "or d"),
        ("rate(a[5m])", "(a[5m])"),
    ],
)
def test_what_cannot_be_read_is_quoted_from_there_on(text: str, named: str) -> None:
    with pytest.raises(PolicyError, match="cannot be read") as caught:
        parse_selector(text)
    assert repr(named) in caught.value.message or named in caught.value.message
    assert "http_requests_total{" in caught.value.remedy


def test_a_broken_regular_expression_is_named() -> None:
    with pytest.raises(PolicyError, match=r"5\.\.\("):
        parse_selector('a{code=~"5..("}')


def test_a_label_that_no_series_has_can_never_match() -> None:
    selector = parse_selector('a{code=~"5..",method!="HEAD"}')
    assert selector.missing_label([{"status": "500"}, {"status": "200"}]) == "code"
    assert selector.missing_label([{"code": "200"}]) == ""
    assert selector.missing_label([]) == ""


def test_variables_are_filled_in_per_arm_and_quoted() -> None:
    text = 'a{s="$service",e="$environment",v="$version",p=~"/x$"}'
    assert resolve(text, ARMS, Arm.BASELINE) == 'a{s="shop",e="production",v="1.3.0",p=~"/x$"}'
    assert parse_selector(resolve('a{v="$version"}', ARMS, Arm.CANDIDATE)).matches({"v": '1.4"0'})


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(PolicyError, match=r"\$svc"):
        resolve('a{s="$svc"}', ARMS, Arm.BASELINE)
