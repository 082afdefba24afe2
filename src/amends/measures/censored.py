"""Quantiles of durations of which some have not ended: the product-limit estimator.

A case that is still open has lasted *at least* so long. To leave it out, or to average what has ended, makes
recovery look quicker the longer the open cases last. Kaplan and Meier's estimator counts an open case among
those at risk for as long as it has been seen, and no longer.

Source: E. L. Kaplan, P. Meier, *Nonparametric Estimation from Incomplete Observations*, JASA 53 (1958).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amends.measures.measure import FEWEST, Figure

QUANTILES = (
    (0.25, "a quarter ended within"),
    (0.5, "half ended within (median)"),
    (0.9, "nine of ten ended within"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A duration of ``low`` to ``high`` seconds; without ``high`` it goes on, ``low`` seconds so far."""

    low: float
    high: float | None

    @property
    def open(self) -> bool:
        return self.high is None


def quantile(times: Sequence[tuple[float, bool]], share: float) -> float | None:
    """Return the time within which a share of all cases has ended.

    Parameters
    ----------
    times:
        Seconds, and whether the case ended then (``False``: it was still open).
    share:
        Between 0 and 1.

    ``None`` where too many are still open for anybody to know.
    """
    ordered = sorted(times, key=lambda one: (one[0], not one[1]))
    lasting, at_risk = 1.0, len(ordered)
    for seconds, ended in ordered:
        if ended:
            lasting *= 1 - 1 / at_risk
            if lasting <= 1 - share + 1e-12:
                return seconds
        at_risk -= 1
    return None


def quantiles_of(
    spans: Sequence[Span], *, what: str = "", missing: int = 0, where: tuple[tuple[str, str], ...] = ()
) -> tuple[Figure, ...]:
    """Return how many cases there are, how many of them are open, and the quantiles, as figures.

    ``missing`` counts cases of which a moment was never recorded: nobody knows them, they count nowhere.
    A duration whose ends are uncertain gives each quantile as a range.
    """
    ended = [span for span in spans if not span.open]
    prefix = f"{what}: " if what else ""
    notes = [f"{len(spans) - len(ended)} still open"] if len(ended) < len(spans) else []
    notes += [f"{missing} more not recorded"] if missing else []
    counted = Figure(f"{prefix}cases", len(spans), "count", note=", ".join(notes), where=where)
    told = QUANTILES if len(ended) >= FEWEST else QUANTILES[1:2]
    return (
        counted, *(_quantile(spans, len(ended), share, prefix + label, where) for share, label in told)
    )  # fmt: skip


def _quantile(
    spans: Sequence[Span], ended: int, share: float, label: str, where: tuple[tuple[str, str], ...]
) -> Figure:
    if ended < FEWEST:
        note = f"undecided: {ended} ended; {FEWEST} are needed"
        return Figure(label, None, "seconds", note=note, where=where)
    low = quantile([(span.low, not span.open) for span in spans], share)
    high = quantile([(span.low if span.high is None else span.high, not span.open) for span in spans], share)
    if low is None or high is None:
        longest = max(span.low for span in spans)
        return Figure(
            label, None, "seconds", low=longest, bounds="so far", where=where,
            note="undecided: too many are still open",
        )  # fmt: skip
    uncertain = {"low": low, "high": high, "bounds": "uncertain times"} if low != high else {}
    return Figure(label, high if low == high else (low + high) / 2, "seconds", where=where, **uncertain)  # type: ignore[arg-type]
