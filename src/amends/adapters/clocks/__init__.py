"""Clocks: the machine's own, an accelerated one for stories that last weeks, a still one for tests."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from amends.errors import AmendsError, UsageError
from amends.events.event import format_time, parse_time

_LONGEST_NAP = 0.25


class SystemClock:
    """The machine's clock."""

    accelerated = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds_until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.now()).total_seconds())

    def wait(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Pace:
    """From the machine's moment ``started`` on, the clock shows ``origin`` and runs ``factor`` as fast."""

    started: datetime
    origin: datetime
    factor: float

    def at(self, real: datetime) -> datetime:
        return self.origin + (real - self.started) * self.factor


class AcceleratedClock:
    """A clock whose pace stands in a file, so that every process of a story agrees on the time.

    ``AMENDS_CLOCK`` names the file. Changing the pace never makes the time jump or run backwards. Every page
    and report says that the time is accelerated.
    """

    accelerated = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = (-1, -1)
        self._pace = self._read()

    @classmethod
    def start(cls, path: Path, *, at: datetime, factor: float = 1.0) -> AcceleratedClock:
        """Begin a clock that shows ``at`` now."""
        _write(path, Pace(datetime.now(UTC), at, _positive(factor, path)))
        return cls(path)

    def set_pace(self, factor: float) -> None:
        """Run ``factor`` times as fast as the machine's clock from now on."""
        real = datetime.now(UTC)
        _write(self.path, Pace(real, self._current().at(real), _positive(factor, self.path)))

    def now(self) -> datetime:
        return self._current().at(datetime.now(UTC))

    def real_seconds_until(self, moment: datetime) -> float:
        """Return real seconds until the clock shows ``moment``, never longer than the pace may be stale."""
        left = (moment - self.now()).total_seconds() / self._pace.factor
        return min(max(0.0, left), _LONGEST_NAP)

    def wait(self, seconds: float) -> None:
        end = self.now() + timedelta(seconds=max(0.0, seconds))
        while self.now() < end:
            time.sleep(max(0.001, self.real_seconds_until(end)))

    def _current(self) -> Pace:
        found = self.path.stat()
        if (found.st_mtime_ns, found.st_ino) != self._stamp:
            self._pace = self._read()
        return self._pace

    def _read(self) -> Pace:
        try:
            found = self.path.stat()
            read = json.loads(self.path.read_text())
            pace = Pace(parse_time(read["started"]), parse_time(read["origin"]), float(read["factor"]))
        except (OSError, ValueError, KeyError, TypeError, AmendsError) as error:
            raise UsageError(
                f"AMENDS_CLOCK names a file that holds no clock ({error})", where=str(self.path),
                remedy="unset AMENDS_CLOCK to use the machine's clock",
            ) from None  # fmt: skip
        self._stamp = (found.st_mtime_ns, found.st_ino)
        return pace


def _positive(factor: float, path: Path) -> float:
    if not factor > 0:
        raise UsageError(f"a clock's pace is above 0, found {factor}", where=str(path))
    return factor


def _write(path: Path, pace: Pace) -> None:
    body = {
        "started": format_time(pace.started),
        "origin": format_time(pace.origin),
        "factor": pace.factor,
    }
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(json.dumps(body))
    beside.replace(path)


class StillClock:
    """A clock that moves only when told to; ``wait`` tells it."""

    accelerated = False

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def real_seconds_until(self, moment: datetime) -> float:  # noqa: ARG002 - nothing to wait for
        return 0.0

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(0.0, seconds))
