"""Shares with their uncertainty."""

from __future__ import annotations

from math import sqrt

from amends.measures.measure import Figure

_Z = 1.959963984540054  # the normal distribution's 97.5% point


def share_interval(hits: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share; ``of`` is at least 1.

    Source: E. B. Wilson, *Probable Inference*, JASA 22 (1927); recommended for few cases by Brown, Cai and
    DasGupta, *Interval Estimation for a Binomial Proportion*, Statistical Science 16 (2001).
    """
    share = hits / of
    spread = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    middle, scale = share + _Z**2 / (2 * of), 1 + _Z**2 / of
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return (0.0 if hits == 0 else low), (1.0 if hits == of else high)


def share_of(label: str, hits: int, of: int, *, what: str, where: tuple[tuple[str, str], ...] = ()) -> Figure:
    """Return a share as a figure; of nothing it is undecided."""
    if not of:
        return Figure(label, None, "share", note=f"undecided: no {what}", where=where)
    low, high = share_interval(hits, of)
    return Figure(
        label, hits / of, "share", low, high, "95% interval", note=f"{hits} of {of} {what}", where=where
    )
