"""Items of JSON files with their lines: one value, an array, arrays one after the other, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from amends.application.history import Fault

_BLANK = " \t\r\n,"
_LISTS = ("check_runs", "statuses", "items", "nodes", "data", "pull_requests", "deployments", "reviews")
"""Fields under which an answer of the API keeps the items themselves."""


def read_items(text: str, where: str) -> Iterator[tuple[str, dict[str, Any]] | Fault]:
    """Yield each JSON object with ``file:line``; what is broken ends the file with a fault."""
    decoder = json.JSONDecoder()
    at, counted, line = 0, 0, 1
    depth = 0
    while True:
        while at < len(text) and text[at] in _BLANK:
            at += 1
        line += text.count("\n", counted, at)
        counted = at
        if at >= len(text):
            if depth:
                yield Fault("not-json", f"{where}:{line}", "the file ends inside an array", "export it again")
            return
        if text[at] in "[]":  # arrays of items are gone into, so that each item has a line of its own
            depth += 1 if text[at] == "[" else -1
            at += 1
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError as error:
            yield Fault("not-json", f"{where}:{line}", f"this is not JSON: {error}"[:200], "export it again")
            return
        yield from _items(value, f"{where}:{line}")
        at = end


def _items(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]] | Fault]:
    if not isinstance(value, dict):
        yield Fault(
            "unknown-item",
            where,
            f"found {str(value)[:60]!r}; allowed are objects",
            "give answers of the API",
        )
        return
    inner = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
    if inner is None or "id" in value or "number" in value:
        yield where, value
        return
    whose = {"sha": value["sha"]} if value.get("sha") else {}  # a combined status names its commit once
    for one in inner:
        yield from _items({**whose, **one} if isinstance(one, dict) else one, where)
