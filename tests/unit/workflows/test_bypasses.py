"""A deployment that went around its gates opens an incident by itself, once, where the policy does not say
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from amends.application.casework import open_from_bypass
from amends.application.incidents import list_incidents
from amends.application.reviewing import list_revisions
from amends.events import payloads as p
from amends.workflows.bypasses import SETTLES, open_bypasses
from tests.escapes import POLICY, Escape, escape


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        adopt(told, POLICY)
        yield told


def adopt(told: Escape, text: str) -> None:
    told.tell(
        "policy.adopted",
        p.PolicyAdopted(service="shop", digest=str(len(text)), text=text, path="amends.yaml"),
    )


def seen(told: Escape, release: str = "1.1", environment: str = "production") -> None:
    said = p.ServiceDeployed(service="shop", release=release, environment=environment, previous="1.0")
    told.tell("service.deployed", said)


def settle(told: Escape) -> None:
    told.clock.wait(SETTLES.total_seconds())


def test_a_bypass_opens_one_incident_of_low_severity_once_it_has_settled(told: Escape) -> None:
    seen(told)
    assert open_bypasses(told.log, "shop").due == told.clock.now() + SETTLES
    assert list_incidents(told.log) == []
    settle(told)
    assert open_bypasses(told.log, "shop").did.startswith("opened INC-1")
    assert open_bypasses(told.log, "shop").did == ""
    [incident] = list_incidents(told.log)
    assert list_revisions(told.log, incident.id)[0].drafted
    opened = incident.opened
    assert (opened.opened_by, opened.severity, opened.team, opened.previous) == (
        "bypass", "low", "shop-team", "1.0",
    )  # fmt: skip
    assert open_from_bypass(told.log, "shop", "1.1") == "INC-1"
    seen(told, "1.2")
    settle(told)
    assert open_bypasses(told.log, "shop").did.startswith("opened INC-2")


def test_a_pass_that_is_recorded_a_little_later_opens_nothing(told: Escape) -> None:
    at = told.clock.now()
    seen(told)
    told.tell("gates.decided", p.GatesDecided(
        service="shop", release="1.1", environment="production", at=at, decision="pass", gates=(), policy="d"
    ))  # fmt: skip
    settle(told)
    assert open_bypasses(told.log, "shop").did == ""


@pytest.mark.parametrize("reason", ["another environment", "the policy", "a person", "its age", "imported"])
def test_nothing_is_opened_for(told: Escape, reason: str) -> None:
    if reason == "the policy":
        adopt(told, f"{POLICY}incidents: {{bypass: flag}}\n")
    if reason == "imported":
        said = p.ServiceDeployed(service="shop", release="1.1", environment="production")
        told.log.record("service.deployed", said, imported=True)
    else:
        seen(told, environment="staging" if reason == "another environment" else "production")
    if reason == "a person":
        told.roll_back()
    told.clock.wait(timedelta(days=8).total_seconds() if reason == "its age" else SETTLES.total_seconds())
    assert open_bypasses(told.log, "shop").did == ""
