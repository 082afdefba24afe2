"""The shape of a value: what stays the same in a field whose values never do, as ids and times."""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache

_WORDS = (
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("timestamp", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("digits", re.compile(r"[+-]?\d+")),
    ("decimal", re.compile(r"[+-]?\d+\.\d+")),
    ("hex", re.compile(r"(?:0x)?[0-9a-fA-F]{8,}")),
    ("address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[a-z]+://\S+")),
    ("token", re.compile(r"[\w+/=.-]{16,}")),
)


@lru_cache(maxsize=50_000)
def shape_of(value: str) -> str:
    """Return the shape of a field's value: its type, with a number's magnitude or a text's kind and length.

    A number that grows tenfold, a text that doubles its length or is of another kind has another shape.
    """
    try:
        read = json.loads(value)
    except ValueError:
        return f"raw, about 2^{_doublings(len(value))} long"
    if isinstance(read, bool) or read is None:
        return "bool" if read is not None else "null"
    if isinstance(read, int | float):
        return _number(read)
    if isinstance(read, str):
        kind = next((name for name, pattern in _WORDS if pattern.fullmatch(read)), "text")
        exact = kind in ("uuid", "date")
        return kind if exact else f"{kind}, about 2^{_doublings(len(read))} long"
    if isinstance(read, list):
        return "list of " + ", ".join(sorted({shape_of(json.dumps(one)) for one in read}))
    return "object"


def _number(value: float) -> str:
    kind = "int" if isinstance(value, int) else "float"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value == 0:
        return f"{kind} 0"
    sign = "-" if value < 0 else ""
    magnitude = math.floor(math.log10(abs(value))) if abs(value) < 1e300 else 300
    return f"{kind} {sign}10^{magnitude}"


def _doublings(length: int) -> int:
    return length.bit_length()
