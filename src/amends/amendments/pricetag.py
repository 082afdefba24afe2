"""A gate's price in sentences, for whoever decides whether it is worth it."""

from __future__ import annotations

from amends.backtests.wording import plural, points
from amends.events.payloads import Price
from amends.gates.shape import format_duration

_MEANS = {
    "helps": "it tells bad releases from good ones",
    "harms": "it holds good releases rather than bad ones",
    "no evidence": "this history cannot tell it from chance",
}


def cost_sentence(price: Price) -> str:
    """Say what a gate would have cost past good releases."""
    if not price.good_releases:
        return "No past good release is recorded."
    text = f"Of {plural(price.good_releases, 'past good release')} it would have held {len(price.held)}"
    if price.held and price.held_seconds is not None:
        text += f", for {format_duration(price.held_seconds)} in all"
    elif price.held:
        text += ", some with no end in sight"
    return text + (f"; about {len(price.undecided)} nobody can tell." if price.undecided else ".")


def worth_sentence(price: Price) -> str:
    """Say what a gate would have done about incidents other than its own; empty where nobody asked."""
    if not price.verdict:
        return ""
    if not price.incidents:
        return "No other incident is on record, so that nobody can tell whether it helps beyond its own."
    text = (
        f"Of {plural(price.incidents, 'other incident')} it would have stopped {len(price.stopped)}"
        f"{f' ({price.undecided_incidents} undecided)' if price.undecided_incidents else ''}: "
        f"{price.verdict}, {_MEANS.get(price.verdict, '')}"
    )
    if len(price.interval) == 2:
        low, high = price.interval
        text += f" (difference in points: {points(low)} to {points(high)})"
    return f"{text}."
