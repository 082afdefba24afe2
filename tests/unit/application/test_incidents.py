"""Incidents: opened once, whoever opens them, also by alerts that come twice and out of order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from amends.application.alerts import AlertLabels, open_from_alert
from amends.application.incidents import (
    acknowledge,
    incident_data,
    incident_view,
    list_incidents,
    open_incident,
    reopen,
    resolve,
    set_milestone,
    take_note,
)
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.event import format_time
from amends.incidents.incident import Lifecycle
from tests.escapes import BEGAN, Escape, escape, minutes


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        yield told


def opened(told: Escape, deployment: str = "", release: str = "1.1") -> str:
    return open_incident(
        told.log, service="shop", release=release, previous="1.0", environment="production", summary="errors",
        opened_by="rollback", deployment=deployment,
    )  # fmt: skip


def test_one_incident_for_a_deployment_whoever_opens_it_and_however_often(told: Escape) -> None:
    with ThreadPoolExecutor(8) as pool:
        same = set(pool.map(lambda _: opened(told, "d-1"), range(16)))
        others = list(pool.map(lambda i: opened(told, f"other-{i}"), range(16)))
    assert len(same) == 1
    assert len({*same, *others}) == 17
    numbers = sorted(int(name.removeprefix("INC-")) for name in {*same, *others})
    assert numbers == list(range(1, 18))


def test_an_incident_moves_only_where_its_state_allows(told: Escape) -> None:
    incident = opened(told)
    with pytest.raises(NotAllowedError, match="is open"):
        reopen(told.log, incident, role="team", reason="again")
    acknowledge(told.log, incident, role="on-call")
    with pytest.raises(NotAllowedError, match="is acknowledged"):
        acknowledge(told.log, incident, role="on-call")
    resolve(told.log, incident, role="team", reason="fixed")
    reopen(told.log, incident, role="team", reason="came back")
    assert list_incidents(told.log)[0].state is Lifecycle.OPEN


def test_resolving_lifts_a_quarantine_only_when_asked(told: Escape) -> None:
    incident = opened(told)
    told.tell(
        "quarantine.set", p.QuarantineSet(service="shop", release="1.1", reason="worse", incident=incident)
    )
    resolve(told.log, incident, role="team", reason="fixed")
    assert incident_view(told.log, incident).quarantined
    reopen(told.log, incident, role="team", reason="to lift it")
    resolve(told.log, incident, role="team", reason="harmless", lift_quarantine=True)
    assert not incident_view(told.log, incident).quarantined


def test_milestones_and_notes_that_say_nothing_are_refused(told: Escape) -> None:
    incident = opened(told)
    with pytest.raises(UsageError, match="cause_found"):
        set_milestone(told.log, incident, "noticed", at=BEGAN)
    with pytest.raises(UsageError, match="interval"):
        set_milestone(told.log, incident, "started")
    with pytest.raises(UsageError, match="before it begins"):
        set_milestone(told.log, incident, "started", earliest=BEGAN, latest=BEGAN - minutes(1))
    with pytest.raises(UsageError, match="empty"):
        take_note(told.log, incident, "  ")


def test_an_unknown_incident_names_those_there_are(told: Escape) -> None:
    opened(told)
    with pytest.raises(NotFoundError, match="INC-1"):
        incident_view(told.log, "INC-7")


def test_facts_of_another_incident_of_the_release_stay_out(told: Escape) -> None:
    first, second = opened(told, "d-1"), opened(told, "d-2")
    take_note(told.log, first, "only here")
    assert "only here" not in str(incident_view(told.log, second).record.timeline)


def test_the_view_as_json_has_what_a_page_needs(told: Escape) -> None:
    incident = told.live_through()
    told.capture(incident)
    data = incident_data(incident_view(told.log, incident))
    assert data["incident"] == incident
    assert {"gate", "state", "reason", "events", "question"} <= set(data["matrix"]["rows"][0])
    assert {"at", "text", "event", "knowledge"} <= set(data["timeline"][0])


def test_a_rollback_long_after_promotion_still_finds_what_began_it(told: Escape) -> None:
    plan: dict[str, Any] = {}
    for deployment, kind in (("d-1", "rollout"), ("d-2", "rollback")):
        told.tell(
            "deployment.requested",
            p.DeploymentRequested(
                deployment=deployment, service="shop", release="1.1", environment="production", plan=plan,
                policy="digest", kind=kind,  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        if kind == "rollout":
            began = told.tell(
                "step.started",
                p.StepStarted(
                    deployment=deployment,
                    service="shop",
                    environment="production",
                    step=1,
                    weight=10,
                    seconds=60,
                ),
            )
    view = incident_view(told.log, opened(told, "d-2"))
    assert view.record.milestones[0].earliest == began.occurred_at


# --- alerts ---------------------------------------------------------------------------------------------


def alert(
    status: str = "firing", *, fingerprint: str = "f1", minute: float = 10, **labels: str
) -> dict[str, Any]:
    starts = BEGAN + minutes(minute)
    ends = format_time(starts + minutes(5)) if status == "resolved" else "0001-01-01T00:00:00Z"
    return {
        "version": "4",
        "alerts": [
            {
                "status": status, "fingerprint": fingerprint, "startsAt": format_time(starts),
                "endsAt": ends,
                "labels": {"alertname": "Errors", "service": "shop", **labels},
                "annotations": {"summary": "too many errors"},
            }
        ],
    }  # fmt: skip


def test_an_alert_is_taken_once_and_its_end_is_a_milestone(told: Escape) -> None:
    did = [open_from_alert(told.log, d)[0] for d in (alert(), alert(), alert("resolved"), alert("resolved"))]
    assert [taken.did for taken in did] == ["opened", "known", "ended", "ended"]
    assert {taken.incident for taken in did} == {"INC-1"}
    named = {m.name: m for m in incident_view(told.log, "INC-1").record.milestones}
    assert named["detected"].at == BEGAN + minutes(10)
    assert named["mitigated"].at == BEGAN + minutes(15)


def test_an_end_that_comes_first_opens_the_incident_too(told: Escape) -> None:
    assert open_from_alert(told.log, alert("resolved"))[0].incident == "INC-1"
    assert open_from_alert(told.log, alert())[0].did == "known"


def test_the_release_is_the_one_that_ran_when_the_alert_began(told: Escape) -> None:
    told.declare("1.0")
    told.deploy("1.0")
    told.declare("1.1")
    told.deploy("1.1", previous="1.0")
    told.clock.wait(3600)
    told.deploy("1.2", previous="1.1")
    open_from_alert(told.log, alert(minute=20))
    found = incident_view(told.log, "INC-1").incident.opened
    assert (found.release, found.previous) == ("1.1", "1.0")


def test_during_a_rollout_no_release_is_guessed(told: Escape) -> None:
    told.deploy("1.0")
    told.tell(
        "deployment.requested",
        p.DeploymentRequested(
            deployment="d-1", service="shop", release="1.1", environment="production", plan={}, policy="x"
        ),
    )
    open_from_alert(told.log, alert())
    found = incident_view(told.log, "INC-1").incident.opened
    assert found.release == ""
    assert "1.1 was being rolled out beside 1.0" in found.summary


def test_an_alert_about_an_open_incident_is_noted_there(told: Escape) -> None:
    incident = told.live_through()
    for delivery in (
        alert(release="1.1", fingerprint="f2"),
        alert("resolved", release="1.1", fingerprint="f2"),
    ):
        assert open_from_alert(told.log, delivery)[0].incident == incident
    view = incident_view(told.log, incident)
    assert "Alert fires" in str(view.record.timeline)
    # The observed rollback outweighs the end of the alert.
    assert {m.name: m.source for m in view.record.milestones}["mitigated"] == "the rollback"


def test_alerts_that_name_no_service_are_refused_one_by_one(told: Escape) -> None:
    delivery = alert()
    delivery["alerts"].append({**delivery["alerts"][0], "labels": {"alertname": "x"}, "fingerprint": "f3"})
    delivery["alerts"].append("nonsense")
    taken = open_from_alert(told.log, delivery)
    assert [t.did for t in taken] == ["opened", "refused", "refused"]
    assert "label service" in taken[1].reason
    labels = AlertLabels(service="job")
    assert open_from_alert(told.log, alert(job="till", fingerprint="f4"), labels=labels)[0].did == "opened"
    with pytest.raises(UsageError, match="version"):
        open_from_alert(told.log, {"version": "3"})
