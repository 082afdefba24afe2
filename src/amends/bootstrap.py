"""The only place where adapters are chosen."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amends.adapters.clocks import AcceleratedClock, SystemClock
from amends.adapters.stores import OpenStore, open_store
from amends.application.log import Log
from amends.application.ports import Clock
from amends.config import Settings
from amends.errors import UsageError

if TYPE_CHECKING:
    from amends.gates.policy import LoadedPolicy


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that a command or the server works with."""

    settings: Settings
    opened: OpenStore
    clock: Clock
    log: Log

    def close(self) -> None:
        """Release the store."""
        self.opened.store.close()


def open_clock(settings: Settings) -> Clock:
    """Return the machine's clock, or the accelerated one whose file ``AMENDS_CLOCK`` names."""
    return AcceleratedClock(Path(settings.clock)) if settings.clock else SystemClock()


StoryClock = AcceleratedClock  # what an accelerated story steers; `amends demo` is one


def open_workspace(*, store: str = "", policy: str = "", source: str = "/amends/cli") -> Workspace:
    """Open the log and the clock that options and environment name."""
    settings = Settings.read(os.environ, store=store, policy=policy)
    clock = open_clock(settings)
    opened = open_store(settings.store, token=settings.token)
    log = Log(opened.store, clock, lambda: str(uuid.uuid4()), source)
    return Workspace(settings, opened, clock, log)


def open_policy(path: str = "", *, service: str = "") -> LoadedPolicy:
    """Read the policy that an option or the environment names.

    Raises ``PolicyError`` when it cannot be read as one, ``UsageError`` when it is another service's.
    """
    from amends.adapters.policyfile import load_policy

    loaded = load_policy(Settings.read(os.environ, policy=path).policy)
    if service and service != loaded.policy.service:
        raise UsageError(
            f"this is the policy of {loaded.policy.service}, not of {service}",
            where=loaded.path,
            remedy="leave --service out, or name the policy of that service with --policy FILE",
        )
    return loaded
