"""What a comparison leaves aside: ignored fields, and normalisers that make equal what means the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from amends.gates.replay_plan import Replay

_MASKS = {
    "uuid": re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    "timestamp": re.compile(
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
        r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b"
    ),
}
_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one replay; each function is asked by the name of a field."""

    headers: frozenset[str]
    ignored: Callable[[str], bool]
    sorted: Callable[[str], bool]
    decimals: Callable[[str], int | None]
    replaced: Callable[[str, str], str]


def rules_of(plan: Replay) -> Rules:
    """Return the rules that a policy declares."""
    rounded = [(_matcher([field]), places) for field, places in plan.round.items()]
    masks = [(_MASKS[name], f"<{name}>") for name in plan.mask]
    own = [(_matcher([one.field]), re.compile(one.pattern), one.by) for one in plan.replace]

    @lru_cache(maxsize=_REMEMBERED)
    def decimals(path: str) -> int | None:
        return next((places for matches, places in rounded if matches(path)), None)

    def replaced(path: str, text: str) -> str:
        for pattern, word in masks:
            text = pattern.sub(word, text)
        for matches, pattern, by in own:
            if matches(path):
                text = pattern.sub(by, text)
        return text

    return Rules(
        frozenset(name.lower() for name in plan.headers), _matcher(plan.ignore, within=True),
        _matcher([field.removesuffix("[]") for field in plan.sort]), decimals, replaced,
    )  # fmt: skip


def _matcher(patterns: list[str], *, within: bool = False) -> Callable[[str], bool]:
    """Return whether a field's name fits a pattern; with ``within`` also what lies below one that does."""
    if not patterns:
        return lambda _path: False
    below = r"(?:[.\[@].*)?" if within else ""
    whole = re.compile("|".join(f"(?:{_expression(one)}{below})" for one in patterns), re.DOTALL)

    @lru_cache(maxsize=_REMEMBERED)
    def matches(path: str) -> bool:
        return whole.fullmatch(path) is not None

    return matches


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*\.?|\*)", pattern)
    words = {"**.": r"(?:.*\.)?", "**": r".*", "*": r"[^.\[\]]*"}
    return "".join(words.get(part, re.escape(part)) for part in parts)
