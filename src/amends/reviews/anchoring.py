"""Where the passage that a comment quotes stands now, after others have edited the text.

A comment keeps the words it is about and a little of what stood around them (W3C Web Annotation Data Model,
section 4.2.4, "Text Quote Selector"), not a position: positions move. The words may have been marked on the
rendered page, so text is compared without Markdown's marks and with one space for any white space. Words that
are there still are found, however the text around them moved; among several places the surroundings decide.
Words that were edited are followed through the difference between the two revisions, and the passage is shown
as changed. Where less than half of the words are left the comment is detached: it is shown with its quote,
never put beside words that it does not speak of.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Literal

AROUND = 40
"""How many characters of the surroundings are kept on either side."""
_ENOUGH = 0.5
LONGEST_FOLLOWED = 500_000
"""Characters. In longer texts words are found or gone: their difference would keep a page waiting."""

_MARKS = re.compile(
    r"^[ \t]*(?:[-+*]|\d+[.)])[ \t]+|^[ \t]*#{1,6}[ \t]+|^[ \t]*>[ \t]?|^[ \t]*\|?[ \t:|]*-{3}[-\t :|]*$"
    r"|\]\([^)\s]*\)|[*_`~|\\\[\]]",
    re.MULTILINE,
)
_SPACE = re.compile(r"\s{2,}|[^\S ]")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A passage of a text: ``start`` and ``end`` in characters, ``line`` counted from 1, the ``words``."""

    start: int
    end: int
    line: int
    words: str
    how: Literal["same", "changed"] = "same"


class Passages:
    """A text in which passages are looked for, prepared once for any number of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._whole = _Plain.of(text)

    def find(self, quote: str, before: str = "", after: str = "") -> Anchor | None:
        """Return where the quoted words stand, or ``None`` where they stand nowhere any more."""
        wanted = plain(quote)
        if not wanted:
            return None
        there = self._whole.text
        starts = _occurrences(there, wanted)
        if not starts:
            return None
        lead, trail = plain(before), plain(after)

        def fits(start: int) -> int:
            head, end = there[max(0, start - 2 * AROUND) : start], start + len(wanted)
            tail = there[end : end + 2 * AROUND].lstrip()
            return _shared(head.rstrip()[::-1], lead[::-1]) + _shared(tail, trail)

        best = max(starts, key=lambda start: (fits(start), -start)) if len(starts) > 1 else starts[0]
        return self._anchor(self._whole.place(best), self._whole.place(best + len(wanted) - 1) + 1)

    def around(self, found: Anchor) -> tuple[str, str]:
        """Return what stands before and after a passage, as a comment keeps it."""
        return (
            self.text[max(0, found.start - AROUND) : found.start],
            self.text[found.end : found.end + AROUND],
        )

    def follow(self, old: Passages, anchor: Anchor) -> Anchor | None:
        """Return where a passage of an earlier text went, when at least half of its words are still there."""
        lines, now = old.text.splitlines(keepends=True), self.text.splitlines(keepends=True)
        starts = list(accumulate((len(line) for line in now), initial=0))
        first, last = anchor.line - 1, _line_of(old.text, max(anchor.start, anchor.end - 1)) - 1
        low, high = _mapped(lines, now, first, last)
        return self._closest(anchor.words, starts[low], starts[high]) if low < high else None

    def _closest(self, quote: str, low: int, high: int) -> Anchor | None:
        words, found = plain(quote).split(), list(re.finditer(r"\S+", self.text[low:high]))
        there = [plain(word.group()) for word in found]
        matching = SequenceMatcher(None, words, there, autojunk=False).get_matching_blocks()
        blocks = [block for block in matching if block.size]
        if not words or sum(block.size for block in blocks) < _ENOUGH * len(words):
            return None
        start, end = found[blocks[0].b].start(), found[blocks[-1].b + blocks[-1].size - 1].end()
        return self._anchor(low + start, low + end, "changed")

    def _anchor(self, start: int, end: int, how: Literal["same", "changed"] = "same") -> Anchor:
        return Anchor(start, end, _line_of(self.text, start), self.text[start:end], how)


def plain(text: str) -> str:
    """Return a text as passages are compared: without Markdown's marks, one space for any white space."""
    return _Plain.of(text).text.strip()


@dataclass(frozen=True, slots=True)
class _Plain:
    """A text without marks. Its pieces begin at ``starts``; they stood at ``origins`` as it was written."""

    text: str
    starts: list[int]
    origins: list[int]

    @classmethod
    def of(cls, written: str) -> _Plain:
        found = cls("", [], [])
        pieces: list[str] = []
        at = length = 0
        spaced = False  # whether what is kept so far ends with a space
        for mark in (*_MARKS.finditer(written), None):
            end = mark.start() if mark else len(written)
            for start, piece in _pieces(written, at, end):
                kept = piece[1:] if spaced and piece[0] == " " else piece
                if kept:
                    found.starts.append(length)
                    found.origins.append(start + len(piece) - len(kept))
                    pieces.append(kept)
                    length += len(kept)
                    spaced = kept[-1] == " "
            at = mark.end() if mark else end
        return cls("".join(pieces), found.starts, found.origins)

    def place(self, index: int) -> int:
        """Return where a character stood in the text as written."""
        piece = bisect_right(self.starts, index) - 1
        return self.origins[piece] + index - self.starts[piece]


def _pieces(written: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield what stands between two places, with one space for any other white space."""
    at = start
    for gap in _SPACE.finditer(written, start, end):
        if gap.start() > at:
            yield at, written[at : gap.start()]
        yield gap.start(), " "
        at = gap.end()
    if end > at:
        yield at, written[at:end]


def _occurrences(text: str, wanted: str) -> list[int]:
    found: list[int] = []
    at = text.find(wanted)
    while at >= 0 and len(found) < 1000:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts have in common from their beginning."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _mapped(old: list[str], new: list[str], first: int, last: int) -> tuple[int, int]:
    """Return the lines of the new text, from and up to, that lines ``first`` to ``last`` became."""
    ends: list[tuple[int, int]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if b <= first or a > last or tag == "insert":
            continue
        if tag == "equal":
            ends.append((c + max(first - a, 0), c + min(last + 1 - a, b - a)))
        elif tag == "replace":
            ends.append((c, d))
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0, 0)
