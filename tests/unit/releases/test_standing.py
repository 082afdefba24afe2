"""What runs where, what to go back to, and what must not be deployed."""

from __future__ import annotations

from typing import Any

from amends.events import payloads as p
from amends.releases.standing import Standing, fold_quarantines, fold_standing


def deployed(history: Any, release: str, deployment: str = "") -> None:
    said = p.ServiceDeployed(service="shop", release=release, environment="production", deployment=deployment)
    history.add("service.deployed", said)


def rolled_back(history: Any, release: str, restored: str) -> None:
    said = p.ServiceRolledBack(service="shop", release=release, restored=restored, environment="production")
    history.add("service.rolledback", said)


def standing(history: Any) -> Standing:
    return fold_standing(history.facts)["production"]


def test_the_previous_good_release_skips_what_was_rolled_back(history: Any) -> None:
    for release in ("1", "2", "3"):
        deployed(history, release)
    rolled_back(history, "3", "2")
    deployed(history, "4")
    assert standing(history).release == "4"
    assert standing(history).previous_good() == "2"


def test_the_previous_good_release_skips_a_quarantined_one(history: Any) -> None:
    for release in ("1", "2", "3"):
        deployed(history, release)
    history.add("quarantine.set", p.QuarantineSet(service="shop", release="2", reason="leaks"))
    assert standing(history).previous_good() == "1"


def test_a_first_release_has_nothing_to_go_back_to(history: Any) -> None:
    deployed(history, "1")
    assert standing(history).previous_good() == ""


def test_a_candidate_rolled_back_before_it_took_over_leaves_the_standing_as_it_was(history: Any) -> None:
    deployed(history, "1", "d0")
    rolled_back(history, "2", "1")
    assert (standing(history).release, standing(history).deployment) == ("1", "d0")


def test_one_deployment_is_open_until_it_finishes(history: Any) -> None:
    history.request("d1")
    assert standing(history).open == "d1"
    history.finish("promoted", "d0")
    assert standing(history).open == "d1"
    history.finish("promoted", "d1")
    assert standing(history).open == ""


def test_a_quarantine_names_its_incident_and_ends_when_lifted(history: Any) -> None:
    history.add("quarantine.set", p.QuarantineSet(service="shop", release="2", reason="worse"))
    history.add(
        "incident.detected",
        p.IncidentOpened(
            incident="INC-1", service="shop", environment="production", summary="s", opened_by="rollback",
            release="c0ffee",
        ),
    )  # fmt: skip
    canonical = {"c0ffee": "2"}
    held = fold_quarantines(history.facts, lambda n: canonical.get(n, n))
    assert held["2"].incident == "INC-1"
    lifted = p.QuarantineLifted(service="shop", release="c0ffee", reason="fixed flag", role="sre")
    history.add("quarantine.lifted", lifted)
    assert fold_quarantines(history.facts, lambda n: canonical.get(n, n)) == {}


def test_all_names_of_a_release_are_one(history: Any) -> None:
    deployed(history, "1")
    deployed(history, "c0ffee")
    deployed(history, "2")
    names = {"c0ffee": "2"}
    folded = fold_standing(history.facts, lambda n: names.get(n, n))["production"]
    assert folded.good == ("1", "2")
    assert folded.previous_good() == "1"
