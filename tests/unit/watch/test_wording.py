import pytest

from amends.watch.assessment import ArmSummary, Effect
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec
from amends.watch.wording import comparison, number, percent, seconds


def test_the_sentence_that_says_why() -> None:
    spec = MetricSpec("5xx", events="e", total="t")
    theirs = ArmSummary(8, 1950, 0.0041)
    ours = ArmSummary(41, 1960, 0.0209)
    said = comparison(spec, theirs, ours, Effect(5.1, 3.1, 9.0), 40)
    assert said == "5xx: 2.1% against 0.41%, at least ×3.1 with 99% confidence, after 40 s and 3,910 requests"


@pytest.mark.parametrize(
    ("direction", "low", "high", "expected"),
    [
        (Direction.HIGHER, 0.6, 1.9, "between ×0.6 and ×1.9"),
        (Direction.HIGHER, None, 1.9, "at most ×1.9"),
        (Direction.HIGHER, None, None, "1% against 1%, after"),
        (Direction.LOWER, 0.2, 0.6, "at most ×0.6"),
        (Direction.HIGHER, 0.2, 0.6, "between ×0.2 and ×0.6"),
    ],
)
def test_bounds_in_words(direction: Direction, low: float, high: float, expected: str) -> None:
    spec = MetricSpec("5xx", events="e", total="t", direction=direction)
    arm = ArmSummary(10, 1000, 0.01)
    assert expected in comparison(spec, arm, arm, Effect(1.0, low, high), 60)


def test_latency_in_pairs_and_in_the_tail() -> None:
    spec = MetricSpec("latency", MetricKind.LATENCY, histogram="h")
    theirs = ArmSummary(0, 1000, buckets=((0.1, 500), (0.5, 995)))
    ours = ArmSummary(0, 1000, buckets=((0.1, 400), (0.5, 960)))
    said = comparison(spec, theirs, ours, Effect(1.5, 1.2, None), 200)
    assert "slower in 60 of 100 pairs (55 to 100 with 99% confidence), above 0.5: 4% against 0.5%" in said
    assert "after 3 min and 2,000 requests" in said


def test_numbers() -> None:
    assert [percent(x) for x in (0, 0.5, 0.0213, 0.00049, 1)] == ["0%", "50%", "2.1%", "0.049%", "100%"]
    assert [number(x) for x in (3910, 0.5, 1234.6)] == ["3,910", "0.5", "1,235"]
    assert [seconds(x) for x in (40, 600, 9000)] == ["40 s", "10 min", "2.5 h"]
