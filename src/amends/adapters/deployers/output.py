"""What a process printed, fit to be kept in a log: masked and cut to size."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

MASK = "•••"
_SECRET_NAME = re.compile(r"(?i)(secret|passw|token|credential|private|api_?key|access_?key|auth)")
_PATTERNS = (
    re.compile(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(
        r"(?i)((?:secret|passw(?:or)?d|passphrase|token|credentials?|api[_-]?key|access[_-]?key)"
        r"[\"']?\s*[=:]\s*[\"']?)(?!(?:bearer|basic)\s)[^\s\"',;]+"
    ),
    re.compile(
        r"()\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,})"
    ),
)


def secret_values(env: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the values of variables whose names speak of secrets, longest first."""
    found = {v for k, v in env.items() if len(v) >= 6 and _SECRET_NAME.search(k)}
    return tuple(sorted(found, key=len, reverse=True))


def mask(text: str, values: Iterable[str] = ()) -> str:
    """Replace each of ``values``, and whatever looks like a secret, by a mask."""
    for value in values:
        text = text.replace(value, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def cut(text: str, limit: int) -> str:
    """Keep the beginning and, mostly, the end of ``text``: causes are printed last."""
    if len(text) <= limit:
        return text
    head = limit // 4
    return f"{text[:head]}\n… {len(text) - limit} characters left out …\n{text[len(text) - (limit - head) :]}"


def presentable(text: str, *, limit: int = 8000, env: Mapping[str, str] = os.environ) -> str:
    """Mask, strip and cut ``text``, in that order, so that no half of a secret survives the cut."""
    return cut(mask(text, secret_values(env)).strip(), limit)


def read_ends(path: Path, limit: int = 256_000) -> str:
    """Read a file that may be very long: all of it, or its first and last ``limit // 2`` bytes."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= limit:
            return file.read().decode(errors="replace")
        head = file.read(limit // 2)
        file.seek(size - limit // 2)
        return head.decode(errors="replace") + "\n…\n" + file.read().decode(errors="replace")
