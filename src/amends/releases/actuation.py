"""Orders to a deployer and what it reports back: desired state declared, observed state read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What a deployer can be asked to do. Each is idempotent: asking twice is the same as asking once."""

    START = "start"  # run the candidate beside the baseline, ready, with no production traffic
    SHIFT = "shift"  # give the candidate ``weight`` per cent of the traffic
    PROMOTE = "promote"  # give it all, then retire the baseline
    ROLL_BACK = "roll_back"  # give all to the baseline (starting it if need be), then stop the candidate


@dataclass(frozen=True, slots=True)
class ReleaseRef:
    """An immutable version of a service, as a deployer needs it.

    ``version`` names it; ``commit`` and ``digest`` say where its code or artifact is found.
    """

    service: str
    version: str
    commit: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.service}@{self.version}"


@dataclass(frozen=True, slots=True)
class Actuation:
    """One order.

    ``token`` is the fencing token: the version of the intent in the log. A deployer keeps the highest token
    that it has accepted for the service and environment and refuses any order with a lower one. ``weight``
    is in per cent, 0 to 100. ``baseline`` is ``None`` for a service's first release.
    """

    action: Action
    service: str
    environment: str
    deployment: str
    candidate: ReleaseRef
    baseline: ReleaseRef | None
    weight: int
    token: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A running copy of a release. ``url`` is its base address, ``metrics_url`` its exposition, if any."""

    name: str
    version: str
    url: str = ""
    metrics_url: str = ""
    alive: bool = True
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """What really runs, as read back from the world.

    ``weights`` maps a release's version to its share of the traffic in per cent. ``token`` is the highest
    fencing token accepted so far (0: none). ``detail`` is output worth keeping, already cut to size.
    """

    service: str
    environment: str
    token: int = 0
    weights: dict[str, int] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    detail: str = ""

    def of(self, version: str) -> tuple[Instance, ...]:
        """Return the instances that run ``version``."""
        return tuple(i for i in self.instances if i.version == version)
