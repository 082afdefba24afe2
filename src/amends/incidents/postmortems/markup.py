"""HTML to blocks, by lxml: its parser runs no script, loads nothing and is linear in broken input.

Python's own ``html.parser`` would do without a dependency; but unclosed tags take it quadratic time (60 kB of
``<a `` more than two minutes with Python 3.11), and a post-mortem may come from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from amends.incidents.postmortems.blocks import Block, Kind, fake_heading, with_paths, without_handles

_SILENT = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "head",
    "nav",
    "footer",
    "form",
}
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_KINDS: dict[str, Kind] = {"li": "item", "dd": "item", "blockquote": "quote", "pre": "code"}
_CONTAINERS = {
    "html", "body", "div", "section", "article", "main", "ul", "ol", "dl", "table", "tbody", "thead", "tfoot",
    "details", "summary", "header", "aside", "figure", "center", "p", "dt", "figcaption", "address",
}  # fmt: skip
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_LAST_LINE = 65_535  # libxml2 counts a line in two bytes


class _Reader:
    """Walks the tree without recursion, gathering text until a block begins or ends."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.cursor = 0
        self.cursor_line = 1
        self.kind: Kind = "text"
        self.level = 0
        self.line = 1
        self.pieces: list[str] = []
        self.depth = 0
        self.header: tuple[str, ...] = ()

    def flush(self) -> Iterator[Block]:
        joined = "".join(self.pieces)
        text = joined if self.kind == "code" else _tidy(joined)
        self.pieces = []
        if not text.strip():
            return
        line = self.line + (len(joined) - len(joined.lstrip("\n")) if self.kind == "code" else 0)
        heading = fake_heading(text) if self.kind == "text" and "\n" not in text else ""
        kind, level = ("heading", 7) if heading else (self.kind, self.level)
        yield Block(kind, without_handles(heading or text), line, level)  # type: ignore[arg-type]

    def begin(self, kind: Kind, element: Any, level: int = 0) -> None:
        self.kind, self.level, self.line = kind, level, self.line_of(element)

    def line_of(self, element: Any) -> int:
        line = int(element.sourceline or self.line)
        if line < _LAST_LINE:
            return line
        words = next((piece.strip() for piece in element.itertext() if piece.strip()), "")
        found = self.source.find(words[:60], self.cursor) if words else -1
        if found >= 0:
            self.cursor_line += self.source.count("\n", self.cursor, found)
            self.cursor = found
        return max(line, self.cursor_line)


def read_html(text: str) -> list[Block]:
    """Return an HTML document's blocks: what a reader of the page sees, and nothing of its scripts."""
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    return list(with_paths(_walk(root, _Reader(text))))


def _walk(root: Any, reader: _Reader) -> Iterator[Block]:
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, done = stack.pop()
        if done:
            yield from _leave(element, reader)
        elif not isinstance(element.tag, str) or element.tag in _SILENT:
            reader.pieces.append(_words(element.tail, reader))
        elif element.tag == "tr":
            yield from _row(element, reader)
        else:
            yield from _enter(element, reader)
            stack.append((element, True))
            stack += [(child, False) for child in reversed(element)]


def _enter(element: Any, reader: _Reader) -> Iterator[Block]:
    tag = element.tag
    if tag == "br":
        reader.pieces.append("\n")
    elif tag in _HEADINGS:
        yield from reader.flush()
        reader.begin("heading", element, _HEADINGS[tag])
    elif tag in _KINDS:
        yield from reader.flush()
        reader.begin(_KINDS[tag], element, max(0, reader.depth - 1))
    elif tag in _CONTAINERS and not (tag == "p" and reader.kind in ("item", "quote") and not _said(reader)):
        yield from reader.flush()
        reader.begin("text", element)
        reader.depth += tag in ("ul", "ol")
        reader.header = () if tag == "table" else reader.header
    if element.text:
        reader.pieces.append(_words(element.text, reader))


def _leave(element: Any, reader: _Reader) -> Iterator[Block]:
    tag = element.tag
    if tag in _HEADINGS or tag in _KINDS or tag in _CONTAINERS:
        yield from reader.flush()
        reader.kind, reader.level = "text", 0
        reader.depth -= tag in ("ul", "ol")
    if element.tail:
        if not _said(reader):
            reader.line = max(reader.line, reader.line_of(element))
        reader.pieces.append(_words(element.tail, reader))


def _row(element: Any, reader: _Reader) -> Iterator[Block]:
    yield from reader.flush()
    cells = [cell for cell in element if cell.tag in ("td", "th")]
    texts = tuple(without_handles(_tidy(" ".join(_visible(cell))).replace("\n", " ")) for cell in cells)
    if cells and all(cell.tag == "th" for cell in cells):
        reader.header = texts
    elif texts:
        yield Block("row", " | ".join(texts), reader.line_of(element), cells=texts, header=reader.header)
    reader.begin("text", element)


def _visible(cell: Any) -> Iterator[str]:
    for element in cell.iter():
        if isinstance(element.tag, str) and element.tag not in _SILENT and element.text:
            yield element.text
        if element is not cell and element.tail:
            yield element.tail


def _said(reader: _Reader) -> bool:
    return any(piece.strip() for piece in reader.pieces)


def _words(text: str | None, reader: _Reader) -> str:
    """Line breaks of the source are blanks in HTML, except in what is set as it stands."""
    return (text or "") if reader.kind == "code" else (text or "").replace("\n", " ")


def _tidy(text: str) -> str:
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n")).strip()
