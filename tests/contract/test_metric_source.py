"""What every metric source has to do, on real instances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from amends.errors import PolicyError
from amends.watch.deltas import count_tick
from amends.watch.measurements import Arm, MetricKind
from amends.watch.plan import MetricSpec
from tests.contract.metric_worlds import (
    MetricWorld,
    Prometheus,
    prometheus_world,
    push_world,
    running_prometheus,
    scrape_world,
)

B, C = Arm.BASELINE, Arm.CANDIDATE
ERRORS = MetricSpec(
    "5xx",
    events='http_requests_total{code=~"5..",method!="HEAD",version="$version"}',
    total='http_requests_total{method!="HEAD",version="$version"}',
)
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram='took_seconds{version="$version"}')


RUNS = count()


@pytest.fixture(scope="module")
def prometheus(prometheus_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with running_prometheus(prometheus_binary, tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(params=["scrape", "push", "prometheus"])
def world(request: pytest.FixtureRequest) -> Iterator[MetricWorld]:
    if request.param == "scrape":
        with scrape_world() as made:
            yield made
    elif request.param == "push":
        with push_world() as made:
            yield made
    else:
        with prometheus_world(request.getfixturevalue("prometheus"), next(RUNS)) as made:
            yield made


def test_both_arms_are_read_and_kept_apart(world: MetricWorld) -> None:
    world.baseline.serve(20)
    world.baseline.serve(9, code="500", method="HEAD")
    world.candidate.serve(10)
    world.candidate.serve(3, code="503")
    world.candidate.serve(1, code="500")
    found = world.read(ERRORS)
    assert found.problems == ()
    assert (world.of(found, B).value, world.of(found, B).exposure) == (0, 20)
    assert (world.of(found, C).value, world.of(found, C).exposure) == (4, 14)
    assert any(f'version="{world.candidate.version}"' in q and 'code=~"5.."' in q for q in found.queries)


def test_histograms_are_cumulative_with_finite_bounds(world: MetricWorld) -> None:
    world.baseline.serve(4, seconds=0.02)
    world.baseline.serve(2, seconds=0.3)
    world.baseline.serve(1, seconds=9)
    world.candidate.serve(5)
    found = world.read(LATENCY)
    assert world.of(found, B).buckets == ((0.05, 4), (0.1, 4), (0.5, 6))
    assert world.of(found, B).exposure == 7
    assert world.of(found, C).buckets == ((0.05, 0), (0.1, 5), (0.5, 5))


def test_segments(world: MetricWorld) -> None:
    for instance in (world.baseline, world.candidate):
        instance.serve(6, region="eu")
        instance.serve(2, code="500", region="us")
    found = world.read(replace(ERRORS, segment="region"))
    assert (world.of(found, C, "eu").value, world.of(found, C, "eu").exposure) == (0, 6)
    assert (world.of(found, C, "us").value, world.of(found, C, "us").exposure) == (2, 2)


def test_gauges_and_counts_without_a_total(world: MetricWorld) -> None:
    world.baseline.serve(3)
    world.candidate.serve(5)
    memory = MetricSpec("memory", MetricKind.GAUGE, events='memory_bytes{version="$version"}')
    count = MetricSpec("calls", MetricKind.COUNT, events='http_requests_total{version="$version"}')
    assert world.of(world.read(memory), C).value == 1000
    calls = world.of(world.read(count), C)
    assert (calls.value, calls.exposure) == (5, None)


def test_one_arm_that_does_not_answer_leaves_the_other(world: MetricWorld) -> None:
    world.baseline.serve(3)
    world.candidate.serve(3)
    world.read(ERRORS)
    world.candidate.stop()
    world.settle()
    found = world.read(ERRORS)
    assert [r.arm for r in found.readings] == [B]


def test_a_metric_that_nobody_has_is_a_problem_with_its_name(world: MetricWorld) -> None:
    world.baseline.serve(3)
    world.candidate.serve(3)
    found = world.read(MetricSpec("5xx", events="http_request_total", total="http_requests_total"))
    assert found.readings == ()
    assert "http_request_total" in found.problems[0]


def test_a_label_that_nobody_has_is_not_read_as_no_errors(world: MetricWorld) -> None:
    world.baseline.serve(3)
    world.candidate.serve(3, code="500")
    found = world.read(replace(ERRORS, events='http_requests_total{status=~"5..",version="$version"}'))
    assert found.readings == ()
    assert "no label 'status'" in found.problems[0]


def test_a_histogram_that_is_none(world: MetricWorld) -> None:
    world.baseline.serve(3)
    world.candidate.serve(3)
    found = world.read(replace(LATENCY, histogram="http_requests_total"))
    assert found.readings == ()
    assert found.problems


def test_a_selector_that_cannot_be_read_is_an_error_of_the_policy(world: MetricWorld) -> None:
    with pytest.raises(PolicyError):
        world.source.read([replace(LATENCY, histogram="took{")], world.arms, datetime.now(UTC))
    with pytest.raises(PolicyError, match=r"\$versoin"):
        world.source.read([replace(ERRORS, events='a{v="$versoin"}')], world.arms, datetime.now(UTC))


def test_a_real_restart_is_counted_from_zero(world: MetricWorld) -> None:
    for instance in (world.baseline, world.candidate):
        instance.serve(30)
    before = world.read(ERRORS)
    world.candidate.stop()
    world.candidate.start()
    world.candidate.serve(5)
    world.candidate.serve(2, code="500")
    world.baseline.serve(10)
    after = world.read(ERRORS)
    now = after.readings[0].at + timedelta(seconds=1)
    tick = count_tick("5xx", before.readings, after.readings, now, max_gap_seconds=600)
    assert (tick.strata[0].candidate.events, tick.strata[0].candidate.exposure) == (2, 7)
    assert tick.strata[0].baseline.exposure == 10
    assert "restarted" in tick.problems[0]
