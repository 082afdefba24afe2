"""What the watch makes of its evidence in the first step of a rollout, for arrays of simulated watches."""

from __future__ import annotations

import numpy as np

from amends.stats.restarts import FIRST_STAKE


def mixed(evidence: np.ndarray) -> np.ndarray:
    """Return the watch's evidence where the whole watch is the step (`amends.stats.restarts`)."""
    parts = np.stack([evidence - np.log(2), evidence + FIRST_STAKE, np.full_like(evidence, -2 * np.log(2))])
    return np.logaddexp.reduce(parts)
