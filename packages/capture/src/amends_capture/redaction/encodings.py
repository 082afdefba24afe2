"""What is wrapped in base64, hexadecimal or gzip is opened, changed, and wrapped again in the same way."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable

_MOST_INFLATED = 4 * 1024 * 1024
_HEX = re.compile(r"(?:[0-9a-f]{2}){4,}|(?:[0-9A-F]{2}){4,}")

Change = Callable[[str], str]


def reopened(run: str, change: Change, otherwise: Change | None = None) -> str:
    """Apply ``change`` to the text that ``run`` encodes; ``otherwise`` to the run when it encodes none.

    Returns ``run`` itself when nothing changed inside.
    """
    if _HEX.fullmatch(run) and (inner := _text(bytes.fromhex(run))) is not None:
        made = change(inner)
        if made != inner:
            found = made.encode().hex()
            return found.upper() if run.upper() == run else found
        return run
    content = _from_base64(run)
    changed = None if content is None else changed_bytes(content, change)
    if content is None or changed is None:
        return otherwise(run) if otherwise else run
    return run if changed == content else _to_base64(changed, run)


def opens(run: str) -> bool:
    """Return whether a run of characters encodes text, or text that is compressed."""
    if _HEX.fullmatch(run) and _text(bytes.fromhex(run)) is not None:
        return True
    content = _from_base64(run)
    if content is None:
        return False
    plain = inflated(content)
    return _text(content if plain is None else plain) is not None


def changed_bytes(content: bytes, change: Change) -> bytes | None:
    """Apply ``change`` to the text that bytes hold; ``None`` when they hold none.

    Of what was compressed and is no text, each byte is taken for a character: what is ASCII in it is found.
    """
    plain = inflated(content)
    inner = _text(content if plain is None else plain)
    if inner is None and plain:
        inner = plain.decode("latin-1")
        made = change(inner)
        return content if made == inner else deflated(made.encode("latin-1", "replace"), like=content)
    if inner is None:
        return None
    made = change(inner)
    if made == inner:
        return content
    return made.encode() if plain is None else deflated(made.encode(), like=content)


def inflated(content: bytes, most: int = _MOST_INFLATED) -> bytes | None:
    """Undo gzip or zlib (RFC 1952, 1950), at most ``most`` bytes; ``None`` when it is neither.

    A stream that was cut off gives what is there.
    """
    if content[:2] != b"\x1f\x8b" and not (content[:1] == b"\x78" and content[1:2] in b"\x01\x5e\x9c\xda"):
        return None
    try:
        return zlib.decompressobj(wbits=47).decompress(content, most)
    except zlib.error:
        return None


def deflated(content: bytes, *, like: bytes) -> bytes:
    """Compress by gzip or zlib, whichever ``like`` is."""
    return gzip.compress(content, mtime=0) if like[:2] == b"\x1f\x8b" else zlib.compress(content)


def _from_base64(run: str) -> bytes | None:
    bare = run.rstrip("=")
    if len(bare) % 4 == 1 or (("-" in bare or "_" in bare) and ("+" in bare or "/" in bare)):
        return None
    try:
        return base64.b64decode(bare.replace("-", "+").replace("_", "/") + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return None


def _to_base64(content: bytes, like: str) -> str:
    made = base64.b64encode(content).decode("ascii")
    if "-" in like or "_" in like:
        made = made.replace("+", "-").replace("/", "_")
    return made if like.endswith("=") else made.rstrip("=") if len(like) % 4 else made


def _text(content: bytes) -> str | None:
    """Return bytes as text if they are text; chance seldom makes eight printable bytes of valid UTF-8."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(text) < 4 or any(ord(c) < 32 and c not in "\t\n\r" for c in text) or "\x7f" in text:
        return None
    return text
