"""A document as blocks with line numbers: what the readers of Markdown, HTML and text hand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["heading", "text", "item", "row", "quote", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document.

    ``text`` has no markup and keeps the line breaks of its source, so that the n-th line of it stands at
    ``line`` + n. ``level`` is a heading's depth (1 is the highest; 7 a line that only looks like one) or how
    deep an item is nested (0 is not). ``cells`` are a row's, ``header`` those of its table's first row.
    ``path`` are the headings above, the highest first.
    """

    kind: Kind
    text: str
    line: int
    level: int = 0
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    path: tuple[Heading, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int
    line: int


_LINK = re.compile(
    r"!?\[((?:\\.|[^\[\]\\]){0,2000})\](?:\([^()\s]{0,2000}(?:\s\"[^\"]{0,200}\")?\)|\[[^\[\]]{0,200}\])"
)
_AUTOLINK = re.compile(r"<(https?://[^<>\s]{1,2000})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_EMPHASIS = re.compile(r"\*{1,3}|'{2,3}|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|~~|`+")
_HANDLE = re.compile(r"(?<![\w@/.`:+-])@[A-Za-z][A-Za-z0-9_-]{1,38}\b(?![/.@]\w)")
SOMEBODY = "somebody"
_FAKE_HEADING = re.compile(
    r"(?:\*\*|__)([^*_\n]{1,80}?):?(?:\*\*|__):?|([A-Z][^\n.:|]{1,60}):"
    r"|((?i:(?:incident |event )?timeline|chronology|sequence of events|what happened|(?:executive )?summary|"
    r"impact|root causes?|action items|follow[ -]ups?|detection|resolution|background|trigger|"
    r"lessons learn(?:ed|t))(?: ?\([^()\n]{1,60}\))?)"
)


def plain(text: str) -> str:
    """Return inline Markdown without its marks; links keep their words, handles of persons are masked."""
    for _ in range(2):  # a picture within a link
        text = _LINK.sub(r"\1", text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _TAG.sub("", text)
    return without_handles(_EMPHASIS.sub("", text)).replace("\\", "").strip(" \t")


def without_handles(text: str) -> str:
    """Return a text in which ``@handle`` names nobody."""
    return _HANDLE.sub(SOMEBODY, text)


def fake_heading(source: str) -> str:
    """Return the words of a line that stands for a heading (``**Timeline:**``, ``Timeline:``), or nothing."""
    found = _FAKE_HEADING.fullmatch(source.strip())
    return (found[1] or found[2] or found[3] or "").strip() if found else ""


def with_paths(blocks: Iterable[Block]) -> Iterator[Block]:
    """Give each block the headings above it."""
    stack: list[Heading] = []
    for block in blocks:
        if block.kind == "heading":
            while stack and stack[-1].level >= block.level:
                stack.pop()
            yield replace(block, path=tuple(stack))
            stack.append(Heading(block.text, block.level, block.line))
        else:
            yield replace(block, path=tuple(stack))


def lines_of(block: Block) -> Iterator[tuple[int, str]]:
    """Yield a block's lines with their numbers."""
    for number, line in enumerate(block.text.split("\n"), block.line):
        if line.strip():
            yield number, line.strip()
