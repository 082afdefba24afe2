"""A traffic generator: ``python -m amends.demo.traffic URL --rate 80 --edge-share 0.04``.

Runs until it is told to stop (SIGTERM), then prints what it sent and what came back as one JSON line.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

GOODS = ({"kind": "goods", "price": 450}, {"kind": "goods", "price": 1200}, {"kind": "goods", "price": 89})
GIFT_CARD = {"kind": "gift_card", "price": 2500}


@dataclass
class Tally:
    """What the clients saw, by status; ``0`` counts connections that failed."""

    statuses: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: int) -> None:
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1


def cart(dice: random.Random, edge_share: float) -> dict[str, Any]:
    """Return a cart; with probability ``edge_share`` one that holds gift cards alone."""
    if dice.random() < edge_share:
        items = [{**GIFT_CARD, "quantity": 1}]
    else:
        picked = dice.sample(GOODS, dice.randint(1, len(GOODS)))
        items = [{**item, "quantity": dice.randint(1, 3)} for item in picked]
        if dice.random() < 0.1:
            items.append({**GIFT_CARD, "quantity": 1})
    coupon = dice.choice(("", "", "SPRING10"))
    return {"items": items, "coupon": coupon} if coupon else {"items": items}


def client(
    address: str, gap: float, edge_share: float, seed: int, stop: threading.Event, tally: Tally
) -> None:
    """Send one request after another, about ``gap`` seconds apart, on a kept-alive connection."""
    place = urlsplit(address)
    dice = random.Random(seed)  # noqa: S311 - carts, not secrets
    connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=10)
    while not stop.wait(dice.expovariate(1 / gap)):
        body = json.dumps(cart(dice, edge_share))
        try:
            connection.request("POST", "/quote", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            tally.add(answer.status)
        except (OSError, http.client.HTTPException):
            connection.close()
            tally.add(0)
            time.sleep(0.05)


def main() -> None:
    """Generate traffic until SIGTERM or ``--seconds`` are over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=80.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--edge-share", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    stop, tally = threading.Event(), Tally()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    gap = options.clients / options.rate
    threads = [
        threading.Thread(
            target=client,
            args=(options.url, gap, options.edge_share, options.seed + i, stop, tally),
            daemon=True,
        )
        for i in range(options.clients)
    ]
    for thread in threads:
        thread.start()
    stop.wait(options.seconds)
    stop.set()
    for thread in threads:
        thread.join(timeout=12)
    sys.stdout.write(json.dumps({"statuses": tally.statuses}) + "\n")


if __name__ == "__main__":
    main()
