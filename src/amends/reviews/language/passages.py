"""Finds the prose in Markdown: paragraphs, headings, list items and table cells, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token as Block


class Kind(StrEnum):
    """Where prose stands. A quotation is somebody's words: evidence, not the writer's judgement."""

    TEXT = "text"
    HEADING = "heading"
    CELL = "cell"
    QUOTATION = "quotation"


@dataclass(frozen=True, slots=True)
class Passage:
    """One block of prose.

    ``text`` has its marks still; ``places`` gives for each of its lines the offset in the text, the line in
    the source (from 1) and the column where it begins (from 1).
    """

    kind: Kind
    section: str
    text: str
    places: tuple[tuple[int, int, int], ...]

    def place_of(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character."""
        start, line, column = max(p for p in self.places if p[0] <= offset)
        return line, column + offset - start


_FRONT = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOT_A_BREAK = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Inline marks are taken out by ``markup``, which remembers places; the parser would lose them.
    return MarkdownIt("commonmark").enable("table").disable("inline")


def passages(source: str) -> Iterator[Passage]:
    """Yield the prose of a Markdown text, in order. Code, HTML and front matter are not prose."""
    source = _blank(_FRONT, source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " "))
    source = _NOT_A_BREAK.sub(" ", _blank(_COMMENT, source))
    lines = source.split("\n")
    kind, section, quotes, seen = Kind.TEXT, "", 0, (-1, 0)
    for block in _parser().parse(source):
        quotes += (block.type == "blockquote_open") - (block.type == "blockquote_close")
        if block.type != "inline":
            kind = _KINDS.get(block.type, kind)
            continue
        if not block.map or not block.content.strip():
            continue
        found, seen = _passage(block, kind if not quotes else Kind.QUOTATION, section, lines, seen)
        if kind is Kind.HEADING:
            section = block.content.strip().lower()
        yield found


_KINDS = {
    "heading_open": Kind.HEADING, "paragraph_open": Kind.TEXT, "td_open": Kind.CELL, "th_open": Kind.HEADING,
}  # fmt: skip


def _blank(pattern: re.Pattern[str], source: str) -> str:
    """Replace what matches by spaces, keeping every place."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _passage(
    block: Block, kind: Kind, section: str, lines: list[str], seen: tuple[int, int]
) -> tuple[Passage, tuple[int, int]]:
    """Find each line of a block in the source, cells from where the last one of their row ended."""
    assert block.map is not None
    places, offset = [], 0
    for number, line in enumerate(block.content.split("\n"), block.map[0]):
        raw = lines[number] if number < len(lines) else ""
        begin = seen[1] if seen[0] == number else 0
        column = max(raw.find(line, begin), 0)
        places.append((offset, number + 1, column + 1))
        seen = (number, column + len(line))
        offset += len(line) + 1
    return Passage(kind, section, block.content, tuple(places)), seen
