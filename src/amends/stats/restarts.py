"""One e-process for a whole watch out of one that runs all along and ones that restart with each step.

Evidence that one step gave for "no worse" would drown what the next one shows. So the whole watch is half
of a mixture, and the other half restarts: 2^-(k+1) of it is kept back for step k, counts as 1 until then, and
is from then on multiplied by that step's own e-process and those after it,

    M = W/2 + R_k·E_k + 2^-(k+1),   R_1 = 1/4,   R_(k+1) = R_k·E_k + 2^-(k+2)

with W of the whole watch and E_k of the step alone, both 1 at their start. The weights are fixed beforehand
and sum to 1. Each part is a supermartingale under "no worse", hence so is M, which starts at 1: by Ville's
inequality it ever reaches 1/α with probability at most α, over all steps and looks together. Found in step k
is thus what a watch that began there would find with ln(2^(k+1)) nats more, whatever came before: 0.3 nats in
the first step (where W and E_1 are the same), 2.1 in the second, 2.8 in the third.

Source: the mixture of restarts is that of Shiryaev (1963) and Roberts (1966); with e-processes Shin, Ramdas
& Rinaldo, "E-detectors" (arXiv 2203.03532), here with weights that sum to 1, so that it is not only an
e-detector but an e-process.
"""

from __future__ import annotations

import math

import numpy as np

_LN2 = math.log(2)
FIRST_STAKE = -2 * _LN2  # ln R_1


def next_stake(log_stake: float, log_step: float, step: int) -> float:
    """Return ln R of the step after ``step`` (1 is the first), from that one's stake and log e-value.

    A step may end whenever one likes: what it ends on is a stopping time, and a stopped e-process stays one.
    """
    return float(np.logaddexp(log_stake + log_step, -(step + 2) * _LN2))


def restarted_evidence(log_whole: float, log_step: float, log_stake: float, step: int) -> float:
    """Return ln M from the log e-values of the whole watch and of the current ``step`` (1 is the first)."""
    parts = np.array([log_whole - _LN2, log_step + log_stake, -(step + 1) * _LN2])
    return float(np.logaddexp.reduce(parts))
