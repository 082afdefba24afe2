"""Which recorded inputs are replayed: safe ones, each once, and of too many some of every route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from amends.prevention.replay.causes import route_of
from amends.prevention.replay.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Chosen:
    """The inputs to send, and how many others were left out, by reason."""

    inputs: tuple[Recorded, ...]
    left_out: tuple[tuple[str, int], ...]


def choose(requests: Iterable[Recorded], *, sandbox: bool, most: int) -> Chosen:
    """Return what to send. ``sandbox`` allows methods that change something; ``most`` bounds the number."""
    out: Counter[str] = Counter()
    distinct: dict[str, Recorded] = {}
    for request in requests:
        if not (sandbox or request.safe):
            out[f"{request.method} changes something, and no --sandbox was declared"] += 1
        elif request.key in distinct:
            out["asks the same as another"] += 1
        else:
            distinct[request.key] = request
    found = _some_of_each(list(distinct.values()), most)
    if len(found) < len(distinct):
        out[f"beyond --limit {most}"] += len(distinct) - len(found)
    return Chosen(tuple(found), tuple(sorted(out.items())))


def _some_of_each(requests: Sequence[Recorded], most: int) -> list[Recorded]:
    """Take from the routes by turns, so that a frequent one does not crowd out the others."""
    if len(requests) <= most:
        return list(requests)
    routes: dict[tuple[str, str], list[Recorded]] = {}
    for request in requests:
        routes.setdefault((request.method, route_of(request.path)), []).append(request)
    found: list[Recorded] = []
    for turn in range(max(map(len, routes.values()))):
        found += [own[turn] for own in routes.values() if turn < len(own)]
        if len(found) >= most:
            break
    return found[:most]
