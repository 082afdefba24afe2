"""What is wrong with a policy though every line of it is well formed: found without any log.

``Finding`` is also what ``gates.practice`` returns, which holds a policy against what the log shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from amends.gates.bearings import Bearing, bearing_of, bearing_of_when
from amends.gates.depends_on import DependsOn
from amends.gates.entry import GateEntry
from amends.gates.gate import Calendars, Intervals, Setting
from amends.gates.policy import Place, Policy
from amends.gates.sign_off import SignOff
from amends.gates.stretches import joined, labelled, without
from amends.gates.window import LOOK_AHEAD, Window


class Weight(StrEnum):
    """How much a finding weighs."""

    FAULT = "fault"  # no release can ever get past it
    DOUBT = "doubt"  # it hardly does what was meant
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its place in the policy, what was found and how to mend it."""

    weight: Weight
    place: Place
    text: str
    mend: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A gate with its place in the policy and its label."""

    place: Place
    environment: str
    label: str
    entry: GateEntry


def placed_gates(policy: Policy) -> list[Placed]:
    """Return all gates of a policy that may apply to its service."""
    return [
        Placed(("gates", environment, index), environment, label, entry)
        for environment, entries in policy.gates.items()
        for index, (label, entry) in enumerate(zip(policy.labels(environment), entries, strict=True))
        if applies_here(policy, entry)
    ]


def applies_here(policy: Policy, entry: GateEntry) -> bool:
    """Whether a gate may ever apply to this service."""
    return entry.when is None or not entry.when.tiers or policy.tier in entry.when.tiers


def soundness_of(policy: Policy, calendars: Calendars, past: Calendars, now: datetime) -> list[Finding]:
    """Return what contradicts itself, never opens, or has no effect.

    Parameters
    ----------
    calendars:
        The intervals of the policy's calendars from ``now`` to ``LOOK_AHEAD`` beyond it.
    past:
        Those of some years before ``now``.
    """
    setting = Setting(tier=policy.tier, team=policy.team, calendars=calendars)
    gates = placed_gates(policy)
    found = [*_without_gates(policy), *_for_other_tiers(policy), *_impossible_sign_offs(policy, gates)]
    for environment in policy.gates:
        own = [gate for gate in gates if gate.environment == environment]
        found += [*_closed(own, setting, now), *_spent(own, calendars, past), *_idle(own)]
        found += _only_observing(environment, own)
    return found


def _without_gates(policy: Policy) -> Iterator[Finding]:
    for name in policy.unlisted():
        yield Finding(
            Weight.NOTE, ("environments", policy.environments.index(name)),
            f"no gates are set for {name}, so nothing gets there",
            f"write `{name}: []` under gates if every release may go",
        )  # fmt: skip


def _for_other_tiers(policy: Policy) -> Iterator[Finding]:
    for environment, entries in policy.gates.items():
        for index, entry in enumerate(entries):
            if not applies_here(policy, entry):
                yield Finding(
                    Weight.NOTE, ("gates", environment, index, "when"),
                    f"this gate never applies to {policy.service}, which is {policy.tier}",
                    f"add {policy.tier} to `when.tiers`, or leave it for services that share this list",
                )  # fmt: skip


def _impossible_sign_offs(policy: Policy, gates: Sequence[Placed]) -> Iterator[Finding]:
    order = policy.environments
    for gate in gates:
        asked = gate.entry.gate
        if not isinstance(asked, SignOff) or not asked.environment:
            continue
        if order.index(asked.environment) >= order.index(gate.environment):
            yield Finding(
                Weight.DOUBT, (*gate.place, gate.entry.kind, "environment"),
                f"{asked.role} can try a release in {asked.environment} only after it was let into "
                f"{gate.environment}",
                f"name an environment that comes before {gate.environment}, or none",
            )  # fmt: skip


def _closed(gates: Sequence[Placed], setting: Setting, now: datetime) -> Iterator[Finding]:
    """Find windows (and freezes of what a release needs) that never open, alone or together."""
    since = now.timestamp()
    together: Intervals | None = None
    before: list[Placed] = []
    for gate in gates:
        alone = _openings(gate, since, setting)
        if alone is None:
            continue
        if not len(alone.starts):
            yield _never_opens(gate, since, setting)
            continue
        shared = alone if together is None else _shared(together, alone)
        if together is not None and not len(shared.starts):
            yield _never_both(gate, before)
            continue
        together, before = shared, [*before, gate]


def _openings(gate: Placed, since: float, setting: Setting) -> Intervals | None:
    """Return when a gate's calendar lets a release pass; ``None`` for a gate without one."""
    asked = gate.entry.gate
    if isinstance(asked, Window):
        return asked.openings(since, setting)
    keys = asked.calendar_keys()
    if not keys or not isinstance(asked, DependsOn):
        return None
    zone = ZoneInfo(asked.time_zone)
    frozen = sorted(part for key in keys for part in labelled(setting.calendars[key], "freeze", zone))
    ahead = Intervals(np.array([since]), np.array([since + LOOK_AHEAD]))
    return without(ahead, joined([(start, end) for start, end, _ in frozen]))


def _never_opens(gate: Placed, since: float, setting: Setting) -> Finding:
    window = gate.entry.gate
    if not isinstance(window, Window):
        return Finding(
            Weight.FAULT, (*gate.place, gate.entry.kind),
            f"what {gate.label} waits for is in a freeze for the next {_days(LOOK_AHEAD)} days",
            "shorten or end the freezes in the calendar",
        )  # fmt: skip
    bare = window.model_copy(update={"freezes": "", "holidays": None})
    if len(bare.openings(since, setting).starts):
        cause = " and ".join(
            name for name, on in (("freezes", window.freezes), ("public holidays", window.holidays)) if on
        )
        text = f"the window never opens within {_days(LOOK_AHEAD)} days: {cause} cover every opening of "
        mend = "shorten or end the freezes in the calendar, or allow more days and hours"
        text += bare.wants()
    else:
        text = f"the window never opens: {bare.wants()} leaves no time"
        mend = "allow more days or hours"
    return Finding(Weight.FAULT, (*gate.place, gate.entry.kind), text, mend)


def _never_both(gate: Placed, before: Sequence[Placed]) -> Finding:
    blocks = all(one.entry.mode == "block" for one in (gate, *before))
    others = " and ".join(one.label for one in before)
    only = "" if blocks else " (some of them only observe so far)"
    return Finding(
        Weight.FAULT if blocks else Weight.DOUBT, (*gate.place, gate.entry.kind),
        f"{gate.label} contradicts {others}: they are never open at the same time{only}",
        f"let the windows of {gate.environment} overlap, or keep one of them",
    )  # fmt: skip


def _shared(one: Intervals, other: Intervals) -> Intervals:
    """Return where both are open; each is sorted and without overlaps."""
    starts, ends = [], []
    i = j = 0
    while i < len(one.starts) and j < len(other.starts):
        low, high = max(one.starts[i], other.starts[j]), min(one.ends[i], other.ends[j])
        if low < high:
            starts.append(low)
            ends.append(high)
        if one.ends[i] <= other.ends[j]:
            i += 1
        else:
            j += 1
    return Intervals(np.array(starts, dtype=np.float64), np.array(ends, dtype=np.float64))


def _spent(gates: Sequence[Placed], calendars: Calendars, past: Calendars) -> Iterator[Finding]:
    """Find calendars that say nothing about what is to come."""
    for gate in gates:
        for key in gate.entry.gate.calendar_keys():
            kind, _, name = key.partition(":")
            if kind != "file" or len(calendars[key].starts):
                continue
            ended = past[key].ends
            text = f"the calendar {name} holds no freeze from today on"
            text += f"; its last one ended {_day(float(ended.max()))}" if len(ended) else ", nor before"
            yield Finding(
                Weight.DOUBT, (*gate.place, gate.entry.kind, "freezes"), text,
                "export the calendar anew, or take `freezes` out",
            )  # fmt: skip


def _idle(gates: Sequence[Placed]) -> Iterator[Finding]:
    """Find gates that ask for nothing that another of the same kind does not ask for."""
    for index, gate in enumerate(gates):
        for other in gates[:index]:
            if other.entry.kind != gate.entry.kind:
                continue
            weaker, stronger = _weaker(gate, other)
            if weaker is not None and stronger is not None:
                yield Finding(
                    Weight.DOUBT, weaker.place,
                    f"{weaker.label} has no effect: it asks for nothing that {stronger.label} of "
                    f"{gate.environment} does not ask for",
                    f"keep one of {other.label} and {gate.label}, or say with `when` which is for what",
                )  # fmt: skip


def _weaker(gate: Placed, other: Placed) -> tuple[Placed | None, Placed | None]:
    """Return the one of two gates of a kind that asks nothing beyond the other, and the other."""
    for one, rest in ((gate, other), (other, gate)):
        asked = bearing_of(one.entry.gate, rest.entry.gate)
        scope = bearing_of_when(one.entry.when, rest.entry.when)
        counts = rest.entry.mode == "block" or one.entry.mode == "observe"
        if counts and asked in (None, Bearing.STRICTER) and scope in (None, Bearing.STRICTER):
            return one, rest
    return None, None


def _only_observing(environment: str, gates: Sequence[Placed]) -> Iterator[Finding]:
    if gates and all(gate.entry.mode == "observe" for gate in gates):
        yield Finding(
            Weight.NOTE, ("gates", environment),
            f"every gate of {environment} only observes, so every release that is not quarantined may go",
            "set `mode: block` where a gate shall count",
        )  # fmt: skip


def _day(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d}"


def _days(seconds: float) -> int:
    return int(seconds // 86400)
