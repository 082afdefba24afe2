"""Backtests for pages: computed once for each policy and position of the log, however many look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from amends.application.backtesting import Past, Priced, Scope, Swept, read_past
from amends.application.log import Log
from amends.application.ports import EvidenceBuilder
from amends.backtests.variants import usual_variations, variants
from amends.errors import UsageError
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


@dataclass
class KeptBacktests:
    """Makes backtests and keeps them. Safe to use from many threads: one makes, the others wait."""

    log: Log
    open_evidence: Callable[[], EvidenceBuilder]
    render: Callable[[Priced, Swept | None], str]
    _kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, loaded: LoadedPolicy, environment: str = "") -> Kept:
        """Return the backtest of a policy. Raises ``UsageError`` as `backtest_policy` does."""
        key = (loaded.digest, environment)
        with self._lock:
            known = self._kept.get(key)
            if known is None or self._is_old(known):
                self._kept.pop(key, None)
                self._kept[key] = known = self._made(loaded, environment)
                while len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]
            return known

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
        return Kept(body, loaded.path, past.history.environment, why, position, now, now - begun)


def _swept(past: Past, loaded: LoadedPolicy) -> tuple[Swept | None, str]:
    environment = past.history.environment
    if not past.history.incidents:
        return None, "there is no incident that other parameters could have stopped"
    try:
        tried = variants(loaded.policy, environment, usual_variations(loaded.policy, environment))
    except UsageError as error:
        return None, error.message
    return Swept(loaded, past.service, environment, past.sweep(loaded, tried), ()), ""
