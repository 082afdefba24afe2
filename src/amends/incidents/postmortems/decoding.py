"""Bytes to text. A broken encoding loses no line: what cannot be read is replaced, and that is said."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MOSTLY = 0.3


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with ``\\n`` line ends. ``doubt`` says what about its encoding was guessed; empty if nothing."""

    text: str
    doubt: str = ""


def decode_document(data: bytes) -> Decoded:
    """Return a document's text: by its byte order mark, as UTF-8, or as Windows-1252 where it is neither.

    Windows-1252 as the WHATWG Encoding Standard does for unlabelled pages; bytes that mean nothing there
    are replaced. Raises nothing.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            doubt = (
                f"broken {encoding.removesuffix('-sig')}: some characters are replaced" if "�" in text else ""
            )
            return Decoded(_lines(text), doubt)
    if encoding := _without_mark(data):
        return Decoded(_lines(data.decode(encoding, "replace")), f"no byte order mark; read as {encoding}")
    try:
        return Decoded(_lines(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    broken = data.decode("utf-8", "replace")
    replaced = broken.count("�")
    if sum(character > "\x7f" for character in broken) >= 2 * replaced:  # as many were whole
        return Decoded(_lines(broken), f"broken UTF-8 at line {line}: some characters are replaced")
    return Decoded(_lines(data.decode("cp1252", "replace")), f"no UTF-8 (line {line}); read as Windows-1252")


def _without_mark(data: bytes) -> str:
    """Tell UTF-16 without a mark by its zero bytes, which no other text has."""
    head = data[:2_000]
    if len(head) < 4 or not head.count(0) > len(head) * _MOSTLY:
        return ""
    return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"


def _lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _CONTROLS.sub("", text)
