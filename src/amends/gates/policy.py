"""The policy of a service, as ``amends.yaml`` states it, and as it was loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Self

from pydantic import Field, model_validator

from amends.gates.entry import GateEntry
from amends.gates.entry import gate_kinds as gate_kinds
from amends.gates.gate import Calendars
from amends.gates.plan import Deploy as Deploy
from amends.gates.plan import Rollout as Rollout
from amends.gates.plan import Watch as Watch
from amends.gates.replay_plan import Replay as Replay
from amends.gates.results import Watched
from amends.gates.review_rules import IncidentRules, ReviewRules
from amends.gates.shape import Strict
from amends.gates.soak import Soak
from amends.gates.watchers import Watchers
from amends.gates.when import Tier as Tier


class Policy(Strict):
    """What a release of one service meets on its way.

    ``environments`` are in the order in which a release passes through them. An environment under ``gates``
    with an empty list lets every release pass that is not quarantined; one that is not listed there is
    undecided.
    """

    service: str = Field(min_length=1)
    team: str = Field(default="", description="the team that owns the service")
    tier: Tier = "client-specific"
    test: str = Field(default="", description="the command that runs the tests, for example: pytest")
    environments: list[str] = Field(min_length=1)
    gates: dict[str, list[GateEntry]] = Field(default_factory=dict)
    rollout: Rollout = Field(default_factory=Rollout)
    watch: Watch = Field(default_factory=Watch)
    deploy: Deploy = Field(default_factory=Deploy)
    replay: Replay = Field(default_factory=Replay)
    incidents: IncidentRules = Field(default_factory=IncidentRules)
    review: ReviewRules = Field(default_factory=ReviewRules)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        complaints = list(self.complaints())
        if complaints:
            raise PolicyFlawsError(complaints)
        return self

    def complaints(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """Yield the place and the fault of each thing that contradicts another."""
        for name in self.environments:
            if self.environments.count(name) > 1:
                yield ("environments",), f"environment {name!r} is listed twice"
                break
        for name in self.rollout.environments:
            if name not in self.environments:
                yield ("rollout", "environments"), f"unknown environment {name!r}"
        for environment, entries in self.gates.items():
            if environment not in self.environments:
                yield ("gates", environment), unknown_environment(environment, self.environments)
                continue
            names = [entry.name for entry in entries if entry.name]
            for index, entry in enumerate(entries):
                place = ("gates", environment, index)
                if names.count(entry.name) > 1:
                    yield (*place, "name"), f"two gates of {environment} are called {entry.name!r}"
                yield from self._entry_complaints(place, environment, entry)

    def _entry_complaints(
        self, place: tuple[str | int, ...], environment: str, entry: GateEntry
    ) -> Iterable[tuple[tuple[str | int, ...], str]]:
        gate, order = entry.gate, self.environments
        for needed in gate.environments():
            if needed not in order:
                yield (*place, entry.kind, "environment"), unknown_environment(needed, order)
            elif isinstance(gate, Soak | Watched) and order.index(needed) >= order.index(environment):
                does = "soaks" if isinstance(gate, Soak) else "is watched"
                yield (
                    (*place, entry.kind, "environment"),
                    f"a release {does} in {needed} only after it was let into {environment}, so this "
                    f"gate never opens; name an environment that comes before {environment}",
                )
        if any(service == self.service for service, _ in gate.neighbours()):
            yield (*place, entry.kind), f"{self.service} is this service itself; name another one"
        if isinstance(gate, Watchers):
            if not (gate.team or self.team):
                yield (
                    (*place, entry.kind),
                    "watchers of which team? neither the gate nor the policy names one",
                )
            if gate.needed(self.tier) is None:
                yield (*place, entry.kind, "at_least"), f"no number for this service's tier, {self.tier}"

    def labels(self, environment: str) -> list[str]:
        """Return the names of an environment's gates: their own, or their kind, numbered where it repeats."""
        found: list[str] = []
        for entry in self.gates.get(environment, []):
            label, number = entry.name or entry.kind, 2
            while label in found:
                label, number = f"{entry.kind}-{number}", number + 1
            found.append(label)
        return found

    def unlisted(self) -> list[str]:
        """Return the environments for which `gates` says nothing: every release is undecided there."""
        return [environment for environment in self.environments if environment not in self.gates]

    def calendar_keys(self) -> tuple[str, ...]:
        """Return the keys of all calendars that the gates need."""
        keys = [k for entries in self.gates.values() for e in entries for k in e.gate.calendar_keys()]
        return tuple(dict.fromkeys(keys))

    def neighbours(self, environment: str) -> tuple[tuple[str, str], ...]:
        """Return the other services at which an environment's gates look, each with where it runs."""
        named = {pair for entry in self.gates.get(environment, []) for pair in entry.gate.neighbours()}
        return tuple(sorted({(service, place or environment) for service, place in named}))

    def snapshot(self) -> dict[str, Any]:
        """Return what a deployment follows to its end, as JSON-able values; each part validates again."""
        parts = {"rollout", "watch", "deploy", "team", "tier"}
        found: dict[str, Any] = self.model_dump(mode="json", by_alias=True, include=parts)
        return found


class PolicyFlawsError(ValueError):
    """Contradictions in a policy that is otherwise well formed, each with its place."""

    def __init__(self, flaws: list[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(text for _, text in flaws))
        self.flaws = flaws


def unknown_environment(name: str, known: list[str]) -> str:
    """Say that a policy does not know an environment, and which it may have meant."""
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"unknown environment `{name}`; allowed: {', '.join(known)}{hint}"


def policy_digest(text: str, calendars: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) of a policy's text; with calendars, of it and of their content.

    The text alone when the policy names no calendar, so that ``sha256sum amends.yaml`` gives the same.
    """
    found = hashlib.sha256(text.encode())
    for key in sorted(calendars):
        found.update(b"\0" + key.encode() + b"\0" + calendars[key].encode())
    return found.hexdigest()


Place = tuple[str | int, ...]


def _first_line(place: Place) -> int:  # noqa: ARG001 - the signature of a finder of lines
    return 1


def _no_calendars(start: float, end: float) -> Calendars:  # noqa: ARG001 - the signature of a resolver
    return {}


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with the text that it was read from.

    A decision must be the same whenever it is made again from the same policy, log and moment. What a
    calendar says is therefore part of the policy: ``calendars`` holds, for each calendar that a gate names,
    its content (the text of an iCalendar file; for public holidays the version of the rules), ``digest``
    covers it, and ``policy.adopted`` keeps it in the log. ``resolve`` turns that content, and nothing else,
    into intervals between two moments (seconds since the epoch), before they reach a gate. ``line_of`` gives
    the line of a place in the text, counted from 1.
    """

    policy: Policy
    text: str
    digest: str
    path: str = "amends.yaml"
    calendars: Mapping[str, str] = field(default_factory=dict)
    resolve: Callable[[float, float], Calendars] = _no_calendars
    line_of: Callable[[Place], int] = _first_line
