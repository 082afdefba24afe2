"""Differences grouped by what they have in common: the inputs in which they show, and what those ask alike.

Fields that differ in the same inputs are taken for one cause. For each cause the property of the inputs is
looked for that tells them best from the others: by Matthews' correlation (Matthews 1975, Biochimica et
Biophysica Acta 405:442), of one property, or of two together where that is clearly better.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from amends.prevention.replay.judging import Difference
from amends.prevention.replay.recorded import Recorded

_ALIKE = 0.8
_TELLS = 0.6
_MOST_PROPERTIES = 3_000
_DEEPEST = 6
_MOST_STEPS = 12
_CHANGING = re.compile(r"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F-]{36}|\S{25,}")
_HEADERS = ("accept", "accept-language", "content-type", "x-requested-with", "origin")


@dataclass(frozen=True, slots=True)
class Cause:
    """Differences that show in the same inputs.

    ``depends_on`` are the properties that all those inputs are best told by; empty where none tells them.
    ``matching`` of the ``of`` inputs that were compared have them, ``hit`` of those are affected;
    ``requests`` are all that are affected.
    """

    differences: tuple[Difference, ...]
    requests: tuple[int, ...]
    depends_on: tuple[str, ...]
    matching: int
    hit: int
    of: int

    @property
    def head(self) -> Difference:
        """The difference that is named first."""
        return self.differences[0]


def group_causes(differences: Sequence[Difference], inputs: Mapping[int, Recorded]) -> tuple[Cause, ...]:
    """Return the causes, the one with the most inputs first. ``inputs`` are those that were compared."""
    groups: list[tuple[set[int], list[Difference]]] = []
    told: set[int] = set()
    for one in sorted(differences, key=lambda d: (_rank(d), -d.count, d.field)):
        mine = set(one.requests)
        if one.field == "status":
            told = mine
        elif len(rest := mine - told) > (1 - _ALIKE) * len(mine):
            mine = rest  # with another status the whole body is another; that is said once
        _add(groups, mine, one)
    properties = {index: frozenset(properties_of(request)) for index, request in inputs.items()}
    found = [_cause(requests, members, properties) for requests, members in groups]
    return tuple(sorted(found, key=lambda cause: (_rank(cause.head), -len(cause.requests))))


def _add(groups: list[tuple[set[int], list[Difference]]], mine: set[int], one: Difference) -> None:
    for requests, members in groups:
        if _same_cause(mine, requests, members[0]):
            members.append(one)
            return
    groups.append((mine, [one]))


def _rank(one: Difference) -> int:
    return 0 if one.field == "status" else 2 if one.field.endswith("[#]") or "~" in one.field else 1


def _same_cause(mine: set[int], theirs: set[int], head: Difference) -> bool:
    """Return whether two sets of inputs are nearly the same, or lie within those with another status."""
    both = len(mine & theirs)
    if head.field == "status" and mine and both >= _ALIKE * len(mine):
        return True
    return both >= _ALIKE * len(mine | theirs) if mine | theirs else True


def _cause(requests: set[int], members: list[Difference], properties: Mapping[int, frozenset[str]]) -> Cause:
    depends = _telling(requests & set(properties), properties)
    having = {i for i, own in properties.items() if depends and depends <= own}
    return Cause(
        tuple(members), tuple(sorted(requests)), tuple(sorted(depends, key=_order)), len(having),
        len(having & requests), len(properties),
    )  # fmt: skip


def _order(text: str) -> tuple[bool, str]:
    return not text.startswith("asked "), text


def _telling(affected: set[int], properties: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """Return the one or two properties by which the affected inputs are told best, if any does."""
    if not affected or len(affected) == len(properties):
        return frozenset()
    holders: dict[str, set[int]] = {}
    for index, own in properties.items():
        for one in own:
            holders.setdefault(one, set()).add(index)
    met = {one for index in affected for one in properties[index]}
    scored = sorted(
        ((_correlation(holders[one], affected, len(properties)), one) for one in met),
        key=lambda pair: (-pair[0], len(pair[1]), pair[1]),
    )[:_MOST_PROPERTIES]
    if not scored:
        return frozenset()
    best, telling = scored[0][0], frozenset({scored[0][1]})
    alone = best
    for _, first in scored[:12]:
        for _, second in scored[:200]:
            score = _correlation(holders[first] & holders[second], affected, len(properties))
            if score > best + 1e-9 and score > alone + 0.05:
                best, telling = score, frozenset({first, second})
    return telling if best >= _TELLS else frozenset()


def _correlation(having: set[int], affected: set[int], of: int) -> float:
    both = len(having & affected)
    only, missed = len(having) - both, len(affected) - both
    neither = of - both - only - missed
    below = math.sqrt(len(having) * len(affected) * (of - len(having)) * (of - len(affected)))
    return (both * neither - only * missed) / below if below else 0.0


def route_of(path: str) -> str:
    """Return a path with what changes from request to request left out: ``/items/{}``."""
    return "/".join("{}" if _CHANGING.fullmatch(step) else step for step in path.split("/"))


def properties_of(request: Recorded) -> Iterator[str]:
    """Yield what may be said about an input, in words; values only where they are short."""
    yield f"asked {request.method} {route_of(request.path)}"
    yield f"asked by {request.method}"
    for number, step in enumerate(request.path.split("/")[1:_MOST_STEPS], 1):
        yield from _of_value(f"part {number} of the path", step)
    yield from _of_pairs("query", request.query)
    for name, value in request.headers:
        if name.lower() in _HEADERS:
            yield f"header {name.lower()} is {value[:60]}"
    kind = next((v for k, v in request.headers if k.lower() == "content-type"), "")
    if request.body and "form-urlencoded" in kind:
        yield from _of_pairs("form", parse_qsl(request.body.decode("utf-8", "replace"), True)[:200])
    elif request.body:
        yield from _of_body(request.body)


def _of_pairs(where: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    names = []
    for name, value in pairs:
        names.append(name)
        yield f"{where} has {name}"
        yield from _of_value(f"{where} {name}", value)
    yield from (f"{where} repeats {name}" for name in sorted({n for n in names if names.count(n) > 1}))


def _of_value(what: str, value: str) -> Iterator[str]:
    if len(value) <= 40:
        yield f"{what} is {value!r}"
    if not value:
        return
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        yield f"{what} is a number"
        yield from _of_number(what, float(value))
    if not value.isascii():
        yield f"{what} has characters beyond ASCII"
    if value != value.strip() or " " in value:
        yield f"{what} has blanks"
    length = "one character" if len(value) == 1 else f"{'2 to' if len(value) <= 20 else 'over'} 20 characters"
    yield f"{what} is of {length}"


def _of_number(what: str, value: float) -> Iterator[str]:
    if value < 0:
        yield f"{what} is negative"
    elif value == 0:
        yield f"{what} is 0"
    elif value >= 1000:
        yield f"{what} is 1000 or more"


def _of_body(body: bytes) -> Iterator[str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        yield "body is no JSON"
        return
    yield from _of_json("body", value, 0)


def _of_json(where: str, value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, one in list(value.items())[:200]:
            yield f"{where} has {key}"
            yield from _of_json(f"{where}.{key}", one, depth + 1)
    elif isinstance(value, list):
        yield f"{where} has {len(value) if len(value) < 2 else 'several'} elements"
        for one in value[:50]:
            yield from _of_json(f"{where}[]", one, depth + 1)
    elif isinstance(value, str):
        yield from _of_value(where, value)
    elif isinstance(value, bool) or value is None:
        yield f"{where} is {json.dumps(value)}"
    elif isinstance(value, int | float):
        yield f"{where} is {value}"
        yield from _of_number(where, float(value))
