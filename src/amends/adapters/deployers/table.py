"""What the proxy and its callers tell each other: the routing table, orders and the proxy's state."""

from __future__ import annotations

import msgspec

from amends.events.prepared import prepare

# Files of a service and environment, in their state directory.
TABLE = "routing.json"
PROXY = "proxy.json"
TRAFFIC = "traffic.json"
INSTANCES = "instances"
MARKER = "AMENDS_INSTANCE"
SECRET_HEADER = "X-Amends-Control"  # noqa: S105


class Route(msgspec.Struct, frozen=True):
    """One instance that the proxy knows. ``weight`` is its share in per cent; 0: none."""

    name: str
    version: str
    url: str
    weight: int = 0


class Table(msgspec.Struct, frozen=True):
    """The routing table and the fencing token of whoever set it."""

    token: int = 0
    routes: tuple[Route, ...] = ()


class Claim(msgspec.Struct, frozen=True):
    """Says that the order with this token is now carried out."""

    token: int


class Retire(msgspec.Struct, frozen=True):
    """Drain these instances, then stop them. Times in seconds."""

    token: int
    names: tuple[str, ...]
    drain_timeout: float
    stop_timeout: float


class ProxyRecord(msgspec.Struct, frozen=True):
    """Where the proxy is found, and the secret that its control port asks for."""

    pid: int
    started: float
    port: int
    control_port: int
    secret: str


class ProxyState(msgspec.Struct, frozen=True):
    """What the proxy really does.

    ``requests`` counts answers by version since the first start; ``failed`` those of them that the proxy had
    to give itself because an instance did not; ``draining`` and ``stopping`` name instances on their way out.
    """

    token: int
    routes: tuple[Route, ...]
    in_flight: dict[str, int]
    requests: dict[str, int]
    failed: dict[str, int]
    draining: tuple[str, ...]
    stopping: tuple[str, ...]


class Traffic(msgspec.Struct, frozen=True):
    """Counts that survive the proxy."""

    requests: dict[str, int] = {}
    failed: dict[str, int] = {}


prepare(Table, Claim, Retire, ProxyRecord, ProxyState, Traffic)
