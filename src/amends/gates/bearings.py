"""Whether one gate asks more than another of its kind: which way each parameter points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from amends.gates.gate import Gate
from amends.gates.when import When
from amends.gates.window import parse_hours


class Bearing(StrEnum):
    """How a parameter's new value stands to its old one."""

    STRICTER = "stricter"
    LOOSER = "looser"
    OTHER = "other"


def bearing_of(old: Gate, new: Gate) -> Bearing | None:
    """Return how a gate stands to another of its kind; ``None`` when they ask the same.

    ``OTHER`` where some parameters are stricter and some looser, or where more of one is not less of the
    other (another team, another time zone).
    """
    found = []
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            rule = _RULES.get((_kind(new), name), _other)
            found.append(rule(before, after))
    return _together(found)


def bearing_of_when(old: When | None, new: When | None) -> Bearing | None:
    """Return whether a gate applies to more (stricter) or to less (looser) than before."""
    if old == new:
        return None
    if old is None or new is None:
        return Bearing.LOOSER if old is None else Bearing.STRICTER
    found = [] if old.tiers == new.tiers else [_everything_if_empty(old.tiers, new.tiers)]
    if old.of_changes != new.of_changes:
        found.append(Bearing.LOOSER if new.of_changes else Bearing.STRICTER)
    else:
        found += [] if old.paths == new.paths else [_more_words(old.paths, new.paths)]
        sizes = ((old.lines_over, new.lines_over), (old.files_over, new.files_over))
        found += [_lower_limit(before, after) for before, after in sizes if before != after]
    return _together(found)


def _kind(gate: Gate) -> str:
    return type(gate).__name__


def _together(found: Iterable[Bearing]) -> Bearing | None:
    seen = set(found)
    if not seen:
        return None
    return seen.pop() if len(seen) == 1 else Bearing.OTHER


def _other(_before: Any, _after: Any) -> Bearing:
    return Bearing.OTHER


def _more(before: Any, after: Any) -> Bearing:
    return Bearing.STRICTER if after > before else Bearing.LOOSER


def _more_words(before: Iterable[Any], after: Iterable[Any]) -> Bearing:
    old, new = set(before), set(after)
    if old < new:
        return Bearing.STRICTER
    return Bearing.LOOSER if new < old else Bearing.OTHER


def _fewer_words(before: Iterable[str], after: Iterable[str]) -> Bearing:
    return _more_words(after, before) if set(before) != set(after) else Bearing.OTHER


def _everything_if_empty(before: list[Any], after: list[Any]) -> Bearing:
    if not before or not after:
        return Bearing.STRICTER if not after else Bearing.LOOSER
    return _more_words(before, after)


def _lower_limit(before: int | None, after: int | None) -> Bearing:
    low, high = (float("inf") if limit is None else limit for limit in (after, before))
    return Bearing.STRICTER if low < high else Bearing.LOOSER


def _added(before: Any, after: Any) -> Bearing:
    if before and after:
        return Bearing.OTHER
    return Bearing.STRICTER if after else Bearing.LOOSER


def _narrower(before: str, after: str) -> Bearing:
    (old_from, old_to), (new_from, new_to) = parse_hours(before), parse_hours(after)
    if old_from <= new_from and new_to <= old_to:
        return Bearing.STRICTER
    return Bearing.LOOSER if new_from <= old_from and old_to <= new_to else Bearing.OTHER


def _head_counts(before: Any, after: Any) -> Bearing:
    if isinstance(before, int) and isinstance(after, int):
        return _more(before, after)
    if isinstance(before, dict) and isinstance(after, dict) and set(before) == set(after):
        steps = [_more(before[tier], after[tier]) for tier in before if before[tier] != after[tier]]
        return _together(steps) or Bearing.OTHER
    return Bearing.OTHER


# (name of the gate's class, parameter) -> which way it points. What is not here is neither.
_RULES: dict[tuple[str, str], Callable[[Any, Any], Bearing]] = {
    ("Review", "approvals"): _more,
    ("Review", "not_author"): _more,
    ("Review", "owners"): _more,
    ("Tests", "suites"): _more_words,
    ("SignOff", "environment"): _added,
    ("Soak", "seconds"): _more,
    ("Soak", "min_requests"): _more,
    ("Window", "days"): _fewer_words,
    ("Window", "hours"): _narrower,
    ("Window", "freezes"): _added,
    ("Window", "holidays"): _added,
    ("Watchers", "role"): _added,
    ("DocumentedEdgeCases", "suites"): _more_words,
    ("Proofs", "suites"): _more_words,
    ("Attestation", "suites"): _more_words,
    ("DependsOn", "services"): _more_words,
    ("DependsOn", "needed_by"): _more_words,
    ("Watchers", "at_least"): _head_counts,
}
