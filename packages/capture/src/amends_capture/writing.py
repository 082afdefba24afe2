"""The writer's work on one capture: redact, look once more, write."""

from __future__ import annotations

import json
import logging
import os
import re
import zlib
from typing import Any

from amends_capture.documents import document_of, leaks
from amends_capture.files import Directory
from amends_capture.recorder import Raw, stratum_of
from amends_capture.redaction.masking import Masker
from amends_capture.redaction.names import Names
from amends_capture.redaction.texts import Texts
from amends_capture.settings import Settings

_LOG = logging.getLogger("amends_capture")


class Writer:
    """Writes captures under ``settings`` and counts in ``stats``. Used by one thread.

    Raises ``ValueError`` or ``re.error`` where what is secret cannot be read: then nothing may be written.
    """

    def __init__(self, settings: Settings, stats: dict[str, int]) -> None:
        for problem in settings.problems:
            _LOG.warning("amends-capture: %s", problem)
        if not settings.is_safe:
            raise ValueError("what is secret here cannot be read")
        self._settings = settings
        self._stats = stats
        self._key = os.urandom(32)
        self._names = Names(settings.secret_names, settings.kept_names)
        self._patterns = [re.compile(pattern) for pattern in settings.secret_patterns]
        self._directory = Directory(settings.directory, settings.max_files, settings.max_bytes)
        self._told = False

    def write(self, raw: Raw) -> None:
        """Write one capture, or count why not."""
        found = self.redacted(raw)
        if found is None:
            self._stats["withheld"] += 1
            return
        name, text = found
        try:
            self._stats["evicted"] += self._directory.add(name, group_of(raw), text)
            self._stats["written"] += 1
        except OSError as error:
            self._stats["errors"] += 1
            if not self._told:
                self._told = True
                _LOG.warning(
                    "amends-capture: cannot write into %s: %s", self._settings.directory, error.strerror
                )

    def redacted(self, raw: Raw) -> tuple[str, bytes] | None:
        """Return a capture's id with its text, or ``None`` when it would be too long or hold a secret."""
        texts = Texts(Masker(self._key), self._names, self._patterns)
        document = document_of(raw, self._settings, texts)
        for shorter in (None, "response", "exception"):
            if shorter is not None:
                _shorten(document, shorter)
            text = json.dumps(document, separators=(",", ":"), allow_nan=False)
            if len(text) <= self._settings.max_capture_bytes:
                break
        else:
            return None
        return None if leaks(text, texts.known) else (document["id"], text.encode())


def _shorten(document: dict[str, Any], part: str) -> None:
    """Leave out what can be missed first: the response's body, then the local variables."""
    found = document[part]
    if not isinstance(found, dict):
        return
    if part == "response":
        found["body"] = {"$type": "cut"}
        where = ["/response/body"]
    else:
        for frame in found["frames"]:
            frame["locals"] = {}
        where = [f"/exception/frames/{number}/locals" for number in range(len(found["frames"]))]
    for name in ("redacted", "cut"):
        kept = [
            p for p in document[name] if not p.startswith(tuple(f"{w}/" for w in where)) and p not in where
        ]
        document[name] = sorted([*kept, *where]) if name == "cut" else kept


def group_of(raw: Raw) -> str:
    """Return what a capture is like, in a few characters: a flood must not cost another failure its files."""
    request, call, error = raw.request or {}, raw.call or {}, raw.exception or {}
    frames = error.get("frames") or [{}]
    like = (
        error.get("type"), frames[-1].get("file"), frames[-1].get("function"), call.get("function"),
        request.get("method"), stratum_of(request.get("path", "")), (raw.response or {}).get("status"),
    )  # fmt: skip
    return f"{raw.why}.{zlib.crc32(repr(like).encode()):08x}"
