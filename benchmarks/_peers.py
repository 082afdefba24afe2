"""The rules of other judges, as published, for comparison: from arrays of runs × looks to who is rolled back.

Kayenta's is in ``_kayenta.py``. Seconds of the first alarm; infinite where there is none.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

Floats = np.ndarray


def first(alarms: np.ndarray, every: float) -> Floats:
    """Return when each run was first rolled back; ``alarms`` is runs × looks, ``every`` seconds apart."""
    hit = alarms.any(axis=1)
    return np.where(hit, (alarms.argmax(axis=1) + 1) * every, np.inf)


def flagger(bad: np.ndarray, threshold: int = 5, every: float = 60) -> Floats:
    """Flagger's canary analysis: failed checks add up; acted on at the tick that follows."""
    return first(np.cumsum(bad, axis=1) >= threshold, every) + every


def argo(bad: np.ndarray, failure_limit: int = 0, every: float = 60) -> Floats:
    """Argo Rollouts' AnalysisRun: failed as soon as more than ``failureLimit`` measurements have failed."""
    return first(np.cumsum(bad, axis=1) > failure_limit, every)


def netflix_counts(
    baseline: Floats, candidate: Floats, share: float, alpha: float, prior: float = 2.0
) -> np.ndarray:
    """Sequential multinomial test of Lindon & Malek (arXiv 2011.03567) on the split of the errors.

    ``baseline`` and ``candidate`` are running totals; the Dirichlet prior is ``prior`` times the split of the
    traffic. It has no direction: only alarms with more errors than expected on the candidate are counted.
    """
    theta = np.array([1 - share, share])
    a, b = prior * theta
    log_e = betaln(a + baseline, b + candidate) - betaln(a, b)
    log_e -= baseline * np.log(theta[0]) + candidate * np.log(theta[1])
    worse = candidate > share * (baseline + candidate)
    return (log_e >= np.log(1 / alpha)) & worse


def netflix_band(baseline: Floats, candidate: Floats, alpha: float) -> np.ndarray:
    """Lindon, Sanden & Shirikian 2022 (arXiv 2205.14762): bands around both distributions, at every look.

    Running counts per bucket along the last axis. One-sided: slower is worse.
    """

    def width(n: Floats, a: float) -> Floats:
        n = np.maximum(n, 1)
        return 0.85 * np.sqrt((np.log(np.log(np.e * n)) + 0.8 * np.log(1612 / a)) / n)

    n, m = baseline.sum(axis=-1), candidate.sum(axis=-1)
    apart = np.cumsum(baseline, axis=-1) / np.maximum(n, 1)[..., None]
    apart = apart - np.cumsum(candidate, axis=-1) / np.maximum(m, 1)[..., None]
    return apart.max(axis=-1) > width(n, alpha / 2) + width(m, alpha / 2)
