"""A reply as named fields with values that can be compared: status, chosen headers, and the body's structure.

JSON is flattened to paths as ``body.items[].price``: elements of an array share a path, whose value is the
list of theirs in order, and ``body.items[#]`` is their number. Values are written as JSON, so that
``1``, ``1.0``, ``"1"``, ``true`` and ``null`` all differ, and a field that is not there differs from a null.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from functools import lru_cache
from typing import Any

from amends.prevention.replay.markup import flatten_markup
from amends.prevention.replay.recorded import Reply
from amends.prevention.replay.rules import Rules

Fields = dict[str, str]
NO_ANSWER = "no answer"
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_LABELLED = re.compile(
    r"\s*([A-Za-z_][\w./-]{0,60}(?: [\w./-]{1,30}){0,3}(?:\{[^}]{0,300}\})?)\s*[:= ]\s*(.*)"
)
DEEPEST = 60
MOST_VALUES = 50_000
LONGEST_VALUE = 400


def fields_of(reply: Reply, rules: Rules, own: tuple[str, ...] = ()) -> Fields:
    """Return a reply's fields. ``own`` are the service's own addresses, which are not told apart."""
    if reply.status is None:
        return {"status": f"{NO_ANSWER}: {reply.failure}" if reply.failure else NO_ANSWER}
    found: dict[str, list[str]] = {"status": [str(reply.status)]}
    for name, value in reply.headers:
        if name.lower() in rules.headers:
            found.setdefault(f"headers.{name.lower()}", []).append(json.dumps(_anonymous(value, own)))
    _flatten_body(reply, rules, own, found)
    return {
        path: _short(values[0] if len(values) == 1 else f"[{', '.join(values)}]")
        for path, values in _normalised(found, rules).items()
    }


def _normalised(found: dict[str, list[str]], rules: Rules) -> dict[str, list[str]]:
    return {
        path: [rules.replaced(path, value) for value in values]
        for path, values in found.items()
        if not rules.ignored(path)
    }


def _anonymous(text: str, own: tuple[str, ...]) -> str:
    return _addresses(own).sub("<this service>", text) if own else text


@lru_cache(maxsize=16)
def _addresses(own: tuple[str, ...]) -> re.Pattern[str]:
    """Match a service's addresses where they end there: not ``http://old:80`` in ``http://old:8080``."""
    return re.compile(f"(?<![\\w.-])(?:{'|'.join(map(re.escape, own))})(?![\\w-]|:\\d|\\.\\w)")


def _short(value: str) -> str:
    if len(value) <= LONGEST_VALUE:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{value[:LONGEST_VALUE]}… ({len(value)} characters, {digest})"


def _flatten_body(reply: Reply, rules: Rules, own: tuple[str, ...], found: dict[str, list[str]]) -> None:
    declared = next((v for k, v in reply.headers if k.lower() == "content-type"), "").lower()
    kind = declared.partition(";")[0].strip()
    if reply.cut:
        found["body~cut"] = ["true"]
    if not reply.body:
        found["body~kind"] = ["empty"]
        return
    text = _decoded(reply.body, declared)
    if text is None:
        found["body~kind"] = ["bytes"]
        found["body"] = [f"{len(reply.body)} bytes, {hashlib.sha256(reply.body).hexdigest()[:16]}"]
        return
    text = _anonymous(text, own)
    if _is_json(kind, text) and _flatten_json(text, rules, found):
        found["body~kind"] = ["json"]
    elif kind.endswith(("/html", "/xml", "+xml")):
        found["body~kind"] = ["markup"]
        flatten_markup(text, found)
    else:
        found["body~kind"] = ["text"]
        _flatten_text(text, found)


def _decoded(body: bytes, declared: str) -> str | None:
    """Return the text of a body, or ``None`` where it is none."""
    charset = _CHARSET.search(declared)
    if declared.startswith(("image/", "audio/", "video/", "font/", "application/octet-stream")):
        return None
    try:
        return body.decode(charset[1] if charset else "utf-8")
    except (UnicodeDecodeError, LookupError):
        return None if b"\0" in body else body.decode("latin-1")


def _is_json(kind: str, text: str) -> bool:
    if kind.endswith(("/json", "+json")):
        return True
    return kind in ("", "text/plain") and text.lstrip()[:1] in ("{", "[")


def _flatten_json(text: str, rules: Rules, found: dict[str, list[str]]) -> bool:
    """Add the fields of a JSON text; return false, and add none, where it is none or too deep or large."""
    try:
        value = json.loads(text)
        own: dict[str, list[str]] = {}
        _Walk(rules, own).go("body", value, 0)
    except (ValueError, RecursionError):
        return False
    found.update(own)
    return True


class _Walk:
    """One walk through a JSON value. Raises ``ValueError`` where it is too deep or too large."""

    def __init__(self, rules: Rules, found: dict[str, list[str]]) -> None:
        self.rules, self.found, self.left = rules, found, MOST_VALUES

    def go(self, path: str, value: Any, depth: int) -> None:
        """Add what is at a path."""
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            raise ValueError("too deep or too large")
        if isinstance(value, dict) and value:
            for key, one in value.items():
                self.go(f"{path}{_step(key)}", one, depth + 1)
        elif isinstance(value, list):
            self._elements(path, value, depth)
        else:
            self.found.setdefault(path, []).append(self._written(path, value))

    def _elements(self, path: str, value: list[Any], depth: int) -> None:
        if self.rules.sorted(path):
            value = sorted(value, key=lambda one: json.dumps(one, sort_keys=True))
        self.found.setdefault(f"{path}[#]", []).append(str(len(value)))
        for one in value:
            self.go(f"{path}[]", one, depth + 1)

    def _written(self, path: str, value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            places = self.rules.decimals(path)
            if places is not None and math.isfinite(value):
                return json.dumps(round(float(value), places))
        return json.dumps(value, ensure_ascii=False)


def _step(key: str) -> str:
    return f".{key}" if _PLAIN.fullmatch(key) else f".{json.dumps(key, ensure_ascii=False)}"


def _flatten_text(text: str, found: dict[str, list[str]]) -> None:
    """Add a text by lines; a line ``label: value``, ``label=value`` or ``label value`` has its own field."""
    lines = text.splitlines()
    found["body.lines[#]"] = [str(len(lines))]
    for line in lines[:MOST_VALUES]:
        labelled = _LABELLED.fullmatch(line)
        path = f"body.line{_step(labelled[1])}" if labelled else "body.lines[]"
        found.setdefault(path, []).append(json.dumps(labelled[2] if labelled else line, ensure_ascii=False))
