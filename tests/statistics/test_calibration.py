"""By simulation, looked at after every tick: false rollbacks, power, and bounds that hold all the way.

Larger runs are in ``benchmarks/watch_detection.py``. A count of false alarms fails a test only if a true
rate of α would give it less than once in a thousand seeds.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from amends.stats.combination import log_mean_exp
from amends.stats.confidence import (
    NORMALISER_GRID,
    matched_increment,
    rate_interval,
    ratio_interval,
    update_normaliser,
    wins_increment,
    wins_interval,
)
from amends.stats.mixture import effect_grid, mixture_evidence, update_mixture
from amends.stats.rank import count_bucket_wins, rank_evidence, rank_increment
from amends.stats.restarts import FIRST_STAKE

ALPHA = 0.05
LINE = np.log(1 / ALPHA)
RUNS = 2000
STEPS = effect_grid(1.5)

Shape = Callable[
    [float], tuple[float, float]
]  # from the part of the time gone to (error rate, candidate's share)

NULLS: dict[str, Shape] = {
    "plain": lambda part: (0.02, 0.5),
    "ramp": lambda part: (0.002 + 0.1 * part, 0.05 + 0.9 * part),
    "ramp down": lambda part: (0.1 - 0.09 * part, 0.05 + 0.9 * part),
    "outage": lambda part: (0.6 if 0.4 < part < 0.6 else 0.005, 0.2),
}


def allowed(runs: int) -> int:
    return int(stats.binom.ppf(0.999, runs, ALPHA))


def walk_errors(shape: Shape, times_worse: float, seed: int, ticks: int = 120, per_tick: int = 200):
    """Yield, tick by tick, the log evidence of every run."""
    rng = np.random.default_rng(seed)
    log_e = np.zeros((RUNS, STEPS.size))
    for tick in range(ticks):
        rate, share = shape(tick / ticks)
        ours_n = rng.binomial(per_tick, share, RUNS)
        theirs_n = per_tick - ours_n
        ours = rng.binomial(ours_n, min(1.0, rate * times_worse))
        events = ours + rng.binomial(theirs_n, rate)
        log_e = update_mixture(log_e, STEPS, events, ours, ours_n / per_tick)
        yield mixture_evidence(log_e)


@pytest.mark.parametrize("name", NULLS)
def test_errors_alike_are_rarely_rolled_back(name: str) -> None:
    alarmed = np.zeros(RUNS, dtype=bool)
    for evidence in walk_errors(NULLS[name], 1.0, seed=11):
        alarmed |= evidence >= LINE
    assert alarmed.sum() <= allowed(RUNS)


def test_a_pooled_count_would_not_survive_the_ramp() -> None:
    """The same simulation does alarm where it should: without strata the ramp looks like harm."""
    rng = np.random.default_rng(11)
    events = ours = ours_n = total = 0
    for tick in range(120):
        rate, share = NULLS["ramp"](tick / 120)
        m = rng.binomial(200, share)
        x = rng.binomial(m, rate)
        ours, ours_n, total = ours + x, ours_n + m, total + 200
        events += x + rng.binomial(200 - m, rate)
    pooled = update_mixture(np.zeros(STEPS.size), STEPS, events, ours, ours_n / total)
    assert mixture_evidence(pooled) > LINE


def test_five_times_the_errors_are_found_soon() -> None:
    """0.5% against 2.5%, 200 requests a tick: Wald's bound for the average is 4 ticks at α = .05."""
    found = np.full(RUNS, 10_000)
    for tick, evidence in enumerate(walk_errors(lambda part: (0.005, 0.5), 5.0, seed=12), start=1):
        found = np.where((evidence >= LINE) & (found == 10_000), tick, found)
    assert (found <= 120).mean() > 0.999
    assert np.median(found) <= 8


def test_twenty_metrics_at_once_share_one_alpha() -> None:
    rng = np.random.default_rng(13)
    runs, metrics = 500, 20
    log_e = np.zeros((runs, metrics, STEPS.size))
    alarmed = np.zeros(runs, dtype=bool)
    for _ in range(80):
        events = rng.poisson(3.0, (runs, metrics))
        ours = rng.binomial(events, 0.5)
        log_e = update_mixture(log_e, STEPS, events, ours, np.full((runs, metrics), 0.5))
        alarmed |= log_mean_exp(mixture_evidence(log_e)) >= LINE
    assert alarmed.sum() <= allowed(runs)


def histograms(rng: np.random.Generator, median: float, n: int, runs: int, slower: float = 1.0) -> np.ndarray:
    """Counts per bucket of lognormal latencies, drawn by their exact bucket probabilities."""
    bounds = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
    up_to = stats.norm.cdf((np.log(bounds) - np.log(median * slower)) / 0.6)
    return rng.multinomial(n, np.diff([0.0, *up_to, 1.0]), size=runs)


@pytest.mark.parametrize(("slower", "least", "most"), [(1.0, 0.0, ALPHA), (1.2, 0.99, 1.0)])
def test_latency_with_a_shared_drift(slower: float, least: float, most: float) -> None:
    rng = np.random.default_rng(14)
    s_v = np.zeros((RUNS, 2))
    alarmed = np.zeros(RUNS, dtype=bool)
    for tick in range(100):
        share, median = 0.1 + 0.8 * tick / 100, 0.1 * (1 + tick / 50)
        m = int(100 * share)
        theirs = histograms(rng, median, 100 - m, RUNS)
        ours = histograms(rng, median, m, RUNS, slower)
        s_v += rank_increment(count_bucket_wins(theirs, ours), 100 - m, m)
        alarmed |= rank_evidence(s_v[:, 0], s_v[:, 1]) >= LINE
    assert alarmed.sum() >= least * RUNS
    assert alarmed.sum() <= (allowed(RUNS) if most == ALPHA else RUNS)


@pytest.mark.parametrize(("base", "ratio"), [(0.01, 1.0), (0.01, 3.0), (0.2, 2.0), (0.3, 0.5)])
def test_bounds_of_a_ratio_hold_at_every_look(base: float, ratio: float) -> None:
    """Also where errors are frequent, for which only the wide side is proven. 25 looks per run."""
    rng = np.random.default_rng(15)
    runs, missed = 250, 0
    for _ in range(runs):
        psi, ours, theirs, out = np.zeros(NORMALISER_GRID.size), 0, 0, False
        for look in range(25):
            m = 20 + 5 * look
            x, y = rng.binomial(m, base * ratio), rng.binomial(150 - m, base)
            ours, theirs = ours + x, theirs + y
            psi = update_normaliser(psi, x + y, m / 150)
            low, high = ratio_interval(psi, ours, theirs, ALPHA, STEPS)
            out |= (low or 0.0) > ratio or (high or np.inf) < ratio
        missed += out
    assert missed <= stats.binom.ppf(0.999, runs, 2 * ALPHA)


def test_bounds_of_slower_pairs_hold_at_every_look() -> None:
    rng = np.random.default_rng(16)
    runs, missed = 400, 0
    truth = stats.norm.cdf(np.log(1.5) / (0.6 * np.sqrt(2)))
    for _ in range(runs):
        weighted = weight = 0.0
        out = False
        for _look in range(30):
            theirs = np.sort(rng.lognormal(0, 0.6, 40))
            wins = np.searchsorted(theirs, rng.lognormal(np.log(1.5), 0.6, 10)).sum()
            step = wins_increment(float(wins), 40, 10)
            weighted, weight = weighted + step[0], weight + step[1]
            low, high = wins_interval(weighted, weight, ALPHA)
            out |= not low <= truth <= high
        missed += out
    assert missed <= allowed(runs)


STEP_TICKS = 20
SPLITS = (0.1, 0.5, 0.9)


def walk_steps(rates: tuple[float, ...], times_worse: tuple[float, ...], seed: int):
    """Yield (tick, evidence restarted with each step, evidence of the step alone) of every run.

    Written with e-values, not with the logarithms that the watch keeps.
    """
    rng = np.random.default_rng(seed)
    whole, restarts = np.zeros((RUNS, STEPS.size)), np.full(RUNS, np.exp(FIRST_STAKE))
    for k, (rate, worse, split) in enumerate(zip(rates, times_worse, SPLITS, strict=True), start=1):
        step, stake = np.zeros((RUNS, STEPS.size)), restarts
        for tick in range(STEP_TICKS):
            ours_n = rng.binomial(200, split, RUNS)
            ours = rng.binomial(ours_n, min(1.0, rate * worse))
            events = ours + rng.binomial(200 - ours_n, rate)
            whole = update_mixture(whole, STEPS, events, ours, ours_n / 200)
            step = update_mixture(step, STEPS, events, ours, ours_n / 200)
            alone = mixture_evidence(step)
            logs = [
                mixture_evidence(whole) - np.log(2),
                np.log(stake) + alone,
                np.full(RUNS, -(k + 1) * np.log(2)),
            ]
            yield k, tick + 1, np.logaddexp.reduce(logs), alone
        restarts = stake * np.exp(alone) + 0.5 ** (k + 2)


@pytest.mark.parametrize("rates", [(0.02, 0.02, 0.02), (0.4, 0.004, 0.1), (0.002, 0.3, 0.02)])
def test_alike_in_several_steps_is_rarely_rolled_back(rates: tuple[float, ...]) -> None:
    """At every look the mean of an e-process is at most 1, and all looks together alarm at most α."""
    alarmed = np.zeros(RUNS, dtype=bool)
    for _, _, evidence, _ in walk_steps(rates, (1.0, 1.0, 1.0), seed=21):
        alarmed |= evidence >= LINE
        value = np.exp(evidence)
        assert value.mean() <= 1 + 4 * value.std() / np.sqrt(RUNS)
    assert alarmed.sum() <= allowed(RUNS)


@pytest.mark.parametrize("first", [0.0001, 0.02, 0.4])
def test_harm_in_the_second_step_costs_a_fresh_watch_and_its_weight(first: float) -> None:
    """Whether the first step had hardly an event or an outage; 0.5% against 2.5% in the second."""
    found, fresh = np.full(RUNS, 99), np.full(RUNS, 99)
    for k, tick, evidence, alone in walk_steps((first, 0.005, 0.005), (1.0, 5.0, 5.0), seed=22):
        if k == 2:
            found = np.where((evidence >= LINE) & (found == 99), tick, found)
            fresh = np.where((alone >= LINE) & (fresh == 99), tick, fresh)
    assert np.median(found) <= np.median(fresh) * (1 + np.log(8) / LINE) + 1
    assert (found <= STEP_TICKS).mean() > 0.95


def test_bounds_of_a_difference_hold_while_rate_and_split_change() -> None:
    """Twice the errors, with a rate that rises as traffic moves to the candidate. Four looks per run."""
    rng = np.random.default_rng(23)
    runs, missed = 150, 0
    for _ in range(runs):
        theirs = ours = both = truth = 0.0
        out = False
        for look in range(30):
            m, rate = 20 + 5 * look, 0.01 + 0.01 * look
            more = matched_increment(rng.binomial(200 - m, rate), 200 - m, rng.binomial(m, 2 * rate), m)
            theirs, ours, both = theirs + more[0], ours + more[1], both + more[2]
            truth += more[2] * rate
            if look not in (3, 9, 19, 29):
                continue
            high = rate_interval(ours, both, ALPHA / 2)[1] - rate_interval(theirs, both, ALPHA / 2)[0]
            out |= high < truth / both
        missed += out
    assert missed <= allowed(runs)
