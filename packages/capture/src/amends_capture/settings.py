"""The settings of a recorder: where captures go, how many, and what is secret beside what always is."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from collections.abc import Callable, Iterable
    from typing import Any

    Predicate = Callable[["Outcome"], bool]


class Outcome:
    """What a predicate of a user's own is asked about: one answered request.

    ``body`` is what was kept of the response's body, at most ``max_body_bytes``.
    """

    __slots__ = ("body", "headers", "method", "path", "status")

    def __init__(
        self, method: str, path: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.headers = headers
        self.body = body


class Settings:
    """What a recorder needs to know. A value of the wrong kind is left out for its default: see ``problems``.

    Parameters
    ----------
    directory:
        Where captures are written; made when it is not there. Default: AMENDS_CAPTURE_DIR, or ``captures``.
    service, release, environment:
        What runs here. Default: AMENDS_SERVICE, AMENDS_VERSION, AMENDS_ENVIRONMENT.
    sample_share, samples_per_minute:
        Which share of the requests that did not fail is recorded as well (0 to 1, drawn in each stratum, the
        first of each always), and how many of them at most in a minute.
    predicate:
        Given an ``Outcome``, says whether it counts as a failure. One that raises says no.
    max_files, max_bytes:
        How many captures, and bytes of them, the directory holds; of the most frequent kind the oldest
        go first.
    max_body_bytes, max_capture_bytes:
        Longest body, and longest file, that is kept.
    max_queue, max_memory_bytes:
        Captures that may wait for the writer, and bytes of bodies that are held in memory; more are dropped.
    writer_share:
        The part of one processor that writing may take, 0 to 1.
    secret_names, kept_names, secret_headers, secret_patterns:
        Names whose values are secret or not, headers, and regular expressions, beside our own.
    """

    __slots__ = (
        "directory", "environment", "is_safe", "kept_names", "max_body_bytes", "max_bytes",
        "max_capture_bytes",
        "max_files", "max_memory_bytes", "max_queue", "predicate", "problems", "release", "sample_share",
        "samples_per_minute", "secret_headers", "secret_names", "secret_patterns", "service", "writer_share",
    )  # fmt: skip

    def __init__(
        self, *, directory: str | os.PathLike[str] | None = None, service: str | None = None,
        release: str | None = None, environment: str | None = None, sample_share: float = 0.01,
        samples_per_minute: float = 60.0, predicate: Predicate | None = None, max_files: int = 500,
        max_bytes: int = 50_000_000, max_body_bytes: int = 64_000, max_capture_bytes: int = 256_000,
        max_queue: int = 64, max_memory_bytes: int = 16_000_000, writer_share: float = 0.05,
        secret_names: Iterable[str] = (), kept_names: Iterable[str] = (), secret_headers: Iterable[str] = (),
        secret_patterns: Iterable[str] = (),
    ) -> None:  # fmt: skip
        said = os.environ.get
        self.problems: list[str] = []
        self.is_safe = True
        self.directory = self._path(directory or said("AMENDS_CAPTURE_DIR") or "captures")
        self.service = str(service or said("AMENDS_SERVICE") or "")
        self.release = str(release or said("AMENDS_VERSION") or "")
        self.environment = str(environment or said("AMENDS_ENVIRONMENT") or "production")
        self.sample_share = self._number("sample_share", sample_share, 0.01, 0.0, 1.0)
        self.samples_per_minute = self._number("samples_per_minute", samples_per_minute, 60.0, 0.0, 60_000.0)
        self.predicate = (
            predicate if predicate is None or callable(predicate) else self._no("predicate", None)
        )
        self.max_files = int(self._number("max_files", max_files, 500, 1, 1_000_000))
        self.max_bytes = int(self._number("max_bytes", max_bytes, 50_000_000, 1_000, 1e13))
        self.max_body_bytes = int(self._number("max_body_bytes", max_body_bytes, 64_000, 0, 16_000_000))
        self.max_capture_bytes = int(
            self._number("max_capture_bytes", max_capture_bytes, 256_000, 10_000, 64_000_000)
        )
        self.max_queue = int(self._number("max_queue", max_queue, 64, 1, 100_000))
        self.max_memory_bytes = int(self._number("max_memory_bytes", max_memory_bytes, 16_000_000, 0, 1e11))
        self.writer_share = self._number("writer_share", writer_share, 0.05, 0.001, 1.0)
        self.secret_names = self._words("secret_names", secret_names)
        self.kept_names = self._words("kept_names", kept_names)
        self.secret_headers = frozenset(one.lower() for one in self._words("secret_headers", secret_headers))
        self.secret_patterns = self._words("secret_patterns", secret_patterns)

    def _no(self, name: str, instead: Any) -> Any:
        self.problems.append(f"{name} is not what it should be; {instead!r} is used")
        return instead

    def _path(self, found: Any) -> str:
        try:
            return str(os.path.abspath(os.fspath(found)))
        except (TypeError, ValueError, OSError):
            return str(self._no("directory", "captures"))

    def _number(self, name: str, found: Any, default: float, least: float, most: float) -> float:
        if isinstance(found, int | float) and not isinstance(found, bool) and least <= found <= most:
            return found
        return float(self._no(f"{name} ({least:g} to {most:g})", default))

    def _words(self, name: str, found: Any) -> tuple[str, ...]:
        try:
            words = (found,) if isinstance(found, str) else tuple(found)
        except TypeError:
            return self._unsafe(name)
        if all(isinstance(word, str) for word in words):
            return words
        return self._unsafe(name)

    def _unsafe(self, name: str) -> tuple[str, ...]:
        """Without what a user calls secret nothing may be written."""
        self.is_safe = False
        self.problems.append(f"{name} is no list of texts; nothing is recorded")
        return ()
