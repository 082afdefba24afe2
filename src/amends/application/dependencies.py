"""Who needs whom, and who owns what, as the policies in the log say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.depends_on import DependsOn
from amends.gates.policy import Policy
from amends.incidents.neighbourhood import Edge


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The graph of services, as the last policy of each says that was known by a moment."""

    edges: tuple[Edge, ...] = ()


def read_dependencies(log: Log, until: datetime) -> Dependencies:
    """Return the graph as it was known by then. Policies that cannot be read say nothing."""
    latest: dict[str, Fact] = {}
    for fact in log.facts(kinds=("policy.adopted",)):
        told = fact.payload
        if isinstance(told, p.PolicyAdopted) and fact.known_at is not None and fact.known_at <= until:
            latest[told.service] = fact
    return Dependencies(tuple(edge for fact in latest.values() for edge in _edges(fact)))


def owner_of(log: Log, service: str) -> str:
    """Return the team that owns a service: its policy's, or else its last release's; empty if unknown."""
    tags = [f"service:{service}"]
    for fact in log.facts(tags=tags, kinds=("policy.adopted",), newest_first=True, limit=5):
        if isinstance(fact.payload, p.PolicyAdopted) and (policy := read_policy(fact.payload.text)):
            return policy.team
    for fact in log.facts(tags=tags, kinds=("artifact.packaged",), newest_first=True, limit=1):
        return str(getattr(fact.payload, "team", ""))
    return ""


@lru_cache(maxsize=256)
def read_policy(text: str) -> Policy | None:
    """Read the text of a recorded policy; ``None`` for one that cannot be read."""
    from pydantic import ValidationError
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return Policy.model_validate(YAML(typ="safe").load(text))
    except (ValidationError, YAMLError, TypeError, ValueError):
        return None


def _edges(fact: Fact) -> Iterator[Edge]:
    told = fact.payload
    assert isinstance(told, p.PolicyAdopted)
    policy = read_policy(told.text) if "depends_on" in told.text else None
    if policy is None:
        return
    for environment, entries in policy.gates.items():
        for entry in entries:
            if isinstance(entry.gate, DependsOn):
                yield from _of_gate(told.service, environment, entry.gate, fact.id)


def _of_gate(service: str, environment: str, gate: DependsOn, event: str) -> Iterator[Edge]:
    for need in gate.services:
        yield Edge(service, environment, need.service, need.environment or environment, event)
    for one in gate.needed_by:
        yield Edge(one.service, one.environment or environment, service, environment, event)
