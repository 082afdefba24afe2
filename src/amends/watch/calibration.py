"""How often a watch would take a baseline back for being worse than itself: A/A over recorded data.

The baseline is split into two halves, one of which plays the candidate. They run the same version, so each
rollback is a false one. Recorded time is cut into watches, and each watch divides its counts by what *other*
stretches of the same halves taught, as a live watch divides by what former ones did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

import numpy as np

from amends.stats.combination import mean_evidence
from amends.stats.dispersion import FIELDS, SPANS
from amends.stats.proportions import clopper_pearson
from amends.watch.deltas import MetricTick, count_tick
from amends.watch.evidence import advance_metric
from amends.watch.judgement import gated_evidence
from amends.watch.measurements import Arm, MetricKind, Reading
from amends.watch.noise import add_noise, estimate
from amends.watch.plan import MetricSpec, WatchPlan
from amends.watch.recorded import Recording, Row, recording
from amends.watch.state import MetricState, Noise

_FEWEST_LOOKS = 10
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Halving:
    """A recording of the baseline whose arms are two halves of it."""

    recording: Recording
    by: Literal["instances", "time"] = "instances"


@dataclass(frozen=True, slots=True)
class MetricCalibration:
    """One metric alone: how many runs it would have taken back, and by what its counts were divided.

    ``estimated`` is the factor as seen over the whole recording, ``divided`` the largest that was used on
    average over the runs; ``None``: unknown, so that nothing could roll back.
    """

    metric: str
    rolled_back: int
    estimated: float | None
    divided: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What A/A over a recording found. ``rolled_back`` counts runs in which all metrics together did."""

    runs: int
    rolled_back: int
    alpha: float
    watch_seconds: float
    by: Literal["instances", "time"]
    metrics: tuple[MetricCalibration, ...] = ()
    problems: tuple[str, ...] = ()

    def interval(self, rolled_back: int) -> tuple[float, float]:
        """Return the 95% interval of a rate of false rollbacks."""
        return clopper_pearson(rolled_back, self.runs)

    @property
    def too_often(self) -> bool:
        """Whether the data rule out that at most α of the watches are rolled back."""
        return self.interval(self.rolled_back)[0] > self.alpha

    def to_data(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "runs": self.runs, "alpha": self.alpha, "watch_seconds": self.watch_seconds, "split": self.by,
            **self._told(self.rolled_back),
            "metrics": [
                {"metric": m.metric, **self._told(m.rolled_back),
                 "dispersion": {"estimated": m.estimated, "divided_by": m.divided}}
                for m in self.metrics
            ],
            "problems": list(self.problems),
        }  # fmt: skip

    def _told(self, count: int) -> dict[str, Any]:
        return {
            "false_rollbacks": count, "rate": count / self.runs if self.runs else None,
            "interval": list(self.interval(count)),
        }  # fmt: skip


def halve_rows(rows: Sequence[Row], plan: WatchPlan, interval: float, most: int) -> list[Halving]:
    """Return up to ``most`` different ways to halve the baseline's rows.

    By instance where it has two or more. Otherwise ticks are taken in turns, which shows bunches within a
    tick but no noise that outlasts one.
    """
    mine = [r for r in rows if r.arm is Arm.BASELINE]
    names = {r.instance for r in mine if r.instance}
    if len(names) > 1 and all(r.instance for r in mine):
        return [
            Halving(recording([_moved(r, r.instance in half) for r in mine], plan, interval))
            for half in _halves(names, most)
        ]
    return [
        Halving(
            recording([_moved(r, int(r.time // interval) % 2 == turn) for r in mine], plan, 2 * interval),
            "time",
        )
        for turn in (0, 1)[:most]
    ]


def halve_looks(recorded: Recording, most: int) -> list[Halving]:
    """Return up to ``most`` ways to halve the baseline of a live watch; none if it has one instance."""
    names = {r.instance for look in recorded.looks for r in look.readings if r.arm is Arm.BASELINE}
    found = []
    for half in _halves(names, most) if len(names) > 1 else ():
        looks = tuple(
            replace(
                look,
                readings=tuple(
                    replace(r, arm=Arm.CANDIDATE if r.instance in half else Arm.BASELINE)
                    for r in look.readings
                    if r.arm is Arm.BASELINE
                ),
            )
            for look in recorded.looks
        )
        found.append(Halving(replace(recorded, looks=looks)))
    return found


def calibrate(
    plan: WatchPlan, halvings: Sequence[Sequence[Halving]], watch_seconds: float, runs: int
) -> Calibration:
    """Run A/A watches of ``watch_seconds`` over every halving and stretch of time, at most ``runs``.

    Each of ``halvings`` is one way to halve, of one recording or of several: what one of its stretches
    divides by was learnt from all others. Runs share data, so that the interval, which takes them for
    independent, errs on the narrow side.
    """
    tally = _Tally(plan, [s for s in plan.metrics if s.kind is not MetricKind.GAUGE])
    for way in halvings:
        _run(tally, [halving.recording for halving in way], watch_seconds, runs)
    every = [halving for way in halvings for halving in way]
    by = every[0].by if every else "instances"
    return tally.told(watch_seconds, by, tuple(dict.fromkeys(p for h in every for p in h.recording.problems)))


class _Tally:
    """What the runs so far gave."""

    def __init__(self, plan: WatchPlan, specs: Sequence[MetricSpec]) -> None:
        self.plan, self.specs = plan, specs
        self.runs = self.together = 0
        self.alone = [0] * len(specs)
        self.estimated: list[list[float]] = [[] for _ in specs]
        self.divided: list[list[float]] = [[] for _ in specs]

    @property
    def alpha(self) -> float:
        return self.plan.alpha / max(1, len(self.specs))

    def told(
        self, seconds: float, by: Literal["instances", "time"], problems: tuple[str, ...]
    ) -> Calibration:
        rows = tuple(
            MetricCalibration(spec.name, hits, _mean(seen), _mean(used))
            for spec, hits, seen, used in zip(
                self.specs, self.alone, self.estimated, self.divided, strict=True
            )
        )
        return Calibration(self.runs, self.together, self.plan.alpha, seconds, by, rows, problems)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A watch's worth of ticks: when it began, and for each look its time and each metric's tick."""

    begun: datetime
    looks: tuple[tuple[datetime, tuple[MetricTick, ...]], ...]


def _run(tally: _Tally, recorded: Sequence[Recording], seconds: float, most: int) -> None:
    stretches = [stretch for one in recorded for stretch in _stretches(tally, one, seconds)]
    learnt = [[_learn(spec, i, s, tally.alpha) for i, spec in enumerate(tally.specs)] for s in stretches]
    for i in range(len(tally.specs)):
        whole = _sum([noise[i] for noise in learnt])
        if whole:
            tally.estimated[i].append(float(np.max(estimate(whole, tally.alpha).factor)))
    for place, stretch in enumerate(stretches):
        if tally.runs >= most:
            return
        others = [noise for at, noise in enumerate(learnt) if at != place]
        _watch(tally, stretch, [_sum([n[i] for n in others]) for i in range(len(tally.specs))])


def _stretches(tally: _Tally, recorded: Recording, seconds: float) -> Iterator[_Stretch]:
    last: dict[str, tuple[Reading, ...]] = {s.name: () for s in tally.specs}
    begun, found = None, []
    for look in recorded.looks:
        ticks = tuple(
            count_tick(s.name, last[s.name], look.readings, look.at, tally.plan.max_gap_seconds)
            for s in tally.specs
        )
        last = {s.name: t.last for s, t in zip(tally.specs, ticks, strict=True)}
        begun = begun or look.at
        found.append((look.at, ticks))
        if (look.at - begun).total_seconds() >= seconds:
            yield _Stretch(begun, tuple(found))
            begun, found = look.at, []
    if begun and len(found) >= _FEWEST_LOOKS and (found[-1][0] - begun).total_seconds() >= seconds * 0.9:
        yield _Stretch(begun, tuple(found))


def _learn(spec: MetricSpec, place: int, stretch: _Stretch, alpha: float) -> tuple[Noise, ...]:
    """Return what a stretch teaches of the noise: its halves' differences, without any test."""
    plain, state = replace(spec, dispersion=1.0), MetricState(spec.name)
    for at, ticks in stretch.looks:
        noise = add_noise(plain, state, ticks[place].strata)
        if spec.kind is MetricKind.LATENCY:  # its tails are counted from the buckets so far
            state = advance_metric(plain, state, ticks[place], at, comparing=True, alpha=alpha)
        state = replace(state, noise=noise)
    return state.noise


def _sum(parts: Sequence[tuple[Noise, ...]]) -> tuple[Noise, ...]:
    """Return the noise of several stretches together: closed blocks add up, open ones end with theirs."""
    known = [p for p in parts if p]
    return tuple(_added([p[i] for p in known]) for i in range(len(known[0]))) if known else ()


def _added(parts: Sequence[Noise]) -> Noise:
    tables = [np.array(n.blocks).reshape(len(SPANS), FIELDS) for n in parts if n.blocks]
    table = np.sum(tables, axis=0) if tables else np.zeros((len(SPANS), FIELDS))
    table[:, :3] = 0.0
    load = (math.fsum(n.load[0] for n in parts), math.fsum(n.load[1] for n in parts))
    return Noise(tuple(float(x) for x in table.ravel()), load)


def _watch(tally: _Tally, stretch: _Stretch, history: Sequence[tuple[Noise, ...]]) -> None:
    """Look as a live watch does, until the end: each metric is also asked what it would do alone."""
    line = math.log(1 / tally.plan.alpha)
    states = [MetricState(s.name, noise=n) for s, n in zip(tally.specs, history, strict=True)]
    alone, together = [False] * len(states), False
    used: list[list[float]] = [[] for _ in states]
    for at, ticks in stretch.looks:
        warm = (at - stretch.begun).total_seconds() >= tally.plan.warmup_seconds
        states = [
            advance_metric(spec, state, tick, at, comparing=warm, alpha=tally.alpha)
            for spec, state, tick in zip(tally.specs, states, ticks, strict=True)
        ]
        evidence = [
            gated_evidence(tally.plan, s, state) for s, state in zip(tally.specs, states, strict=True)
        ]
        alone = [was or e >= line for was, e in zip(alone, evidence, strict=True)]
        together = together or mean_evidence(evidence) >= line
        for i, state in enumerate(states):
            used[i].append(state.divided)
    tally.runs += 1
    tally.together += together
    for i, hit in enumerate(alone):
        tally.alone[i] += hit
        tally.divided[i].append(math.inf if 0.0 in used[i] else max(used[i]))


def _moved(row: Row, ours: bool) -> Row:
    return replace(row, arm=Arm.CANDIDATE if ours else Arm.BASELINE)


def _halves(names: set[str], most: int) -> Iterator[frozenset[str]]:
    """Yield different halves of the names, always the same ones."""
    seen: set[frozenset[str]] = set()
    for salt in range(_TRIES * most):
        order = sorted(names, key=lambda n: blake2b(f"{salt}:{n}".encode(), digest_size=8).digest())
        half = frozenset(order[: len(order) // 2])
        if half not in seen:
            seen.add(half)
            yield half
        if len(seen) >= most:
            return


def _mean(values: Sequence[float]) -> float | None:
    found = float(np.mean(values)) if values else math.inf
    return found if math.isfinite(found) else None
