"""Clocks: the machine's own, an accelerated one for stories that last weeks, a still one for tests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from amends.errors import UsageError
from amends.events.event import parse_time


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class AcceleratedClock:
    """A clock that started at ``origin`` when the machine's showed ``started`` and runs ``factor`` as fast.

    All processes given the same three values agree on the time. Written ``ORIGIN,STARTED,FACTOR`` in
    ``AMENDS_CLOCK``; every page and report then says that the time is accelerated.
    """

    origin: datetime
    started: datetime
    factor: float

    @classmethod
    def parse(cls, text: str) -> AcceleratedClock:
        """Read ``ORIGIN,STARTED,FACTOR``. Raises ``UsageError``."""
        try:
            origin, started, factor = text.split(",")
            speed = float(factor)
        except ValueError:
            speed = 0.0
        if speed <= 0:
            raise UsageError(
                f"AMENDS_CLOCK is {text!r}; allowed is ORIGIN,STARTED,FACTOR with a factor above 0",
                remedy="unset AMENDS_CLOCK to use the machine's clock",
            )
        return cls(parse_time(origin), parse_time(started), speed)

    def __str__(self) -> str:
        return f"{self.origin.isoformat()},{self.started.isoformat()},{self.factor}"

    def now(self) -> datetime:
        return self.origin + (datetime.now(UTC) - self.started) * self.factor

    def wait(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.factor)


class StillClock:
    """A clock that moves only when told to; ``wait`` tells it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(0.0, seconds))
