"""From cumulative readings to what happened between two ticks, on both arms over the same window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, reduce
from hashlib import blake2b

import numpy as np

from amends.watch.measurements import Arm, MetricKind, Reading

_Key = tuple[Arm, str, str]
_Pair = tuple[Reading | None, Reading]
Fresh = tuple[Arm, str, datetime]  # an instance whose process began during the watch, and when that was seen


@dataclass(frozen=True, slots=True)
class Increment:
    """What one arm saw in one tick. ``counts`` per bucket, the last one above every bound."""

    events: float = 0.0
    exposure: float = 0.0
    counts: tuple[float, ...] = ()

    def plus(self, other: Increment) -> Increment:
        """Return the sum of two increments with the same buckets."""
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)) if self.counts else ()
        return Increment(self.events + other.events, self.exposure + other.exposure, counts or other.counts)


@dataclass(frozen=True, slots=True)
class Stratum:
    """The two arms of one tick (and segment), over the same window.

    ``instances`` is how many each side has, baseline first.
    """

    baseline: Increment
    candidate: Increment
    instances: tuple[int, int] = field(default=(1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class MetricTick:
    """One metric between two ticks.

    ``strata`` is empty where the arms cannot be compared; ``candidate`` is what the candidate alone did since
    ``last``, for its limit; ``settled`` says that ``last`` moved on, so that it will not be counted again.
    ``halves`` are two halves of the baseline's instances, where it has two or more. ``fresh`` are the
    instances that are still warming up.
    """

    strata: tuple[Stratum, ...] = ()
    candidate: Increment = Increment()
    bounds: tuple[float, ...] = ()
    last: tuple[Reading, ...] = ()
    settled: bool = False
    arms: frozenset[Arm] = frozenset()
    problems: tuple[str, ...] = ()
    halves: tuple[Stratum, ...] = ()
    fresh: tuple[Fresh, ...] = ()


@lru_cache(maxsize=256)
def split(instances: frozenset[str]) -> frozenset[str]:
    """Return the instances of the second half: the same ones at every tick and in every process.

    Each one's name decides for itself, so that one that comes or goes moves no other; only where all of
    them fall on one side every second name changes it.
    """
    names = sorted(instances, key=_digest)
    chosen = frozenset(n for n in names if _digest(n)[0] % 2)
    return chosen if 0 < len(chosen) < len(names) else frozenset(names[1::2])


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def count_tick(
    metric: str,
    last: Sequence[Reading],
    readings: Iterable[Reading],
    now: datetime,
    max_gap_seconds: float,
    fresh: Sequence[Fresh] = (),
    warmup_seconds: float = 0.0,
) -> MetricTick:
    """Return what happened to ``metric`` since ``last``.

    Both arms move on together or not at all: while one gives no reading, the other's events wait, so that
    both are always counted over the same window. After more than ``max_gap_seconds`` they are dropped
    instead. A counter that fell, or whose process is younger, restarted at zero. An instance that is new,
    or was away, counts from its next reading. Unusable numbers are left out. Each of these is told in
    ``problems``. An instance that starts during the watch is compared after ``warmup_seconds`` of its own;
    ``fresh`` are those of the last tick.
    """
    usable, problems = _usable(metric, readings)
    arms = frozenset(r.arm for r in usable)
    pairs = _pair(last, usable)
    problems += _odd(metric, last, usable, pairs)
    bounds = _common_bounds(pairs)
    warming = _warming(last, usable, pairs, fresh, now, warmup_seconds)
    if len(arms) < 2:
        kept = tuple(last) + tuple(r for r in usable if r.arm not in {p.arm for p in last})
        alone, more = _sum(metric, _of(pairs, Arm.CANDIDATE), bounds)
        return MetricTick((), alone, bounds, kept, False, arms, tuple(problems + more), (), warming)
    cold = {(arm, instance) for arm, instance, _ in warming}
    warm = [p for p in pairs if (p[1].arm, p[1].instance) not in cold] if cold else pairs
    strata, halves, more = _strata(metric, warm, bounds)
    alone = reduce(Increment.plus, [s.candidate for s in strata], Increment())
    if cold:
        alone, _ = _sum(metric, _of(pairs, Arm.CANDIDATE), bounds)
    gap = (now - max(r.at for r in last)).total_seconds() if last else 0.0
    if gap > max_gap_seconds and strata:
        strata = ()
        more.append(f"{metric}: no readings of both arms for {gap:.0f} s; comparing starts afresh.")
    if pairs and not bounds and usable[0].kind is MetricKind.LATENCY:
        strata = ()
        more.append(f"{metric}: the arms have no bucket bound in common and cannot be compared.")
    told = tuple(problems + more)
    return MetricTick(
        strata, alone, bounds, tuple(usable), True, arms, told, halves if strata else (), warming
    )


def _of(pairs: Sequence[_Pair], arm: Arm) -> list[_Pair]:
    return [p for p in pairs if p[1].arm is arm]


def _warming(
    last: Sequence[Reading],
    usable: Sequence[Reading],
    pairs: Sequence[_Pair],
    fresh: Sequence[Fresh],
    now: datetime,
    warmup_seconds: float,
) -> tuple[Fresh, ...]:
    """Return the instances that began during the watch and are not warm yet.

    Warmth is counted from when this was seen, by the reader's clock: instances' clocks may be skewed. Their
    own start only says that one which had been away did not restart.
    """
    if warmup_seconds <= 0 or not last:
        return ()
    known, readable = {_key(r) for r in last}, {r.arm for r in last}
    instances = {(r.arm, r.instance) for r in last}
    restarted = {(r.arm, r.instance) for before, r in pairs if before is None and _key(r) in known}
    begun = restarted | {
        (r.arm, r.instance)
        for r in usable
        if (r.arm, r.instance) not in instances
        and r.arm in readable
        and (r.started is None or now.timestamp() - r.started < warmup_seconds)
    }
    going = tuple(
        f for f in fresh if (f[0], f[1]) not in begun and (now - f[2]).total_seconds() < warmup_seconds
    )
    return going + tuple((arm, name, now) for arm, name in sorted(begun))


def rebin(bounds: Sequence[float], counts: Sequence[float], onto: Sequence[float]) -> tuple[float, ...]:
    """Return counts per bucket on ``onto``, a subset of ``bounds``."""
    total = float(sum(counts))
    below = dict(zip(bounds, np.cumsum(counts), strict=False))
    return tuple(float(c) for c in np.diff([0.0, *(below[b] for b in onto), total]))


def instance_steps(
    metric: str, last: Sequence[Reading], readings: Iterable[Reading]
) -> list[tuple[Reading, Increment, tuple[float, ...]]]:
    """Return what each instance (and segment) of a metric did since ``last``, with its own bucket bounds.

    Instances that were not there before have no step, since what they had counted is unknown.
    """
    usable, _ = _usable(metric, readings)
    found = []
    for before, now in _pair(last, usable):
        bounds = tuple(bound for bound, _ in now.buckets)
        found.append((now, _increment(before, now, bounds), bounds))
    return found


def _usable(metric: str, readings: Iterable[Reading]) -> tuple[list[Reading], list[str]]:
    usable: list[Reading] = []
    problems: list[str] = []
    for reading in readings:
        if reading.metric != metric:
            continue
        if reading.is_usable():
            usable.append(reading)
        else:
            problems.append(f"{metric}: {reading.instance} gave a number that is not one; left out.")
    return usable, problems


def _key(reading: Reading) -> _Key:
    return reading.arm, reading.instance, reading.segment


def _pair(last: Sequence[Reading], usable: Sequence[Reading]) -> list[_Pair]:
    """Pair each reading with the one it is counted from; ``None``: from zero. New instances have no pair."""
    before = {_key(r): r for r in last}
    known = {(r.arm, r.instance) for r in last}
    pairs: list[_Pair] = []
    for reading in usable:
        previous = before.get(_key(reading))
        if previous is not None and not _restarted(previous, reading):
            pairs.append((previous, reading))
        elif (reading.arm, reading.instance) in known:
            # A restarted process, or a label that appeared in a known one: both began at zero in this tick.
            pairs.append((None, reading))
    return pairs


def _restarted(before: Reading, now: Reading) -> bool:
    if now.kind is MetricKind.GAUGE:
        return False
    if before.started is not None and now.started is not None and now.started > before.started + 1:
        return True
    same_shape = [b for b, _ in before.buckets] == [b for b, _ in now.buckets]
    return not same_shape or any(n < b for b, n in zip(before.numbers(), now.numbers(), strict=False))


def _odd(
    metric: str,
    last: Sequence[Reading],
    usable: Sequence[Reading],
    pairs: Sequence[_Pair],
) -> list[str]:
    before = {_key(r) for r in last}
    restarted = {now.instance for old, now in pairs if old is None and _key(now) in before}
    arms = {r.arm for r in usable}
    gone = {r.instance for r in last if r.arm in arms} - {r.instance for r in usable}
    return [f"{metric}: {name} restarted; counted from zero." for name in sorted(restarted)] + [
        f"{metric}: {name} gave no reading this time." for name in sorted(gone)
    ]


def _common_bounds(pairs: Sequence[_Pair]) -> tuple[float, ...]:
    layouts = [frozenset(b for b, _ in now.buckets) for _, now in pairs if now.kind is MetricKind.LATENCY]
    return tuple(sorted(frozenset.intersection(*layouts))) if layouts else ()


def _strata(
    metric: str, pairs: Sequence[_Pair], bounds: tuple[float, ...]
) -> tuple[tuple[Stratum, ...], tuple[Stratum, ...], list[str]]:
    """Return the arms and the baseline's two halves, segment by segment.

    There are no halves where the baseline has a single instance.
    """
    problems: list[str] = []
    strata: list[Stratum] = []
    halves: list[Stratum] = []
    names = {arm: frozenset(now.instance for _, now in _of(pairs, arm)) for arm in Arm}
    second = split(names[Arm.BASELINE])
    number = (len(names[Arm.BASELINE]), len(names[Arm.CANDIDATE]))
    parts: dict[str, tuple[list[_Pair], list[_Pair], list[_Pair]]] = {}
    for pair in pairs:
        side = 2 if pair[1].arm is Arm.CANDIDATE else int(pair[1].instance in second)
        parts.setdefault(pair[1].segment, ([], [], []))[side].append(pair)
    for segment in sorted(parts):
        (one, odd), (other, odder), (ours, oddest) = (_sum(metric, side, bounds) for side in parts[segment])
        problems += odd + odder + oddest
        strata.append(Stratum(one.plus(other), ours, number))
        if second:
            halves.append(Stratum(one, other, (number[0] - len(second), len(second))))
    return tuple(strata), tuple(halves), problems


def _sum(metric: str, pairs: Sequence[_Pair], bounds: tuple[float, ...]) -> tuple[Increment, list[str]]:
    total = Increment(counts=(0.0,) * (len(bounds) + 1) if bounds else ())
    problems = []
    for before, now in pairs:
        step = _increment(before, now, bounds)
        if now.kind is MetricKind.RATIO and step.events > step.exposure:
            problems.append(
                f"{metric}: {now.instance} counts {step.events:g} events among {step.exposure:g} requests; "
                "left out. Do the selectors of events and total match?"
            )
            continue
        total = total.plus(step)
    return total, problems


def _increment(before: Reading | None, now: Reading, bounds: tuple[float, ...]) -> Increment:
    if now.kind is MetricKind.GAUGE:
        return Increment(now.value, 1.0)
    events = now.value - (before.value if before else 0.0)
    if now.exposure is None:
        # A process that restarted within the tick is charged nothing for the time before: it is unknown.
        return Increment(events, (now.at - before.at).total_seconds() if before else 0.0)
    exposure = now.exposure - ((before.exposure or 0.0) if before else 0.0)
    return Increment(events, exposure, _counts(before, now, bounds, exposure))


def _counts(
    before: Reading | None, now: Reading, bounds: tuple[float, ...], exposure: float
) -> tuple[float, ...]:
    if not bounds:
        return ()
    old = dict(before.buckets) if before else {}
    up_to = [count - old.get(bound, 0.0) for bound, count in now.buckets if bound in bounds]
    # Libraries expose a histogram bucket by bucket while requests go on: a later one may be a few ahead.
    ordered = np.minimum(np.maximum.accumulate(up_to), exposure)
    return tuple(float(c) for c in np.diff([0.0, *ordered, exposure]))
