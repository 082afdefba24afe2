"""Redacts a JSON text in place, token by token: order, spacing, repeated keys and faults stay as they are.

It needs no well-formed text, so a body that was cut off, or that is broken in the very way in which the
service failed, is redacted too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from amends_capture.redaction import masking

_TOKEN = re.compile(
    r'"(?P<text>(?:\\.|[^"\\])*)(?P<end>"|\Z)|(?P<mark>[\[\]{},:])|(?P<bare>[^\s"\[\]{},:]+)', re.DOTALL
)
_ENDS_LIST = re.compile(r"\s*(?:\]|\Z)")
SAYS_NAME = frozenset({"name", "key", "field", "header", "id"})
HOLDS_VALUE = frozenset({"value", "values", "val", "content", "data"})


class _Place:
    """An object or list that is open: what its current name is, and whether all in it is secret."""

    __slots__ = ("first", "is_list", "is_secret", "name", "said", "size", "wants_value")

    def __init__(self, is_list: bool, is_secret: bool, name: str) -> None:
        self.is_list = is_list
        self.is_secret = is_secret
        self.name = name
        self.said = ""
        self.first = ""
        self.size = 0
        self.wants_value = is_list


class JsonReader:
    """Redacts one text. ``texts`` masks what is found, at nesting ``depth``."""

    def __init__(self, texts: Any, depth: int) -> None:
        self._texts = texts
        self._depth = depth
        top = _Place(is_list=False, is_secret=False, name="")
        top.wants_value = True
        self._open = [top]

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        return _TOKEN.sub(self._token, text)

    def _token(self, hit: re.Match[str]) -> str:
        place = self._open[-1]
        if hit["mark"]:
            self._mark(hit["mark"], place)
            return hit[0]
        if hit["bare"]:
            return self._number(hit["bare"], place) if place.wants_value else hit[0]
        if place.wants_value:
            return self._string(hit, place)
        place.name = _plain(hit["text"])
        return self._write(hit, place.name, self._texts.redact(place.name, self._depth + 1))

    def _mark(self, mark: str, place: _Place) -> None:
        if mark in "{[":
            secret = self._is_secret(place, follows="")
            self._open.append(_Place(is_list=mark == "[", is_secret=secret, name=place.name))
        elif mark in "}]" and len(self._open) > 1:
            self._open.pop()
        elif mark == ":":
            place.wants_value = True
        elif mark == "," and len(self._open) > 1:
            place.wants_value = place.is_list
            place.size += 1

    def _is_secret(self, place: _Place, follows: str) -> bool:
        names = self._texts.names
        if place.is_secret:
            return True
        if place.is_list:
            pair = place.size == 1 and bool(place.first) and _ENDS_LIST.match(follows) is not None
            return pair and names.is_secret(place.first)
        if place.name.lower() in HOLDS_VALUE and place.said and names.is_secret(place.said):
            return True
        return bool(place.name) and bool(names.is_secret(place.name))

    def _string(self, hit: re.Match[str], place: _Place) -> str:
        plain = _plain(hit["text"])
        secret = self._is_secret(place, hit.string[hit.end() : hit.end() + 40])
        if place.is_list and place.size == 0:
            place.first = plain
        if not place.is_list and place.name.lower() in SAYS_NAME:
            place.said = plain
        texts = self._texts
        return self._write(
            hit, plain, texts.under(place.name, plain) if secret else texts.redact(plain, self._depth + 1)
        )

    def _number(self, bare: str, place: _Place) -> str:
        if not re.fullmatch(r"-?\d{1,400}", bare):
            return bare
        secret = self._is_secret(place, "") and self._texts.names.hides_number(place.name)
        if secret or masking.is_card(bare):
            return str(self._texts.token(self._texts.number(bare), bare))
        return bare

    def _write(self, hit: re.Match[str], plain: str, made: str) -> str:
        if made == plain:
            return hit[0]
        text = json.dumps(self._texts.expand(made), ensure_ascii=hit["text"].isascii())[1:-1]
        return f'"{self._texts.token(text, hit["text"])}{hit["end"]}'


def _plain(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
