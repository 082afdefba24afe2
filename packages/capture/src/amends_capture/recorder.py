"""The recorder: takes what failed without waiting, and hands it to a thread that redacts and writes.

Its work is bounded in every direction: how many captures wait, how many bytes of bodies are held, how much of
a processor the writer takes, how many files there are. What does not fit is dropped and counted. Nothing in
here raises into the service.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from _queue import SimpleQueue
from _weakrefset import WeakSet

from amends_capture.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from typing import Any


_FLUSH_SECONDS = 2.0
_MOST_STRATA = 1024
_BETWEEN_EXAMINED = 0.02


_RECORDERS: WeakSet[Recorder] = WeakSet()
# A process that forks while a thread imports would leave its child with half a module.
_IMPORTING = threading.Lock()


def _after_fork() -> None:
    _IMPORTING.release()
    for recorder in _RECORDERS:
        recorder.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_IMPORTING.acquire, after_in_parent=_IMPORTING.release, after_in_child=_after_fork
    )


class Raw:
    """One capture before it is redacted, as the service's thread left it. It never leaves memory as it is."""

    __slots__ = ("at", "call", "exception", "held", "key", "kind", "request", "response", "trace", "why")

    def __init__(self, kind: str, why: str) -> None:
        self.kind = kind
        self.why = why
        self.at = time.time()
        self.trace = ""
        self.key = ""
        self.held = 0
        self.request: dict[str, Any] | None = None
        self.response: dict[str, Any] | None = None
        self.call: dict[str, Any] | None = None
        self.exception: dict[str, Any] | None = None


class Recorder:
    """Records captures under ``settings``. One serves any number of middlewares and functions.

    ``stats`` counts what was written, dropped (for want of room), withheld (a secret would have been left),
    and what went wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stats = {"written": 0, "dropped": 0, "withheld": 0, "errors": 0, "evicted": 0}
        self.keeps_all = settings.predicate is not None
        self.reset()
        self._strata: dict[tuple[str, str, int], int] = {}
        self._tokens = settings.samples_per_minute
        self._refilled = time.monotonic()
        self._examined_next = self._refilled if settings.sample_share else float("inf")
        _RECORDERS.add(self)
        atexit.register(self.close)

    def reset(self) -> None:
        """Begin anew with nothing waiting, as a forked process must: the writer's thread stayed behind."""
        self._held = self._offered = self._done = 0
        self._counting = threading.Lock()
        self._queue: SimpleQueue[Raw | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._start = threading.Lock()

    # --- called by the service's threads -------------------------------------------------------------------

    @property
    def held(self) -> int:
        """Bytes of bodies that are in memory now."""
        return self._held

    def hold(self, size: int) -> bool:
        """Count bytes that are kept in memory; say no when there are too many already."""
        with self._counting:
            if size > 0 and self._held + size > self.settings.max_memory_bytes:
                return False
            self._held += size
            return True

    def has_room(self) -> bool:
        """Return whether another capture may wait; counts a drop when it may not."""
        if self._queue.qsize() < self.settings.max_queue and not self._closing.is_set():
            return True
        self.stats["dropped"] += 1
        return False

    def offer(self, raw: Raw) -> None:
        """Hand a capture to the writer, or drop it. Never waits, never raises."""
        try:
            if self._queue.qsize() >= self.settings.max_queue or self._closing.is_set():
                self.stats["dropped"] += 1
                self.hold(-raw.held)
                return
            with self._counting:
                self._offered += 1
            self._queue.put(raw)
            if self._thread is None:
                self._begin()
        except Exception:
            self.stats["errors"] += 1

    def examines(self) -> bool:
        """Return whether this request may be sampled: a few in a second, so that the rest cost nothing."""
        now = time.monotonic()
        if now < self._examined_next:
            return False
        self._examined_next = now + _BETWEEN_EXAMINED
        return True

    def samples(self, method: str, path: str, status: int) -> bool:
        """Return whether an examined request is recorded: the first of its stratum, then a share of it.

        Strata are method, path without its identifiers, and hundreds of the status.
        """
        now = time.monotonic()
        settings = self.settings
        rate = settings.samples_per_minute
        self._tokens = min(rate, self._tokens + (now - self._refilled) * rate / 60)
        self._refilled = now
        if self._tokens < 1:
            return False
        stratum = (method, stratum_of(path), status // 100)
        seen = self._strata.get(stratum, 0)
        if seen == 0 and len(self._strata) >= _MOST_STRATA:
            self._strata.clear()
        self._strata[stratum] = seen + 1
        if seen and _draw() >= settings.sample_share:
            return False
        self._tokens -= 1
        return True

    # --- the writer ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="amends-capture", daemon=True)
                self._thread.start()

    def _write_all(self) -> None:
        try:
            with _IMPORTING:
                from amends_capture.writing import Writer
            writer = Writer(self.settings, self.stats)
        except Exception:
            self.stats["errors"] += 1
            self._closing.set()
            return
        while True:
            raw = self._queue.get()
            if raw is None:
                return
            began = time.thread_time()
            try:
                writer.write(raw)
            except Exception:
                self.stats["errors"] += 1
            self.hold(-raw.held)
            del raw
            self._done += 1
            self._rest(time.thread_time() - began)

    def _rest(self, worked: float) -> None:
        """Wait long enough for the writer to stay within its share of a processor; not when it is closing."""
        share = self.settings.writer_share
        self._closing.wait(min(worked * (1 - share) / share, 1.0))

    def flush(self, seconds: float = _FLUSH_SECONDS) -> bool:
        """Wait until all that was offered is written, at most ``seconds``; say whether it is."""
        until = time.monotonic() + seconds
        while self._done < self._offered and time.monotonic() < until and not self._closing.is_set():
            time.sleep(0.002)
        return self._done >= self._offered

    def close(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Write what waits, at most for ``seconds``, and take no more."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(seconds)


def _draw() -> float:
    """Return a number from 0 to 1. The module ``random`` takes a millisecond to import."""
    return int.from_bytes(os.urandom(4), "big") / (1 << 32)


def stratum_of(path: str) -> str:
    """Return a path without what identifies one thing: parts that hold a digit, or are longer than 32."""
    if len(path) > 2048:
        return "long"
    return "/".join(
        "*" if len(part) > 32 or not part.isascii() or _has_digit(part) else part for part in path.split("/")
    )


def _has_digit(part: str) -> bool:
    return not part.isalpha() and any(c.isdigit() for c in part)
