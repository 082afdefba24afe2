"""Takes the marks out of a line of Markdown and remembers where each character stood."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

CODE = "\ufffc"  # stands for code, an address or a picture: something is there, and it is not prose

_INLINE = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<comment><!--.*?-->)"
    r"|(?P<image>!\[[^\]\n]{0,500}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])?)"
    r"|(?P<link>\[(?P<words>[^\[\]\n]{1,500})\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\]))"
    r"|(?P<address><?(?:https?://|mailto:|www\.)[^\s<>]+>?)"
    r"|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)"
    r"|(?P<tag></?[A-Za-z][^<>\n]{0,500}>)"
    r"|(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<marks>\*{1,3}|~~|(?<!\w)_{1,3}|_{1,3}(?!\w))",
    re.DOTALL,
)
_TRAILING = ".,;:!?)'\"”’"


@dataclass(frozen=True, slots=True)
class Plain:
    """Text without marks; ``at[i]`` is where its character ``i`` stood."""

    text: str
    at: tuple[int, ...]


def strip_marks(source: str) -> Plain:
    """Return the prose of an inline text: code and addresses become one character, marks vanish."""
    out: list[str] = []
    at: list[int] = []

    def keep(start: int, end: int) -> None:
        out.append(source[start:end])
        at.extend(range(start, end))

    def stand_in(where: int) -> None:
        out.append(CODE)
        at.append(where)

    place = 0
    for found in _INLINE.finditer(source):
        keep(place, found.start())
        place = found.end()
        kind = found.lastgroup or ""
        if found["link"]:
            _link(found, keep, stand_in)
        elif found["address"]:
            place = found.start() + len(found["address"].rstrip(_TRAILING))
            stand_in(found.start())
        elif found["code"] or found["mail"] or found["image"]:
            stand_in(found.start())
        elif kind == "escape":
            keep(found.start() + 1, found.end())
    keep(place, len(source))
    return Plain("".join(out), tuple(at))


def _link(found: re.Match[str], keep: Callable[[int, int], None], stand_in: Callable[[int], None]) -> None:
    """Keep a link's words, without marks; words that are code or an address are neither."""
    inner = strip_marks(found["words"])
    start = found.start("words")
    if inner.text.strip() in ("", CODE):
        stand_in(start)
        return
    for i, character in enumerate(inner.text):
        if character == CODE:
            stand_in(start + inner.at[i])
        else:
            keep(start + inner.at[i], start + inner.at[i] + 1)
