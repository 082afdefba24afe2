"""What a right answer is, for a written test: no failure, what the fix answers, or what a person says."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from amends.errors import UsageError
from amends.prevention.literals import flat

MOST_FIELDS = 3

Place = tuple[str | int, ...]
By = Literal["", "fix", "person"]


@dataclass(frozen=True, slots=True)
class Oracle:
    """What a test asserts.

    ``no failure``: that it does not fail as in production. ``raises``: that it is refused with the exception
    ``name``. ``value``: that the answer, at each of ``places``, is what stands there (the whole answer at the
    empty place). ``status``: that the reply, or the command, has this code. ``by`` says whose word it is.
    """

    kind: Literal["no failure", "raises", "value", "status"] = "no failure"
    by: By = ""
    name: str = ""
    status: int = 0
    places: tuple[tuple[Place, Any], ...] = ()

    def told(self, fix: str = "") -> str:
        """Say in a sentence where the right answer comes from, for the test's readers."""
        if self.by == "person":
            return "The right answer was stated by a person."
        if self.by == "fix":
            return f"The right answer is the fix's{f' ({fix})' if fix else ''}."
        return "Any answer is right that is not this failure."


def stated(text: str, *, http: bool) -> Oracle:
    """Return the oracle that a person states: a Python or JSON literal, or a status for an HTTP reply.

    Raises ``UsageError`` when the text is neither.
    """
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if http and isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return Oracle("status", "person", status=value)
        return Oracle("value", "person", places=(((), value),))
    raise UsageError(
        f"found the expectation {text!r}, which is no literal",
        remedy="write a value as in Python or JSON: --expect 12, --expect '\"none\"', --expect '[1, 2]'",
    )


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield the parts of a value that have no parts themselves, each with its place."""
    if isinstance(value, dict) and value and all(isinstance(key, str | int) for key in value):
        for key, item in value.items():
            yield from leaves(item, (*place, key))
    elif isinstance(value, list | tuple) and value:
        for n, item in enumerate(value):
            yield from leaves(item, (*place, n))
    else:
        yield place, value


def differences(bad: Sequence[Any], good: Sequence[Any]) -> tuple[tuple[Place, Any], ...]:
    """Return where the answers of two revisions differ, with the good one's value there.

    Each revision answered several times; a place at which one of them does not always say the same tells
    nothing and is left out. Where the shapes differ, the whole answers do.
    """
    first, second = [dict(_flat(one)) for one in bad], [dict(_flat(one)) for one in good]
    whole = dict(leaves(good[0]))
    if not _steady(first, None) or not _steady(second, None):
        found = [
            (place, item) for place, item in whole.items()
            if _steady(first, place) and _steady(second, place)
            and first[0].get(place) not in (None, second[0].get(place))
        ]  # fmt: skip
        return tuple(found)
    if first[0] == second[0]:
        return ()
    if set(first[0]) != set(second[0]):
        return (((), good[0]),)
    return tuple((place, item) for place, item in whole.items() if first[0][place] != second[0][place])


def asserted(found: Sequence[tuple[Place, Any]], good: Any, *, whole: bool) -> tuple[tuple[Place, Any], ...]:
    """Choose what a test asserts of what differs: with ``whole`` a small answer as a whole, else fields."""
    if whole and len(flat(good)) <= 200 and found:
        return (((), good),)
    return tuple(found[:MOST_FIELDS])


def kinds_of(found: Sequence[tuple[Place, Any]]) -> frozenset[Place]:
    """Return the places without the positions in lists: ``items.*.price``."""
    return frozenset(tuple("*" if isinstance(step, int) else step for step in place) for place, _ in found)


def field_name(place: Place) -> str:
    """Return a place as a person writes it: ``items.0.price``; ``the answer`` for the whole."""
    return ".".join(str(step) for step in place) or "the answer"


def _flat(value: Any) -> Iterator[tuple[Place, str]]:
    return ((place, flat(item)) for place, item in leaves(value))


def _steady(answers: Sequence[dict[Place, str]], place: Place | None) -> bool:
    if place is None:
        return all(one == answers[0] for one in answers)
    return all(one.get(place) == answers[0].get(place) and place in one for one in answers)
