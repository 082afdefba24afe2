"""How much a watch can look at: scraped pages to verdict on one core, and the kernels alone.

    .venv/bin/python benchmarks/watch_throughput.py --rounds 5

End to end is one tick of a watch on both arms: the bytes of the pages of many instances are decoded, parsed,
assembled to readings, compared with the last tick and judged. All in one thread, which never waits; times are
its processor time, the best of the rounds. Memory bandwidth is that of one core in the same run, so that the
ratios mean something on another machine: a sum that reads doubles, and a copy (bytes read and written).
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
from amends.stats.kernels import advance_mixtures, count_groups, count_latencies
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.watch.assess import assess
from amends.watch.assessment import Assessment, Health
from amends.watch.measurements import Arm, Arms, MetricKind
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.state import WatchState, begin_watch

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROUTES = tuple(f"/api/v1/part{i}" for i in range(10))
CODES = ("200", "201", "404", "500", "503")
OBSERVATIONS = 20_000_000
METRICS = 100_000
Bodies = list[tuple[Arm, str, bytes]]
MakePage = Callable[[Arm, int, np.random.Generator], bytes]
ARMS = Arms("shop", "production", baseline_version="1.3.0", candidate_version="1.4.0")


def page(arm: Arm, tick: int, rng: np.random.Generator) -> bytes:
    """Return an instance's page: 200 samples that the watch wants and as many that it does not."""
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
    total = f"http_requests_total{{{by}}}"
    errors, refused = (f'http_requests_total{{code=~"{code}..",{by}}}' for code in (5, 4))
    return WatchPlan(
        metrics=(
            MetricSpec("5xx", events=errors, total=total),
            MetricSpec("4xx", events=refused, total=total, segment="route"),
            MetricSpec("latency", MetricKind.LATENCY, histogram=f"took_seconds{{{by}}}", segment="route"),
            MetricSpec("retries", MetricKind.COUNT, events=f"retries_total{{{by}}}", total=total),
        )
    )


def wide_page(arm: Arm, tick: int, rng: np.random.Generator) -> bytes:
    """Return a page of 100 metrics with 10 samples each."""
    lines = []
    for part in range(100):
        lines.append(f"# TYPE part{part}_requests_total counter")
        for route in "ab":
            for code in CODES:
                count = tick * 1000 + rng.integers(1000) if code < "400" else tick * 5 + rng.integers(5)
                labels = f'route="{route}",code="{code}",version="{ARMS.version(arm)}"'
                lines.append(f"part{part}_requests_total{{{labels}}} {count}")
    return ("\n".join(lines) + "\n").encode()


def wide_plan() -> WatchPlan:
    def spec(part: int) -> MetricSpec:
        name = f"part{part}_requests_total"
        return MetricSpec(
            f"part {part}",
            events=f'{name}{{code=~"5..",version="$version"}}',
            total=f'{name}{{version="$version"}}',
            segment="route",
        )

    return WatchPlan(metrics=tuple(spec(part) for part in range(100)))


def look(bodies: Bodies, watch: WatchPlan, state: WatchState, at: datetime) -> tuple[WatchState, Assessment]:
    """From bytes to verdict."""
    reader = PageReader(watch.metrics, ARMS)
    snapshot = reader.read([Page(arm, name, body.decode()) for arm, name, body in bodies], at)
    assert not snapshot.problems, snapshot.problems[:3]
    return assess(watch, state, snapshot.readings, Health(True, True), at, snapshot.problems)


def best(rounds: int, call: Callable[[], Any]) -> float:
    """Return the processor's seconds of the quickest of some calls."""
    found = []
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return min(found)


def end_to_end(
    name: str, make: MakePage, watch: WatchPlan, instances: int, samples: int, rounds: int
) -> None:
    """Print one tick of a watch, beside prometheus-client's parser on the same bytes."""
    rng = np.random.default_rng(1)
    first, second = (
        [(arm, f"{arm}-{i}", make(arm, tick, rng)) for arm in Arm for i in range(instances)]
        for tick in (1, 2)
    )
    state, _ = look(first, watch, begin_watch(BEGAN), BEGAN)
    took = best(rounds, lambda: look(second, watch, state, BEGAN + timedelta(seconds=10)))
    reader = PageReader(watch.metrics, ARMS)
    parsing = best(rounds, lambda: reader.read([Page(a, n, b.decode()) for a, n, b in second], BEGAN))
    few = [body.decode() for _, _, body in second[: max(1, instances // 10)]]
    lines = sum(not line.startswith("#") for text in few for line in text.splitlines())
    library = (
        best(min(rounds, 2), lambda: [list(text_string_to_metric_families(text)) for text in few]) / lines
    )
    wanted = 2 * instances * samples
    held = sum(len(body) for _, _, body in second) / 1e6
    print(
        f"| {name}: {wanted:,} samples of {len(watch.metrics)} metrics, {2 * instances} pages, {held:.0f} MB "
        f"| {took:.2f} s | {parsing:.2f} s | {wanted / took:,.0f} | {1 / library:,.0f} "
        f"| {wanted / took * library:.1f} |",
        flush=True,
    )


def kernels(rounds: int) -> None:
    """Print the kernels alone, beside what the memory gives."""
    rng = np.random.default_rng(2)
    values = rng.lognormal(-2.3, 0.6, OBSERVATIONS)
    codes = (np.arange(OBSERVATIONS) & 1) * 2 + (rng.random(OBSERVATIONS) < 0.005)
    into = np.empty_like(values)
    read = values.nbytes / best(rounds, values.sum) / 1e9
    copied = 2 * values.nbytes / best(rounds, lambda: np.copyto(into, values)) / 1e9
    print(f"\nMemory of one core: sum {read:.1f} GB/s, copy {copied:.1f} GB/s\n")
    print("| kernel | rate | memory read | of the sum's bandwidth |\n|---|---:|---:|---:|")
    for name, call in (
        ("counter observations to counts of arm and outcome", lambda: count_groups(codes, 4)),
        ("latencies to log buckets", lambda: count_latencies(values)),
        ("latencies to log buckets of four groups", lambda: count_latencies(values, codes, 4)),
    ):
        rate = OBSERVATIONS / best(rounds, call)
        wide = 16 if "four" in name else 8
        moved = wide * rate / 1e9
        print(f"| {name} | {rate / 1e6:,.0f} M/s | {moved:.1f} GB/s | {moved / read:.2f} |")
    grid = effect_grid(1.5)
    share = rng.uniform(0.05, 0.5, METRICS)
    events = rng.poisson(20, METRICS).astype(np.float64)
    ours = rng.binomial(events.astype(np.int64), share).astype(np.float64)
    log_e, rows = np.zeros((grid.size, METRICS)), np.zeros((METRICS, grid.size))
    took = best(5 * rounds, lambda: advance_mixtures(log_e, grid, events, ours, share))
    plain = best(rounds, lambda: mixture_evidence(update_mixture(rows, grid, events, ours, share)))
    moved = 2 * log_e.nbytes / took / 1e9
    print(
        f"| {METRICS:,} metrics, update and evaluation of {grid.size} alternatives "
        f"| {took * 1e3:.1f} ms a tick | {moved:.1f} GB/s | {moved / copied:.2f} (of the copy's) |"
    )
    print(f"| the same, not in blocks | {plain * 1e3:.1f} ms a tick | | |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--samples", type=int, default=100_000, help="that the watch wants, at a tick")
    chosen = options.parse_args()
    print(f"benchmarks/watch_throughput.py --rounds {chosen.rounds} --samples {chosen.samples}\n")
    print(
        "| pages | bytes to verdict | of it to readings | samples/s | prometheus-client's parser, samples/s "
        "| ratio |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    end_to_end("many instances", page, plan(), chosen.samples // 400, 200, chosen.rounds)
    end_to_end("many metrics", wide_page, wide_plan(), chosen.samples // 2000, 1000, chosen.rounds)
    kernels(chosen.rounds)


if __name__ == "__main__":
    main()
