"""A backtest in sentences: the verdict first, and plain where chance explains it."""

from __future__ import annotations

from amends.backtests.comparison import Comparison
from amends.backtests.effect import Effect
from amends.backtests.price import Backtest, HeldRelease, Holder, IncidentAnswer, LeadTime
from amends.backtests.sweep import Sweep
from amends.gates.shape import format_duration


def verdict_sentence(found: Backtest) -> str:
    """Say the verdict in a sentence or two."""
    nothing = _nothing_to_tell(found)
    if nothing:
        return f"no evidence: {nothing}."
    told = f"it would have stopped {found.count('stopped'):,} of {plural(len(found.incidents), 'incident')}"
    counted = found.effect.difference
    if counted.cases == len(found.incidents):
        told += f", and holding as many releases at random {counted.expected:.1f}"
    else:
        told += (
            f"; of the {plural(counted.cases, 'escape')} that can be compared it would have held "
            f"{counted.marked_cases:,}, and holding as many releases at random {counted.expected:.1f}"
        )
    if found.effect.verdict == "helps":
        return f"helps: {told}."
    if found.effect.verdict == "harms":
        return f"harms: it holds good releases rather than those with a defect; {told}."
    return f"no evidence: this history cannot tell the policy from chance; {told}."


def _nothing_to_tell(found: Backtest) -> str:
    """Return why there can be no verdict, or nothing."""
    place, cases = found.environment, found.effect.difference.cases
    if not found.deployments:
        return f"nobody recorded a deployment to {place} in this time, so there is nothing to price"
    if not found.gates:
        what = "no gates" if not found.listed else "no gate that counts"
        return f"the policy sets {what} for {place}, so there is nothing to price"
    if not found.incidents:
        return f"no incident is on record for {place}, so there is nothing that the policy could have stopped"
    if found.count("undecided") == len(found.incidents):
        return (
            "for none of the incidents was the evidence recorded that the gates ask for, so nobody can tell"
        )
    if not cases:
        return "no incident can be compared with good releases of its time (see the notes)"
    return ""


def effect_sentence(effect: Effect) -> str:
    """Say an effect with its interval, in points (hundredths)."""
    found = effect.difference
    if found.estimate is None:
        return "not known"
    return f"{points(found.estimate)} points (95% interval {points(found.low)} to {points(found.high)})"


def points(share: float) -> str:
    """Write a difference of shares in points, with its sign."""
    value = round(share * 100, 1)
    return f"{value:+.0f}" if abs(value) >= 10 or value == int(value) else f"{value:+.1f}"


def plural(count: int, thing: str) -> str:
    """Write a count with its thing."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def lead_time_sentence(found: LeadTime) -> str:
    """Say what the policy would have added to the lead time of good releases."""
    if found.median is None or found.p90 is None or found.mean is None:
        text = "none to tell"
    else:
        text = (
            f"median {format_duration(found.median)}, nine in ten at most {format_duration(found.p90)}, "
            f"mean {format_duration(found.mean)}"
        )
    if found.open_ended:
        text += f"; {plural(found.open_ended, 'release')} held with no end in sight, not counted in these"
    if found.unknown:
        text += f"; not known for {plural(found.unknown, 'release')}, of which evidence is missing"
    return text


def guard_sentences(found: Backtest) -> list[str]:
    """Say what a reader has to know before they believe the verdict."""
    return [*_of_the_effect(found), *_of_the_counts(found)]


def _of_the_effect(found: Backtest) -> list[str]:
    told = []
    guards, difference = found.guards, found.effect.difference
    if guards.left_out:
        names = ", ".join(guards.left_out)
        told.append(f"left out of the verdict, because a gate was written for it: {names}")
    if guards.set_aside:
        names = ", ".join(guards.set_aside)
        told.append(f"set aside for the verdict, as evidence is missing for most deployments: {names}")
    if guards.carried_by:
        told.append(f"one incident carries the verdict: without {guards.carried_by} there is none")
    if difference.estimate is not None:
        told.append(f"effect: {effect_sentence(found.effect)}, within strata of time")
        early, late = effect_sentence(guards.early), effect_sentence(guards.late)
        told.append(f"earlier half: {early}; later half: {late}")
    if {guards.early.verdict, guards.late.verdict} == {"helps", "harms"}:
        told.append("the halves contradict each other: what held then may not hold now")
    if difference.spread > 1.5:
        told.append("incidents and holds come in runs, so the interval is wider than for as many single ones")
    return told


def _of_the_counts(found: Backtest) -> list[str]:
    told = []
    share, undecided = found.guards.held_share, found.count("undecided")
    if share is not None and share > 0.5:
        told.append(f"it would have held {share:.0%} of the deployments that count")
    if found.uncertain:
        was = plural(found.uncertain, "deployment")
        told.append(
            f"{was} on neither side: reverted for a reason nobody can tell, or of a release that escaped"
        )
    if undecided:
        told.append(f"{plural(undecided, 'incident')} undecided: what the gates ask for was never recorded")
    if found.only_delayed:
        told.append(f"{found.only_delayed} of the stopped would only have gone out later")
    return told


def holders_sentence(holders: tuple[Holder, ...]) -> str:
    """Name the gates that hold, and why the first does."""
    if not holders:
        return ""
    return f"{', '.join(one.gate for one in holders)} ({holders[0].reason})"


def incident_sentence(one: IncidentAnswer) -> str:
    """Say in a line what the policy would have done about an incident's release."""
    if one.answer == "not stopped":
        return "not stopped: every gate let it pass"
    if one.answer == "undecided":
        return f"undecided: {one.note}" if one.note else "undecided"
    return f"{'delayed' if one.only_delayed else 'stopped'} by {holders_sentence(one.holders)}"


def held_sentence(one: HeldRelease) -> str:
    """Say for how long a good release would have been held, and by what."""
    if one.seconds is None:
        return f"no end in sight, by {holders_sentence(one.holders)}"
    return f"{format_duration(one.seconds)}, by {holders_sentence(one.holders)}"


def comparison_sentence(found: Comparison) -> str:
    """Say what changes against the other policy."""
    gained, lost = len(found.newly_stopped), len(found.no_longer_stopped)
    text = (
        f"stops {plural(gained, 'more incident')} and {lost:,} fewer, holds "
        f"{plural(found.newly_held, 'more good release')} and {found.no_longer_held:,} fewer"
    )
    if not (gained or lost or found.newly_held or found.no_longer_held):
        return "no difference: both hold the same releases"
    if found.estimate is None:
        return f"no evidence: it {text}"
    low, high = found.interval
    return (
        f"{found.verdict}: against the other policy it {text}; difference of effects "
        f"{points(found.estimate)} points (95% interval {points(low)} to {points(high)})"
    )


def sweep_sentence(found: Sweep) -> str:
    """Say which variant the earlier half speaks for, with its figures from the later half."""
    point = found.picked
    if point is None:
        return (
            f"no pick: of {plural(len(found.points), 'variant')} none can be told from chance in the earlier "
            "half of the history"
        )
    late, what = point.late, "the policy as it is" if point.variant.current else point.variant.label
    delay = "an unknown delay" if late.delay is None else f"{format_duration(late.delay)} on average"
    return (
        f"{what}: picked on the earlier half of the history; in the later half it stops {late.stopped} of "
        f"{plural(late.escapes, 'escape')} and adds {delay} to good releases; effect there "
        f"{effect_sentence(late.effect)}, {late.effect.verdict}"
    )
