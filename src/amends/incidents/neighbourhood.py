"""The services around an incident: what its service needs, and what needs it, as policies say."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from amends.events.payloads.casework import Relation

Node = tuple[str, str]
"""A service, and the environment where it runs."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One service needs another, each in an environment, as the event of a policy says."""

    service: str
    environment: str
    needs: str
    needs_in: str
    event: str


@dataclass(frozen=True, slots=True)
class Near:
    """A service around another one. ``path`` are the services between the two, ``events`` their policies."""

    service: str
    environment: str
    relation: Relation
    path: tuple[str, ...]
    events: tuple[str, ...]

    @property
    def direct(self) -> bool:
        return not self.path


def around(edges: Iterable[Edge], service: str, environment: str) -> tuple[Near, ...]:
    """Return what a service needs, then what needs it, each the nearest first; also by way of others.

    A service that stands on both sides of a circle counts as upstream: what it does reaches this one.
    """
    edges = tuple(edges)
    start = (service, environment)
    needs: dict[Node, list[tuple[Node, str]]] = {}
    needed: dict[Node, list[tuple[Node, str]]] = {}
    for edge in edges:
        here, there = (edge.service, edge.environment), (edge.needs, edge.needs_in)
        needs.setdefault(here, []).append((there, edge.event))
        needed.setdefault(there, []).append((here, edge.event))
    up = _walk(needs, start, "upstream")
    known = {near.service for near in up}
    down = [near for near in _walk(needed, start, "downstream") if near.service not in known]
    return (*up, *down)


def _walk(next_to: dict[Node, list[tuple[Node, str]]], start: Node, relation: Relation) -> list[Near]:
    found: dict[str, Near] = {}
    queue: deque[tuple[Node, tuple[str, ...], tuple[str, ...]]] = deque([(start, (), ())])
    seen = {start}
    while queue:
        node, path, events = queue.popleft()
        for other, event in sorted(next_to.get(node, ())):
            if other in seen:
                continue
            seen.add(other)
            told = tuple(dict.fromkeys((*events, event)))
            if other[0] != start[0]:
                found.setdefault(other[0], Near(other[0], other[1], relation, path, told))
            queue.append((other, (*path, other[0]), told))
    return list(found.values())
