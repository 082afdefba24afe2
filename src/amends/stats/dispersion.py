"""How much more two equal arms differ than independent requests would, from a baseline against itself.

Say that D is what a tick adds to a score (events on one side less its share of them) and V the variance that
independent requests give it. Over a long time the sum of D has the variance F·ΣV. F is 1 for independent
requests and more where they come in bunches or where a side's rate wanders: quasi-likelihood's dispersion
(McCullagh & Nelder 1989, chapters 4 and 9; Williams 1982 for extra-binomial variation). Dividing counts by
F makes the sequential tests hold again, as far as their score is a Brownian motion: *approximately*.

A wandering rate is the same for many ticks, so that F of single ticks is far too small. Sums over blocks
of 1, 4, 16, 64 and 256 ticks are kept instead (batch means; the variance-time curve), and F is the largest of

- the longest block with at least 20 sums, F_b, and that of a quarter of it;
- (F_b − 0.4·F_(b/4))/0.6, whose bias is of the other sign than that of F_b while noise outlasts a block
  (lugsail: Vats & Flegal 2022, "Lugsail lag windows for estimating time-average covariance matrices");
- where F_b is certainly above 1: an AR(1) whose F grows from b/4 to b as seen, carried on to `HORIZON`.

**Uncertainty.** With F̂ on ν degrees of freedom, a line at 1/α is reached with probability about α^(F̂/F),
since the score is a Brownian motion. F̂/F is χ²_ν/ν, and the mean of α^(cF̂/F) is exactly α for

    c = ν·(α^(−2/ν) − 1) / (2·ln(1/α))

which is what `inflation` returns: 1.2 for ν = 26, 1.7 for 9, 21 for 2. Used is c·F̂: a short history weakens
the evidence by itself, and no length needs to be called sufficient. Degrees of freedom are counted as if
noise lasted at least 16 ticks, which a short history could not show.

**What this does not promise.** Noise slower than the history that it was estimated from is not in it: an
hour tells little of swings that last twenty minutes (simulated: 1 to 3 false rollbacks in 100 instead of 1
in 100; with eight hours of history fewer than 1). Noise that all instances of one arm share, and that the
other arm has not, is in no half of a baseline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amends.stats.combination import Floats

SPANS = (1, 4, 16, 64, 256)
HORIZON = 360  # ticks of the watch that F is carried on to: an hour of ticks of 10 s
FIELDS = 6  # of a span: open sum of D, of V, open ticks; closed blocks' sum of D², of V, their number
_ENOUGH = 20
_LUGSAIL = 0.4
_FREEDOM = (1 - _LUGSAIL) ** 2 / (1 + _LUGSAIL**2 / 4 - _LUGSAIL / 2)  # per block, for white noise
_PLAUSIBLE = 16  # ticks that noise may last although a short history cannot show it
_LIKELY = 2.6  # standard deviations: one in two hundred, for each of some spans
_CERTAIN = 3.3  # one in two thousand, since it is asked at every look

_PERSISTENCE: Floats = np.concatenate([[0.0], 1 - np.geomspace(0.9, 1 / 400, 60)])


def _growth(persistence: Floats, ticks: float) -> Floats:
    """Return F − 1 of a block over that of a tick, for AR(1) noise."""
    rest = 1 - persistence
    return (1 + persistence) / rest - 2 * persistence * (1 - persistence**ticks) / (ticks * rest**2)


def no_blocks(*shape: int) -> Floats:
    """Return the sums before the first tick, for one history or for an array of them."""
    return np.zeros((*shape, len(SPANS), FIELDS))


def add_tick(blocks: npt.ArrayLike, deviation: npt.ArrayLike, variance: npt.ArrayLike) -> Floats:
    """Return ``blocks`` after a tick with the score ``deviation`` and its ``variance`` under independence.

    ``blocks`` has the shape (…, spans, 6), the others (…). A tick without an event passes time: only a whole
    block without any is not counted.
    """
    table = np.array(blocks, dtype=np.float64)
    table[..., 0] += np.asarray(deviation, dtype=np.float64)[..., None]
    table[..., 1] += np.asarray(variance, dtype=np.float64)[..., None]
    table[..., 2] += 1
    full = table[..., 2] >= np.array(SPANS)
    table[..., 3] += np.where(full, table[..., 0] ** 2, 0.0)
    table[..., 4] += np.where(full, table[..., 1], 0.0)
    table[..., 5] += full & (table[..., 1] > 0)
    table[..., :3] *= ~full[..., None]
    return table


def carry_over(blocks: npt.ArrayLike, most_ticks: float) -> Floats:
    """Return the sums for a later watch: open blocks are dropped, and old ones fade beyond ``most_ticks``."""
    table = np.array(blocks, dtype=np.float64)
    table[..., :3] = 0.0
    ticks = table[..., :1, 5:6]
    table[..., 3:] *= np.minimum(1.0, most_ticks / np.maximum(ticks, 1.0))
    return table


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The Fano factor between two equal arms, one value or an array of them.

    ``factor`` is the estimate, ``used`` what counts are divided by so that α holds although it is an
    estimate (infinite without history: evidence that cannot be judged is none). ``certain`` says that the
    data rule out a factor of 1; ``ticks`` is how much was compared, ``freedom`` the degrees of freedom.
    """

    factor: Floats
    used: Floats
    certain: npt.NDArray[np.bool_]
    ticks: Floats
    freedom: Floats


def inflation(freedom: npt.ArrayLike, alpha: float) -> Floats:
    """Return by how much an estimated factor is raised so that α holds on average over its error."""
    nu = np.asarray(freedom, dtype=np.float64)
    line = math.log(1 / alpha)
    known = nu > 0
    safe = np.where(known, nu, 1.0)
    with np.errstate(over="ignore"):
        raised = safe * np.expm1(2 * line / safe) / (2 * line)
    return np.where(known, raised, np.inf)


def estimate_dispersion(blocks: npt.ArrayLike, alpha: float, horizon: float = HORIZON) -> Dispersion:
    """Return the factor of what `add_tick` gathered.

    Parameters
    ----------
    alpha:
        Of the test whose counts it divides.
    horizon:
        How many ticks the test will run: slow noise is carried on to that length.
    """
    table = np.asarray(blocks, dtype=np.float64)
    number = table[..., 5]
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.where(number > 0, table[..., 3] / table[..., 4], 1.0)
    place = np.maximum(1, (number >= _ENOUGH).sum(axis=-1) - 1)[..., None]
    here, short = (np.take_along_axis(curve, place - back, -1)[..., 0] for back in (0, 1))
    count = np.take_along_axis(number, place, -1)[..., 0]
    beyond = _beyond_chance(curve, number, place, _LIKELY)
    certain = _beyond_chance(curve, number, place, _CERTAIN)
    lugsail = (here - _LUGSAIL * short) / (1 - _LUGSAIL)
    best = np.maximum.reduce([here, short, lugsail, curve[..., 0], np.ones_like(here)])
    slow = _carried_on(here, short, place[..., 0], horizon)
    factor = np.where(beyond, np.maximum(best, slow), best)
    freedom = np.minimum(count, number[..., 0] / _PLAUSIBLE) * _FREEDOM
    raised = inflation(freedom, alpha)
    return Dispersion(factor, factor * raised, certain, number[..., 0], freedom)


def _beyond_chance(
    curve: Floats, number: Floats, place: npt.NDArray[np.intp], deviations: float
) -> npt.NDArray[np.bool_]:
    """Say whether any span up to the one used rules out independent requests (Wilson & Hilferty 1931)."""
    nu = np.maximum(number, 1.0)
    line = (1 - 2 / (9 * nu) + deviations * np.sqrt(2 / (9 * nu))) ** 3
    judged = (np.arange(len(SPANS)) <= place) & (number >= _ENOUGH / 2)
    return np.asarray(np.any((curve > line) & judged, axis=-1))


def _carried_on(here: Floats, short: Floats, place: npt.NDArray[np.intp], horizon: float) -> Floats:
    """Return F over ``horizon`` ticks of AR(1) noise that grows from a quarter of a span to it as seen."""
    result = np.ones_like(here)
    seen = np.clip((here - 1) / np.maximum(short - 1, 1e-9), 1.0, 4.0)
    for level in range(1, len(SPANS)):
        span = SPANS[level]
        at = _growth(_PERSISTENCE, span)
        rise = np.interp(seen, at / _growth(_PERSISTENCE, span / 4), _growth(_PERSISTENCE, horizon) / at)
        result = np.where(place == level, 1 + np.maximum(here - 1, 0.0) * np.maximum(rise, 1.0), result)
    return result


def event_score(events: npt.ArrayLike, ours: npt.ArrayLike, share: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return (D, V) of counts: ``ours`` of ``events`` on a side with this ``share`` of the traffic."""
    total = np.asarray(events, dtype=np.float64)
    theta = np.asarray(share, dtype=np.float64)
    return np.asarray(ours, dtype=np.float64) - total * theta, total * theta * (1 - theta)
