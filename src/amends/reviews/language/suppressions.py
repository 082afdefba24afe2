"""Comments that allow a wording, with its reason: ``<!-- amends-lint: allow blame: their own words -->``."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from amends.reviews.language.findings import Label

_COMMENT = re.compile(r"<!--\s*amends-lint\s*:(?P<said>.*?)-->", re.DOTALL | re.IGNORECASE)
_ALLOW = re.compile(
    r"\s*allow\s+(?P<labels>[a-z-]+(?:\s*,\s*[a-z-]+)*)\s*(?:[:—–]\s*(?P<reason>.*))?$", re.DOTALL
)
_SHORTEST_REASON = 3  # characters; a reason is a word at least


@dataclass(frozen=True, slots=True)
class Allowance:
    """Labels allowed in the block that holds line ``line`` or follows it, and why."""

    line: int
    labels: frozenset[Label]
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What is odd about a comment: ``line`` counts from 1."""

    line: int
    text: str


def read_suppressions(source: str) -> tuple[list[Allowance], list[Remark]]:
    """Read every comment of a text. One without a reason, or with an unknown label, allows nothing."""
    allowed, remarks = [], []
    end_line = place = 0
    for found in _COMMENT.finditer(source):
        end_line += source.count("\n", place, found.end())
        place = found.end()
        read = _read(found["said"].strip(), end_line + 1)
        if isinstance(read, Allowance):
            allowed.append(read)
        else:
            remarks.append(read)
    return allowed, remarks


def _read(said: str, line: int) -> Allowance | Remark:
    matched = _ALLOW.match(said)
    if matched is None:
        return Remark(line, "this comment says nothing known; write amends-lint: allow LABEL: REASON")
    names = [name.strip() for name in matched["labels"].split(",")]
    unknown = [name for name in names if name not in {label.value for label in Label}]
    if unknown:
        return Remark(line, f"found label {unknown[0]!r}; allowed: {', '.join(Label)}")
    reason = " ".join((matched["reason"] or "").split())
    if len(reason) < _SHORTEST_REASON:
        return Remark(line, "a suppression without a reason is not heeded; write it after a colon")
    return Allowance(line, frozenset(Label(name) for name in names), reason)


def allowance_for(
    allowances: Collection[Allowance], label: Label, block: tuple[int, int], after: int
) -> Allowance | None:
    """Return what allows ``label`` in the block of these lines; ``after`` ends the block before."""
    first, last = block
    for allowance in allowances:
        if label in allowance.labels and (first <= allowance.line <= last or after < allowance.line < first):
            return allowance
    return None
