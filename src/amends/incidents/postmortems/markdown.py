"""Markdown and plain text to blocks, in one pass over the lines.

Only what tells where a fact stands is read: headings, lists, tables, quotations, code. A full Markdown parser
makes several objects of each line (150 s for 5 MB of short items with markdown-it-py 4), and the reading here
needs none of them. What is odd becomes a paragraph; nothing is dropped but HTML comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from amends.incidents.postmortems.blocks import Block, fake_heading, plain, with_paths

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_WIKI = re.compile(r"(={1,6})[ \t]*([^=\s].*?)[ \t]*(?:\1)?[ \t]*$")  # of wikis and AsciiDoc
_DECORATED = re.compile(r"[~^\"'*+#.]{4,}[ \t]*$")  # below a heading in reStructuredText
_ITEM = re.compile(r"([ \t]*)(?:[-*+•‣◦–]|\(?\d{1,3}[.)](?!\d))[ \t]+(?=\S)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DIVIDER = re.compile(r"\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{1,}:?[ \t]*){0,50}\|?[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_QUOTE = re.compile(r" {0,3}>[ \t]?")
_REFERENCE = re.compile(r" {0,3}\[[^\]\n]{1,200}\]:\s")
_CELL = re.compile(r"(?<!\\)\|")
_SHOUTED = re.compile(r"[A-Z][A-Z &/'-]{3,60}:?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_CHECKBOX = re.compile(r"\[([ xX])\][ \t]+")


class _Reader:
    """The state between lines: the open paragraph or item, the open fence, the table's header."""

    def __init__(self) -> None:
        self.kind: str = ""
        self.lines: list[str] = []
        self.line = 0
        self.level = 0
        self.fence = ""
        self.header: tuple[str, ...] = ()
        self.in_table = False

    def flush(self) -> Iterator[Block]:
        if self.lines:
            text = "\n".join(self.lines) if self.kind == "code" else "\n".join(map(plain, self.lines))
            heading = fake_heading(self.lines[0]) if self.kind == "text" and len(self.lines) == 1 else ""
            if heading:
                yield Block("heading", plain(heading), self.line, 7)
            else:
                yield Block(self.kind, text, self.line, self.level)  # type: ignore[arg-type]
        self.kind, self.lines, self.level = "", [], 0

    def begin(self, kind: str, line: str, number: int, level: int = 0) -> None:
        self.kind, self.lines, self.line, self.level = kind, [line], number, level


def read_markdown(text: str) -> list[Block]:
    """Return a Markdown document's blocks. Linear in its size; HTML comments are left out."""
    return list(with_paths(_blocks(_without_comments(text), markdown=True)))


def read_text(text: str) -> list[Block]:
    """Return a plain text's blocks: underlined or shouted lines are headings, too."""
    return list(with_paths(_blocks(text, markdown=False)))


def _without_comments(text: str) -> str:
    """Blank comments, keeping their line breaks; one that never ends is text."""
    parts: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start)) >= 0:
        parts += [text[position:start], "\n" * text.count("\n", start, end)]
        position = end + 3
    return "".join([*parts, text[position:]])


def _blocks(text: str, *, markdown: bool) -> Iterator[Block]:
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        yield from _line(reader, line.expandtabs(4).rstrip(), number, markdown)
    yield from reader.flush()


def _line(reader: _Reader, line: str, number: int, markdown: bool) -> Iterator[Block]:
    if reader.fence:
        yield from _in_fence(reader, line)
    elif (found := _FENCE.match(line)) and not _underlines(reader, line):
        yield from reader.flush()
        reader.fence = found[1]
        reader.begin("code", "", number)
    elif not line.strip():
        yield from reader.flush()
        reader.in_table = False
    elif _heads(reader, line, markdown):
        yield from _heading(reader, line, number)
    else:
        yield from _content(reader, line, number)


def _in_fence(reader: _Reader, line: str) -> Iterator[Block]:
    if line.strip().startswith(reader.fence):
        reader.fence = ""
        yield from reader.flush()
    else:
        reader.lines.append(line)


def _heads(reader: _Reader, line: str, markdown: bool) -> bool:
    if _ATX.match(line) or _WIKI.match(line):
        return True
    if reader.kind == "text" and len(reader.lines) == 1 and _UNDERLINE.match(line):
        return "|" not in reader.lines[0]
    if _underlines(reader, line):
        return True
    return not markdown and not reader.lines and bool(_SHOUTED.fullmatch(line.strip()))


def _underlines(reader: _Reader, line: str) -> bool:
    """Tell whether a line of marks is as long as the one line above, which is then a heading."""
    above = len(reader.lines[0]) if reader.kind == "text" and len(reader.lines) == 1 else 0
    return bool(above and above <= len(line) + 1 <= above + 5 and _DECORATED.match(line))


def _heading(reader: _Reader, line: str, number: int) -> Iterator[Block]:
    found = _ATX.match(line) or _WIKI.match(line)
    under = _UNDERLINE.match(line) or _DECORATED.match(line)
    if found is None and under and reader.lines:
        level = {"=": 1, "-": 2}.get(line.strip()[:1], 3)
        yield Block("heading", plain(reader.lines[0]), reader.line, level)
        reader.kind, reader.lines = "", []
        return
    yield from reader.flush()
    words, level = (found[2], len(found[1])) if found else (line, 2)
    yield Block("heading", plain(words).rstrip(":"), number, level)


def _content(reader: _Reader, line: str, number: int) -> Iterator[Block]:
    if _REFERENCE.match(line) or (_RULE.match(line) and not reader.in_table):
        yield from reader.flush()
    elif found := _ITEM.match(line):
        yield from reader.flush()
        reader.begin("item", _CHECKBOX.sub(_ticked, line[found.end() :], count=1), number, len(found[1]) // 2)
    elif found := _QUOTE.match(line):
        if reader.kind != "quote":
            yield from reader.flush()
            reader.begin("quote", line[found.end() :], number)
        else:
            reader.lines.append(line[found.end() :])
    elif "|" in line and (reader.in_table or line.lstrip().startswith("|") or _DIVIDER.match(line)):
        yield from _row(reader, line, number)
    elif reader.lines:
        reader.lines.append(line)
    else:
        reader.begin("text", line, number)


def _ticked(found: re.Match[str]) -> str:
    return "" if found[1] == " " else "✅ "


def _row(reader: _Reader, line: str, number: int) -> Iterator[Block]:
    if _DIVIDER.match(line):
        if not reader.in_table and len(reader.lines) == 1:  # a header without outer bars
            reader.header = _cells(reader.lines[0])
            reader.kind, reader.lines = "", []
        reader.in_table = True
        return
    yield from reader.flush()
    cells = _cells(line)
    if not reader.in_table:
        reader.in_table, reader.header = True, () if _CLOCK.search(line) else cells
        if reader.header:
            return
    yield Block("row", " | ".join(cells), number, cells=cells, header=reader.header)


def _cells(line: str) -> tuple[str, ...]:
    line = line.strip().removeprefix("|")
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    return tuple(plain(cell) for cell in _CELL.split(line))
