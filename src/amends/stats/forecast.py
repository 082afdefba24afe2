"""How long a watch needs to find an effect: what no test can beat, and what this one is expected to take.

*Wald's bound.* A test whose false alarms, over all looks, are at most α needs on average at least ln(1/α)
nats, and a second gives it no more than (events a second)·KL (Wald 1945, "Sequential tests of statistical
hypotheses", Annals of Mathematical Statistics 16:117). Given an event, which arm it falls on is a coin: θ
under no effect, θφ/(1 − θ + θφ) under a ratio of rates φ, and KL is the divergence of the two.

*This test* bets on a grid of alternatives. Each log e-value then grows by a known amount a second on
average; put into the mixture and its restarts (`amends.stats.restarts`) they give the curve along which the
evidence is expected to climb, and where that crosses the line is the expected time, with what the mixture,
the restarts and the other metrics cost. It is a mean: half of all harm is found about a sixth earlier, some
of it much later (``tests/statistics/test_forecast_calibration.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from amends.stats.combination import Floats
from amends.stats.group_sequential import Spending, boundaries, crossing
from amends.stats.mixture import effect_grid
from amends.stats.rank import RANK_GRID, TAIL_GRID, TAIL_QUANTILES, TAIL_WEIGHTS
from amends.stats.restarts import FIRST_STAKE, next_stake, restarted_evidence

LONGEST = 10 * 365 * 86400.0  # beyond ten years is never
_ROUNDS = 45


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the rollout: so many seconds in which the candidate has ``share`` of the exposure."""

    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Bets:
    """A mixture of alternatives whose log e-values grow steadily, at a rate that depends on the share.

    ``log_weights`` are ln of their parts in the mixture; they may sum to less than 1, where the rest of the
    evidence is expected to say nothing. ``growth`` gives each one's nats a second, ``information`` the nats a
    second of the best bet there is (Wald's), ``events`` how many events a second there are.
    """

    log_weights: Floats
    growth: Callable[[float], Floats]
    information: Callable[[float], float]
    events: Callable[[float], float]


def coin(share: float, ratio: float) -> float:
    """Return the part of all events that falls on the candidate if its rate is ``ratio`` times the other."""
    return share * ratio / (1 - share + share * ratio)


def divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence of two coins in nats; 0 where ``q`` decides nothing."""
    if not 0 < q < 1:
        return 0.0
    parts = ((p, q), (1 - p, 1 - q))
    return sum(a * math.log(a / b) for a, b in parts if a > 0)


def event_bets(
    exposure: float, rate: float, ratio: float, smallest: float, *, higher: bool = True,
    lower: bool = False, dispersion: float = 1.0,
) -> Bets:  # fmt: skip
    """Return the bets of `amends.stats.mixture` on events.

    Parameters
    ----------
    exposure:
        Requests (or seconds of running) a second on both arms together.
    rate:
        Events per exposure on the baseline; the candidate has ``ratio`` times as many.
    smallest, higher, lower:
        As `amends.stats.mixture.effect_grid` takes them.
    dispersion:
        What the counts are divided by.
    """
    grid = effect_grid(smallest, higher=higher, lower=lower)
    return _coin_bets([(rate, rate * ratio)], grid, exposure / dispersion)


def tail_bets(
    exposure: float, exceeding: Sequence[tuple[float, float]], *, higher: bool = True, lower: bool = False,
    dispersion: float = 1.0,
) -> Bets:  # fmt: skip
    """Return the bets on slow requests, half of a latency's evidence.

    ``exceeding`` holds for each quantile of `amends.stats.rank.TAIL_QUANTILES` the share of the baseline's
    requests that exceed it, and that of the candidate's.
    """
    sides = ([1] if higher else []) + ([-1] if lower else [])
    grid = np.concatenate([side * TAIL_GRID for side in sides])
    weights = np.concatenate([TAIL_WEIGHTS for _ in sides], axis=1) / (2 * len(sides))
    return _coin_bets(exceeding, grid, exposure / dispersion, weights)


def _coin_bets(
    rates: Sequence[tuple[float, float]], grid: Floats, exposure: float, weights: Floats | None = None
) -> Bets:
    def events(share: float) -> Floats:
        return np.array([exposure * ((1 - share) * theirs + share * ours) for theirs, ours in rates])

    def growth(share: float) -> Floats:
        if not 0 < share < 1:
            return np.zeros(len(rates) * grid.size)
        lost = np.log1p(share * np.expm1(grid))
        gained = np.array([share * ours * exposure for _, ours in rates])
        return np.asarray((gained[:, None] * grid - events(share)[:, None] * lost).ravel())

    def information(share: float) -> float:
        coins = [coin(share, ours / theirs) if theirs > 0 else 1.0 for theirs, ours in rates]
        return max(float(e) * divergence(c, share) for e, c in zip(events(share), coins, strict=True))

    parts = np.full((len(rates), grid.size), 1 / (len(rates) * grid.size)) if weights is None else weights
    with np.errstate(divide="ignore"):
        logs = np.log(parts).ravel()
    return Bets(logs, growth, information, lambda share: float(events(share).sum()))


def pair_bets(
    exposure: float, slower: float, *, higher: bool = True, lower: bool = False, dispersion: float = 1.0
) -> Bets:
    """Return the bets of `amends.stats.rank` if ``slower`` of the pairs have the candidate's the slower.

    Half of a latency's evidence; the other half (the tail) is taken to say nothing. The least time given for
    them is that of the best bet on ranks, not of any test: what one could do better depends on the shape.
    """
    d = np.concatenate(([RANK_GRID] if higher else []) + ([-RANK_GRID] if lower else []))
    beyond = slower - 0.5

    def variance(share: float) -> float:
        return 12 * exposure * share * (1 - share) / dispersion

    return Bets(
        np.full(d.size, math.log(0.5 / d.size)),
        lambda share: np.asarray(variance(share) * (d * beyond - d**2 / 2)),
        lambda share: variance(share) * beyond**2 / 2,
        lambda share: exposure if 0 < share < 1 else 0.0,
    )


def slowed_tail(
    part: float, times: float, bounds: Sequence[float] = (), counts: Sequence[float] = ()
) -> list[tuple[float, float]]:
    """Return what `tail_bets` takes if ``part`` of the requests takes ``times`` as long.

    By the baseline's histogram (counts per bucket, the last one unbounded; requests are spread evenly within
    a bucket). Without one, all slowed requests are taken to end beyond the quantile.
    """
    if not bounds or sum(counts) <= 0:
        return [(1 - q, (1 - q) * (1 - part) + part) for q in TAIL_QUANTILES]
    edges = np.concatenate([[0.0], np.asarray(bounds, dtype=np.float64)])
    up_to = np.concatenate([[0.0], np.cumsum(counts)]) / sum(counts)

    def above(value: float) -> float:
        return 1 - float(np.interp(value, edges, up_to[:-1]))

    found = []
    for q in TAIL_QUANTILES:
        place = min(int(np.searchsorted(up_to[1:-1], q - 1e-12)), len(bounds) - 1)
        bound = float(bounds[place])
        usual = above(bound)
        found.append((usual, (1 - part) * usual + part * above(bound / times)))
    return found


def least_seconds(stretches: Sequence[Stretch], bets: Bets, alpha: float) -> float | None:
    """Return Wald's bound in seconds along the rollout; its last stretch goes on until then.

    ``None`` where that is more than ten years.
    """
    needed, gone = math.log(1 / alpha), 0.0
    for index, stretch in enumerate(stretches):
        speed = bets.information(stretch.share)
        last = index == len(stretches) - 1
        if speed > 0 and (last or needed <= speed * stretch.seconds):
            found = gone + needed / speed
            return found if found <= LONGEST else None
        needed -= speed * stretch.seconds
        gone += stretch.seconds
    return None


def expected_seconds(
    stretches: Sequence[Stretch], bets: Bets, line: float, min_events: float = 0.0
) -> float | None:
    """Return when the expected evidence of this watch crosses ``line``; the last stretch goes on until then.

    Parameters
    ----------
    line:
        ln(1/α), and with several metrics ln of their number more: one alone has to carry the mean.
    min_events:
        Events without which nothing is said against the candidate.

    Returns
    -------
    Seconds from the beginning; ``None`` where that is more than ten years.
    """
    for part in _parts(stretches, bets):
        end = LONGEST if part.last else part.seconds
        if part.crossed(end, line, min_events):
            return part.gone + _first(lambda t, part=part: part.crossed(t, line, min_events), end)  # type: ignore[misc]
    return None


def is_found(stretches: Sequence[Stretch], bets: Bets, line: float, min_events: float = 0.0) -> bool:
    """Say whether the expected evidence crosses ``line`` by the end of the last stretch."""
    return any(part.crossed(part.seconds, line, min_events) for part in _parts(stretches, bets))


def preset_chances(
    stretches: Sequence[Stretch], exposure: float, rate: float, ratio: float, looks: int, alpha: float,
    spending: Spending,
) -> tuple[tuple[float, float], ...]:  # fmt: skip
    """Return for each preset look when it is, and how likely a ratio of rates has been found by then.

    ``alpha`` is that of the side that is worse. By the normal boundaries, for which there have to be some ten
    events; what is tested in the end is exact.
    """
    total = sum(s.seconds for s in stretches)
    gathered = []
    for look in range(1, looks + 1):
        plain = 0.0
        left = total * look / looks
        for stretch in stretches:
            lasted = max(0.0, min(left, stretch.seconds))
            left -= lasted
            plain += lasted * stretch.share * (1 - stretch.share)
        gathered.append(plain)
    if not gathered or gathered[0] <= 0:
        return ()
    times = tuple(look / looks for look in range(1, looks + 1))
    information = tuple(plain / gathered[-1] for plain in gathered)
    bounds = boundaries(times, alpha, spending, information)
    chances = np.cumsum(crossing(bounds, information, _drift(stretches, exposure * rate, ratio)))
    return tuple((total * t, float(min(1.0, c))) for t, c in zip(times, chances, strict=True))


def _drift(stretches: Sequence[Stretch], usual: float, ratio: float) -> float:
    """Return the mean of the standardised number of events on the candidate at the end."""
    spread = shift = 0.0
    for stretch in stretches:
        share = stretch.share
        events = stretch.seconds * usual * (1 - share + share * ratio)
        spread += events * share * (1 - share)
        shift += events * abs(coin(share, ratio) - share)
    return shift / math.sqrt(spread) if spread > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch, with what the evidence is expected to be at its beginning."""

    bets: Bets
    seconds: float
    number: int
    last: bool
    gone: float
    whole: Floats
    stake: float
    events: float
    growth: Floats
    per_second: float

    def crossed(self, t: float, line: float, min_events: float) -> bool:
        if self.events + self.per_second * t < min_events:
            return False
        whole, step = (_mixed(self.bets, start + self.growth * t) for start in (self.whole, 0.0))
        return restarted_evidence(whole, step, self.stake, self.number) >= line


def _parts(stretches: Sequence[Stretch], bets: Bets) -> Iterator[_Part]:
    whole, stake, events, gone = np.zeros(bets.log_weights.size), FIRST_STAKE, 0.0, 0.0
    for number, stretch in enumerate(stretches, start=1):
        growth, per_second = bets.growth(stretch.share), bets.events(stretch.share)
        yield _Part(
            bets,
            stretch.seconds,
            number,
            number == len(stretches),
            gone,
            whole,
            stake,
            events,
            growth,
            per_second,
        )
        whole = whole + growth * stretch.seconds
        stake = next_stake(stake, _mixed(bets, growth * stretch.seconds), number)
        events, gone = events + per_second * stretch.seconds, gone + stretch.seconds


def smallest_found(found: Callable[[float], bool], least: float, most: float = 100.0) -> float | None:
    """Return the smallest ratio that is ``found``, to a thousandth; ``None``: not even ``most`` is."""
    if not found(most):
        return None
    low, high = math.log(least), math.log(most)
    for _ in range(13):
        middle = (low + high) / 2
        low, high = (low, middle) if found(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _mixed(bets: Bets, log_e: Floats) -> float:
    return float(np.logaddexp.reduce(bets.log_weights + log_e))


def _first(crossed: Callable[[float], bool], end: float) -> float:
    """Return when it first crosses: the evidence is convex in time and starts below, so it does so once."""
    low, high = 0.0, end
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (low, middle) if crossed(middle) else (middle, high)
    return high
