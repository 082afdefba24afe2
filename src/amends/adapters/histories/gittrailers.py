"""What commit messages state in set phrases: trailers, and which commits they revert or mend."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection

from amends.adapters.histories.gitline import Unit

# Reviewed-by and Acked-by both say that somebody else agreed:
# https://docs.kernel.org/process/submitting-patches.html
_APPROVED = re.compile(r"^(?:Reviewed-by|Acked-by):[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_TESTED = re.compile(r"^Tested-by:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_FIXES = re.compile(r"^Fixes:[ \t]*(?:commit[ \t]+)?([0-9a-f]{7,64})\b", re.IGNORECASE | re.MULTILINE)
_REVERTS = re.compile(
    r"(?:^|\b(?:this|it|and|patch|change|commit)[ \t]+)(?:(?:also|partially|partly)[ \t]+)*reverts?[ \t]+"
    r"(?:part of[ \t]+)?(?:(?:commit|change|revision|patch):?\s+)?([0-9a-f]{7,64})\b"
    r"|^Reverts:[ \t]*(?:commit[ \t]+)?([0-9a-f]{7,64})\b",
    re.IGNORECASE | re.MULTILINE,
)
_SAYS_REVERT = re.compile(r"\A\s*revert\b", re.IGNORECASE)
_OTHERS = re.compile(r"^[ \t]*(?:>.*|Original (?:change|commit|patch).*)$", re.IGNORECASE | re.MULTILINE)


def approvers(unit: Unit) -> tuple[str, ...]:
    """Return who approved a change: by its own message, or by that of every commit that it brought."""
    own = dict.fromkeys(_APPROVED.findall(unit.commit.body))
    return tuple({**own, **dict.fromkeys(_by_all(unit, _APPROVED))})


def testers(unit: Unit) -> tuple[str, ...]:
    """Return who tested a change, by the same rule."""
    own = dict.fromkeys(_TESTED.findall(unit.commit.body))
    return tuple({**own, **dict.fromkeys(_by_all(unit, _TESTED))})


def _by_all(unit: Unit, pattern: re.Pattern[str]) -> list[str]:
    if not unit.brought:
        return []
    first, *others = ([name.strip() for name in pattern.findall(one.body)] for one in unit.brought)
    return [name for name in first if all(name in names for names in others)]


def author_of(unit: Unit) -> str:
    """Return who made a change: of a merge, whoever made all that it brought; empty where several did."""
    authors = {commit.author for commit in unit.brought} or {unit.commit.author}
    return authors.pop() if len(authors) == 1 else ""


def reverted_by(message: str) -> list[str]:
    """Return the commits, perhaps shortened, that a message says it reverts; quoted messages do not count."""
    own = message[: hit.start()] if (hit := _OTHERS.search(message)) else message
    return list(dict.fromkeys((a or b).lower() for a, b in _REVERTS.findall(own)))


def says_revert(title: str) -> bool:
    """Return whether a title begins as those of reverts do."""
    return bool(_SAYS_REVERT.match(title))


def mended_by(message: str) -> list[str]:
    """Return the commits, perhaps shortened, that a message's Fixes trailers name. Issue numbers are none."""
    return list(dict.fromkeys(name.lower() for name in _FIXES.findall(message)))


class Names:
    """Finds commits by the beginning of their name."""

    def __init__(self, shas: Collection[str]) -> None:
        self._all = sorted(shas)

    def find(self, name: str) -> str:
        """Return the one commit that a name begins; empty for none or several."""
        at = bisect_left(self._all, name)
        fits = [sha for sha in self._all[at : at + 2] if sha.startswith(name)]
        return fits[0] if len(fits) == 1 else ""
