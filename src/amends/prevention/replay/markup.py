"""HTML and XML as fields: an element's path is that of its tags, and like elements share one.

Texts are compared without regard to blanks between words, attributes by name (their order means nothing).
Comments are left aside, scripts and styles are texts like any other.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser

_EMPTY = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - a list of words
)
_DEEPEST = 60
_MOST = 50_000


def flatten_markup(text: str, found: dict[str, list[str]]) -> None:
    """Add the fields of a page, however broken it is: its tags are taken as they come."""
    reader = _Reader(found)
    reader.feed(text)
    reader.close()
    reader.finish()


class _Reader(HTMLParser):
    def __init__(self, found: dict[str, list[str]]) -> None:
        super().__init__(convert_charrefs=True)
        self.found, self.left = found, _MOST
        self.counts: dict[str, int] = {}
        self.open: list[str] = []

    @property
    def here(self) -> str:
        return ".".join(["body", *self.open[:_DEEPEST]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.counts[self.here] = self.counts.get(self.here, 0) + 1
        for name, value in attrs:
            self._add(f"{self.here}@{name}", value or "")
        if tag in _EMPTY:
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words:
            self._add(self.here, words)

    def _add(self, path: str, value: str) -> None:
        self.left -= 1
        if self.left >= 0:
            self.found.setdefault(path, []).append(json.dumps(value, ensure_ascii=False))

    def finish(self) -> None:
        """Add how many there are of each element."""
        for path, count in self.counts.items():
            self.found[f"{path}[#]"] = [str(count)]
