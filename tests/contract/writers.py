"""What a writer in another process does; its own module, so that the process imports little else."""

from __future__ import annotations

from datetime import UTC, datetime

from amends.adapters.stores import open_store
from amends.events import codec
from amends.events import payloads as p
from amends.events.event import Event

NOW = datetime(2026, 3, 20, 14, 27, 5, 123456, tzinfo=UTC)
LANE = "lane/shop/production"


def deployed(id: str, release: str = "1.0", *, service: str = "shop", source: str = "/test") -> Event:
    payload = p.ServiceDeployed(service=service, release=release, environment="production")
    return codec.make_event("service.deployed", payload, id=id, source=source, at=NOW)[1]


def write_some(url: str, name: str, count: int) -> None:
    store = open_store(url).store
    for n in range(count):
        store.append(LANE, [deployed(f"{name}-{n}")], recorded_at=NOW)
    store.close()
