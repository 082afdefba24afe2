"""Backtests for pages: computed once for each policy and position of the log, however many look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath

from amends.application.backtesting import Past, Priced, Scope, Swept, read_past
from amends.application.log import Log
from amends.application.ports import EvidenceBuilder
from amends.backtests.variants import usual_variations, variants
from amends.errors import AmendsError, UsageError
from amends.gates.policy import LoadedPolicy

_KEPT = 16
_PATIENCE = 20
"""A backtest that took a second is shown for twenty before one that knows of newer events is made."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backtest with its sweep, rendered, as of a position of the log.

    ``unswept`` says why there is no sweep. It is rendered because the evidence is closed by now.
    """

    body: str
    path: str
    environment: str
    unswept: str
    position: int
    made_at: datetime
    took: timedelta


def in_background(work: Callable[[], None]) -> None:
    """Do something beside what runs."""
    threading.Thread(target=work, name="backtest", daemon=True).start()


@dataclass
class KeptBacktests:
    """Makes backtests and keeps them: the first look at one waits for it, later ones never do.

    Safe to use from many threads. ``later`` is given the work of making a backtest anew that is out of date;
    meanwhile the old one is shown.
    """

    log: Log
    open_evidence: Callable[[], EvidenceBuilder]
    render: Callable[[Priced, Swept | None], str]
    later: Callable[[Callable[[], None]], None] = in_background
    _kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    _renewing: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, loaded: LoadedPolicy, environment: str = "") -> Kept:
        """Return the backtest of a policy. Raises ``UsageError`` as `backtest_policy` does."""
        key = (loaded.digest, environment)
        known = self._kept.get(key)
        if known is None:
            with self._lock:
                return self._kept.get(key) or self._make(key, loaded)
        if self._is_old(known) and key not in self._renewing:
            self._renewing.add(key)
            self.later(lambda: self._renew(key, loaded))
        return known

    def _renew(self, key: tuple[str, str], loaded: LoadedPolicy) -> None:
        try:
            with self._lock:
                self._make(key, loaded)
        except AmendsError:
            self._kept.pop(key, None)  # whoever looks next is told why
        finally:
            self._renewing.discard(key)

    def _make(self, key: tuple[str, str], loaded: LoadedPolicy) -> Kept:
        made = self._made(loaded, key[1])
        self._kept.pop(key, None)
        self._kept[key] = made
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return made

    def _is_old(self, known: Kept) -> bool:
        if self.log.store.last_position() == known.position:
            return False
        return self.log.clock.now() - known.made_at >= _PATIENCE * known.took

    def _made(self, loaded: LoadedPolicy, environment: str) -> Kept:
        begun, position = self.log.clock.now(), self.log.store.last_position()
        evidence = self.open_evidence()
        try:
            past = read_past(self.log, evidence, [loaded.policy], Scope(environment))
            priced = Priced(loaded, past.service, past.price(loaded), past.notes)
            swept, why = _swept(past, loaded)
            body = self.render(priced, swept)
        finally:
            evidence.close()
        now = self.log.clock.now()
        return Kept(
            body, PurePath(loaded.path).name, past.history.environment, why, position, now, now - begun
        )


def _swept(past: Past, loaded: LoadedPolicy) -> tuple[Swept | None, str]:
    environment = past.history.environment
    if not past.history.incidents:
        return None, "there is no incident that other parameters could have stopped"
    try:
        tried = variants(loaded.policy, environment, usual_variations(loaded.policy, environment))
    except UsageError as error:
        return None, error.message
    return Swept(loaded, past.service, environment, past.sweep(loaded, tried), ()), ""
