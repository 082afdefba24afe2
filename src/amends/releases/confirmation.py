"""Whether what a deployer observed is what was ordered. What it does not say confirms nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from amends.releases.actuation import Action, Actuation, Observation

TOLERANCE = 10
"""Percentage points by which a shift may miss its weight: platforms that move whole replicas round."""


def unconfirmed(order: Actuation, seen: Observation) -> str:
    """Return in a sentence how the observation contradicts the order; empty when it confirms it."""
    share = seen.weights.get(order.candidate.version, 0)
    if order.action in (Action.START, Action.ROLL_BACK):
        return _without_traffic(order, seen, share)
    if order.action is Action.PROMOTE:
        return "" if share == 100 else f"{order.candidate} was promoted and has {share}% of the traffic"
    missed = abs(share - order.weight)
    if (order.weight and not share) or missed > TOLERANCE:
        return f"{order.candidate} was to have {order.weight}% of the traffic and has {share}%"
    return ""


def _without_traffic(order: Actuation, seen: Observation, share: int) -> str:
    if share:
        return f"{order.candidate} was to have no traffic and has {share}%"
    if order.action is Action.START or order.baseline is None:
        return ""
    kept = seen.weights.get(order.baseline.version, 0)
    return "" if kept == 100 else f"{order.baseline} was to have all the traffic and has {kept}%"


def observed_data(seen: Observation) -> dict[str, Any]:
    """Return an observation as plain JSON values, without its output, which an outcome keeps beside it."""
    data: dict[str, Any] = msgspec.to_builtins(seen)
    data.pop("detail", None)
    return data
