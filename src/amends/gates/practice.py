"""Holds a policy against what the log shows of its service: what can hardly come to pass as it is lived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from statistics import median

from amends.gates.policy import Policy
from amends.gates.shape import format_duration
from amends.gates.sign_off import SignOff
from amends.gates.soak import Soak
from amends.gates.soundness import Finding, Placed, Weight, placed_gates
from amends.gates.table import team_name
from amends.gates.watchers import Watchers

ENOUGH = 5
"""From how many deployments on their absence elsewhere, or their rhythm, says something."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A release that took an environment over from another one; epoch seconds."""

    at: float
    release: str


@dataclass(frozen=True, slots=True)
class Practice:
    """What the log shows of a service.

    ``arrivals`` are those of each environment, oldest first. ``suites`` and ``roles`` have recorded runs and
    sign-offs, ``teams`` a shift, ``traffic`` are environments with observed requests. ``until`` is the moment
    up to which the log was read.
    """

    until: float
    arrivals: Mapping[str, Sequence[Arrival]] = field(default_factory=dict)
    suites: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    traffic: frozenset[str] = frozenset()

    @property
    def deployments(self) -> int:
        return sum(len(found) for found in self.arrivals.values())


def practice_findings(policy: Policy, seen: Practice) -> list[Finding]:
    """Return what the log speaks against; nothing where the log shows too little to tell."""
    found = list(_unvisited(policy, seen))
    for gate in placed_gates(policy):
        asked = gate.entry.gate
        if isinstance(asked, Soak):
            found += [*_outrun(gate, asked, seen), *_unobserved(gate, asked, seen)]
        elif isinstance(asked, SignOff):
            found += _never_signed(gate, asked, seen)
        elif isinstance(asked, Watchers):
            found += _never_watched(gate, asked, policy, seen)
        found += _never_run(gate, getattr(asked, "suites", ()), seen)
    return found


def _unvisited(policy: Policy, seen: Practice) -> Iterator[Finding]:
    """Find environments to which nobody deploys, though there are deployments elsewhere."""
    visited = [name for name in policy.environments if seen.arrivals.get(name)]
    others = sorted(set(seen.arrivals) - set(policy.environments))
    for index, name in enumerate(policy.environments):
        if name in visited or not seen.deployments:
            continue
        near = get_close_matches(name, others, n=1, cutoff=0.5)
        meant = f"; the log has deployments to {near[0]}: is that meant?" if near else ""
        yield Finding(
            Weight.DOUBT if seen.deployments >= ENOUGH else Weight.NOTE, ("environments", index),
            f"nobody deploys to {name}: none of {seen.deployments} recorded deployments went there{meant}",
            "take the environment out, mend its name, or record deployments to it (`amends record deployed`)",
        )  # fmt: skip


def _outrun(gate: Placed, soak: Soak, seen: Practice) -> Iterator[Finding]:
    """Find a soak that lasts longer than releases stay: the next one always begins it anew."""
    arrivals = seen.arrivals.get(soak.environment, ())
    stays = [later.at - earlier.at for earlier, later in pairwise(arrivals)]
    place = (*gate.place, gate.entry.kind, "for")
    if len(stays) < ENOUGH - 1:
        yield Finding(
            Weight.NOTE, place,
            f"whether releases stay {format_duration(soak.seconds)} in {soak.environment} cannot be told: "
            f"the log has {len(arrivals)} deployments there",
            f"check again once it has {ENOUGH}",
        )  # fmt: skip
        return
    usual = median(stays)
    if usual >= soak.seconds:
        return
    long_enough = sum(stay >= soak.seconds for stay in stays)
    yield Finding(
        Weight.DOUBT, place,
        f"the soak is longer than the release train: a release stays {format_duration(usual)} in "
        f"{soak.environment} before the next one takes over (median of {len(stays)}), the gate asks for "
        f"{format_duration(soak.seconds)}; {long_enough} of {len(stays)} stayed long enough",
        f"soak for at most {format_duration(usual)}, or let releases come to {soak.environment} less often",
    )  # fmt: skip


def _unobserved(gate: Placed, soak: Soak, seen: Practice) -> Iterator[Finding]:
    if not soak.min_requests:
        yield Finding(
            Weight.DOUBT, (*gate.place, gate.entry.kind, "min_requests"),
            f"this soak asks for time alone: it passes where nobody used the release in {soak.environment}",
            "ask for some requests (`min_requests: 1` or more), and record traffic",
        )  # fmt: skip
    elif seen.arrivals.get(soak.environment) and soak.environment not in seen.traffic:
        yield Finding(
            _weight(seen), (*gate.place, gate.entry.kind),
            f"no traffic was ever recorded in {soak.environment}, so no soak there ever passes",
            "record it (`amends record traffic`), or watch the environment",
        )  # fmt: skip


def _never_run(gate: Placed, suites: Sequence[str], seen: Practice) -> Iterator[Finding]:
    for index, suite in enumerate(suites):
        if suite in seen.suites:
            continue
        near = get_close_matches(suite, sorted(seen.suites), n=1, cutoff=0.6)
        known = f"; recorded are {', '.join(sorted(seen.suites)[:5])}" if seen.suites else ""
        meant = f"; did you mean {near[0]}?" if near else known
        yield Finding(
            Weight.DOUBT if seen.suites else _weight(seen), (*gate.place, gate.entry.kind, "suites", index),
            f"no run of the suite {suite} was ever recorded{meant}",
            f"record its runs (`amends record tests --suite {suite} …`), or name another suite",
        )  # fmt: skip


def _never_signed(gate: Placed, asked: SignOff, seen: Practice) -> Iterator[Finding]:
    if asked.role not in seen.roles:
        near = get_close_matches(asked.role, sorted(seen.roles), n=1, cutoff=0.6)
        meant = f"; did you mean {near[0]}?" if near else ""
        yield Finding(
            _weight(seen), (*gate.place, gate.entry.kind, "role"),
            f"the role {asked.role} has never signed a release off{meant}",
            f"record it (`amends record sign-off --role {asked.role} …`), or name another role",
        )  # fmt: skip


def _never_watched(gate: Placed, asked: Watchers, policy: Policy, seen: Practice) -> Iterator[Finding]:
    for team in asked.teams(policy.team):
        if team_name(team) not in {team_name(known) for known in seen.teams}:
            yield Finding(
                _weight(seen), (*gate.place, gate.entry.kind),
                f"no shift of {team} was ever recorded, so this gate is always undecided",
                f"record shifts (`amends record shift --team {team} …`), or name another team",
            )  # fmt: skip


def _weight(seen: Practice) -> Weight:
    """A log that has only begun says little by what it does not hold."""
    return Weight.DOUBT if seen.deployments >= ENOUGH else Weight.NOTE
