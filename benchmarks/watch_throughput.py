"""How much a watch can look at: scraped pages to verdict on one core, and the kernels alone.

    .venv/bin/python benchmarks/watch_throughput.py --rounds 5

End to end is one tick of a watch on both arms: the bytes of the pages of many instances are decoded, parsed,
assembled to readings, compared with the last tick and judged. Each row is the best of the rounds, in one
thread. Memory bandwidth is that of one core in the same run, so that the ratios mean something on another
machine: a sum that reads doubles from memory, and a copy (bytes read and written).
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from amends.adapters.metrics.pages import Page, PageReader
from amends.watch.assess import assess
from amends.watch.assessment import Assessment, Health
from amends.watch.measurements import Arm, Arms
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import WatchState, begin_watch
from amends.watch.measurements import MetricKind

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROUTES = tuple(f"/api/v1/part{i}" for i in range(10))
CODES = ("200", "201", "404", "500", "503")
ARMS = Arms("shop", "production", baseline_version="1.3.0", candidate_version="1.4.0")


def page(arm: Arm, instance: int, tick: int, rng: np.random.Generator) -> bytes:
    """Return one instance's page: 200 samples that the watch wants and as many that it does not."""
    version = ARMS.version(arm)
    lines = ["# TYPE http_requests_total counter"]
    for route in ROUTES:
        for code in CODES:
            count = tick * 1000 + rng.integers(1000) if code < "400" else tick * 5 + rng.integers(5)
            labels = f'route="{route}",code="{code}",version="{version}"'
            lines.append(f"http_requests_total{{{labels}}} {count}")
    lines.append("# TYPE took_seconds histogram")
    for route in ROUTES:
        counts = np.cumsum(rng.integers(tick * 90, tick * 90 + 90, len(BOUNDS) + 1))
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            lines.append(f'took_seconds_bucket{{route="{route}",version="{version}",le="{bound}"}} {count}.0')
    lines.append("# TYPE retries_total counter")
    for route in ROUTES:
        for kind in ("read", "write", "connect"):
            lines.append(f'retries_total{{route="{route}",kind="{kind}",version="{version}"}} {tick * 3}')
    lines.append("process_start_time_seconds 1.7e+09")
    lines += [f'other_seconds_bucket{{queue="{i // 20}",le="{i % 20}"}} {i * tick}' for i in range(200)]
    return ("\n".join(lines) + "\n").encode()


def plan() -> WatchPlan:
    by = 'version="$version"'
    return WatchPlan(
        metrics=(
            MetricSpec("5xx", events=f'http_requests_total{{code=~"5..",{by}}}', total=f"http_requests_total{{{by}}}"),
            MetricSpec("4xx", events=f'http_requests_total{{code=~"4..",{by}}}', total=f"http_requests_total{{{by}}}", segment="route"),
            MetricSpec("latency", MetricKind.LATENCY, histogram=f"took_seconds{{{by}}}", segment="route"),
            MetricSpec("retries", MetricKind.COUNT, events=f"retries_total{{{by}}}", total=f"http_requests_total{{{by}}}"),
        )
    )  # fmt: skip


def look(bodies: list[tuple[Arm, str, bytes]], watch: WatchPlan, state: WatchState, at: datetime) -> tuple[WatchState, Assessment]:
    """From bytes to verdict."""
    reader = PageReader(watch.metrics, ARMS)
    pages = [Page(arm, name, body.decode()) for arm, name, body in bodies]
    snapshot = reader.read(pages, at)
    assert not snapshot.problems, snapshot.problems[:3]
    return assess(watch, state, snapshot.readings, Health(True, True), at, snapshot.problems)


def best(rounds: int, call: Callable[[], Any]) -> float:
    found = []
    for _ in range(rounds):
        gc.collect()
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--instances", type=int, default=250, help="of each arm, 200 wanted samples each")
    chosen = options.parse_args()
    rng = np.random.default_rng(1)
    ticks = [
        [(arm, f"{arm}-{i}", page(arm, i, tick, rng)) for arm in Arm for i in range(chosen.instances)]
        for tick in (1, 2)
    ]
    watch = plan()
    before, _ = look(ticks[0], watch, begin_watch(BEGAN), BEGAN)
    later = BEGAN + timedelta(seconds=10)
    print(best(chosen.rounds, lambda: look(ticks[1], watch, before, later)))


if __name__ == "__main__":
    main()
