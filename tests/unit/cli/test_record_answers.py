"""What ``amends record`` prints about the events that it recorded."""

from __future__ import annotations

import pytest

from amends.application.desk import Receipt
from amends.cli.desk import Where
from amends.cli.options import Format
from amends.events import payloads as p
from tests.escapes import escape


def printed(capsys: pytest.CaptureFixture[str], many: int, known: int = 0) -> list[str]:
    with escape() as told:
        payload = p.ServiceDeployed(service="shop", release="1", environment="production")
        facts = [told.tell("service.deployed", payload) for _ in range(many + known)]
    receipts = [Receipt(fact, fresh=n < many) for n, fact in enumerate(facts)]
    Where(service="", store="", policy="", at="", id="", format=Format.TEXT).answer(receipts)
    return capsys.readouterr().out.splitlines()


def test_a_few_events_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, 1, 1) == [
        "recorded service.deployed event-1", "already in the log: service.deployed event-2",
    ]  # fmt: skip


def test_many_events_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, 30, 5) == [
        "recorded 30 service.deployed", "already in the log: 5 service.deployed",
    ]  # fmt: skip
