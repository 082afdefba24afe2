import pytest

from amends.errors import PolicyError
from amends.watch.measurements import MetricKind
from amends.watch.plan import Limit, MetricSpec, WatchPlan


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: MetricSpec("5xx", events="a"), "`total`"),
        (lambda: MetricSpec("p99", MetricKind.LATENCY), "`histogram`"),
        (lambda: MetricSpec("5xx", events="a", total="b", smallest_effect=0.5), "smallest_effect 0.5"),
        (lambda: MetricSpec("5xx", events="a", total="b", margin=1.0), "margin 1"),
        (lambda: Limit(), "neither"),
        (lambda: Limit(above=1, quantile=99), "quantile is 99"),
        (lambda: WatchPlan(alpha=5), "alpha is 5"),
        (lambda: WatchPlan((MetricSpec("a", events="b", total="c"),) * 2), "'a' is listed twice"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(make, found: str) -> None:
    with pytest.raises(PolicyError) as caught:
        make()
    assert found in caught.value.message
    assert caught.value.remedy
