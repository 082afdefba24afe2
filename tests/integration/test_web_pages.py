"""What pages say and what their forms do, over real HTTP and without any script."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amends.application.amending import require_amendment
from amends.application.reviewing import list_revisions
from amends.events import payloads as p
from tests.live_server import LiveServer, serving
from tests.story import SERVICE, Story

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><b id=broken>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as found:
        yield found


@pytest.fixture
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    with server.browser() as client:
        client.headers["X-CSRF-Token"] = _form_token(client)
        yield client


def _form_token(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/").text)
    assert found
    return found[1]


def test_an_override_is_on_every_page_until_it_expires(server: LiveServer, browser: httpx.Client) -> None:
    paths = ("/", "/log", "/incidents", "/amendments", "/deployments/dep-bad", "/nothing")
    for path in paths:
        assert "Override in force" in browser.get(path).text
    server.story.later(hours=5)
    for path in paths:
        assert "Override in force" not in browser.get(path).text


def test_the_forecast_stands_beside_the_time_that_has_gone(browser: httpx.Client) -> None:
    page = browser.get("/deployments/dep-bad").text
    assert "What the watch was expected to find" in page
    assert "they will most likely not be found" in page or "it will not be found" in page
    assert re.search(r"Forecast: ×1\.5 after [^.]+; ×2 after .* have gone\.", page)


def test_text_of_others_is_inert(server: LiveServer, browser: httpx.Client) -> None:
    story = server.story
    release = story.add("artifact.packaged", p.ReleaseDeclared(service=SERVICE, version=ATTACK, team=ATTACK))
    story.add("gates.decided", p.GatesDecided(
        service=SERVICE, release=ATTACK, environment="production", at=story.clock.now(), decision="block",
        gates=(p.GateRow(gate=ATTACK, kind="x", decision="block", reason=ATTACK),), policy="x",
    ))  # fmt: skip
    browser.post(f"/incidents/{story.incident}/notes", data={"text": ATTACK, "role": ATTACK})
    story.add("incident.detected", p.IncidentOpened(
        incident="INC-X", service=SERVICE, environment=ATTACK, summary=ATTACK, opened_by="person"
    ))  # fmt: skip
    browser.post("/incidents/INC-X/review", data={"text": ATTACK, "role": "x", "based_on": "0"})
    for path in (
        "/", "/log", f"/log/{release.id}", "/incidents", "/incidents/INC-X", "/incidents/INC-X/review",
        "/incidents/INC-X/review/edit", "/incidents/INC-X/review/history", f"/incidents/{story.incident}",
        f"/releases/{SERVICE}", "/log?service=" + ATTACK,
    ):  # fmt: skip
        text = browser.get(path).text
        assert "alert(1)" in text or path.endswith(("history", "review"))
        assert "<script>alert" not in text
        assert not re.search(r"<img|<b id", text)


def test_a_note_joins_the_timeline_as_learned_later(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}"
    happened = server.story.log.facts(kinds=("step.started",))[0].occurred_at
    note = {"text": "the graph had a gap", "role": "analyst", "at": f"{happened:%Y-%m-%d %H:%M:%S}"}
    assert browser.post(f"{page}/notes", data=note).status_code == 303
    line = re.search(
        r'<li class="line (\w+)">(?:(?!</li>).)*the graph had a gap', browser.get(page).text, re.S
    )
    assert line
    assert line[1] == "learned"


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"text": "x", "role": " "}, "no role"),
        ({"text": " ", "role": "x"}, "empty"),
        ({"text": "x", "role": "x", "at": "yesterday"}, "yesterday"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why(
    server: LiveServer, browser: httpx.Client, form: dict[str, str], problem: str
) -> None:
    answer = browser.post(f"/incidents/{server.story.incident}/notes", data=form)
    assert answer.status_code == 422
    assert problem in answer.text
    assert "To mend it" in answer.text


def test_two_writers_lose_nothing(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}/review"
    base = list_revisions(server.story.log, server.story.incident)[-1].number
    mine = {"text": "What I saw\r\nwas a gap.", "role": "one", "based_on": str(base)}
    theirs = {"text": "What they saw.", "role": "two", "based_on": str(base)}
    assert browser.post(page, data=theirs).status_code == 303
    conflict = browser.post(page, data=mine)
    assert conflict.status_code == 409
    assert "What they saw." in conflict.text
    assert "What I saw\nwas a gap." in conflict.text
    assert f'name="based_on" value="{base + 1}"' in conflict.text
    merged = {**mine, "based_on": str(base + 1)}
    assert browser.post(page, data=merged).status_code == 303
    texts = [r.text for r in list_revisions(server.story.log, server.story.incident)][-2:]
    assert texts == ["What they saw.", "What I saw\nwas a gap."]


def test_a_review_is_published_and_an_old_text_restored(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}/review"
    assert browser.post(f"{page}/restore", data={"number": "1", "role": "scribe"}).status_code == 303
    revisions = list_revisions(server.story.log, server.story.incident)
    assert revisions[-1].text == revisions[0].text
    data = {"number": str(revisions[-1].number), "role": "scribe"}
    assert browser.post(f"{page}/publish", data=data).status_code == 303
    assert list_revisions(server.story.log, server.story.incident)[-1].published


def test_a_deployment_is_steered_by_role(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/deployments/{server.story.open_deployment}"
    answer = browser.post(f"{page}/steer", data={"action": "pause", "role": "on-call engineer"})
    assert answer.status_code == 303
    shown = browser.get(page).text
    assert "paused by on-call engineer" in shown
    assert 'value="resume"' in shown
    assert browser.post(f"{page}/steer", data={"action": "explode", "role": "x"}).status_code == 422
    assert browser.post(f"{page}/steer", data={"action": "approve", "role": "x"}).status_code == 403


def test_a_rollback_can_be_asked_for_at_any_time(server: LiveServer, browser: httpx.Client) -> None:
    form = {
        "service": SERVICE,
        "environment": "production",
        "role": "on-call engineer",
        "reason": "it smokes",
    }
    answer = browser.post("/rollback", data=form)
    assert answer.status_code == 303
    assert "it smokes" in browser.get(answer.headers["location"]).text


def test_what_is_not_there_is_a_page_that_helps(browser: httpx.Client) -> None:
    for path in (
        "/incidents/INC-99",
        "/deployments/none",
        "/releases/shop/9.9",
        "/log/none",
        "/amendments/A",
    ):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "To mend it" in answer.text


def test_an_empty_log_says_what_to_do_next(tmp_path: Path) -> None:
    with serving(Story(), tmp_path) as server, server.browser() as browser:
        for path in ("/", "/log", "/incidents", "/amendments", "/deployments"):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert "amends " in re.sub("<[^>]+>", "", answer.text.split("<main", 1)[1])


def test_a_changed_record_is_shown_as_changed(server: LiveServer, browser: httpx.Client) -> None:
    changed, left = server.story.log.facts(kinds=("note.taken", "failure.captured"))
    with sqlite3.connect(server.story.store) as database:
        database.execute(
            "UPDATE events SET body = CAST(REPLACE(CAST(body AS TEXT), 'division', 'addition') AS BLOB)"
            " WHERE event_id = ?", [changed.id],
        )  # fmt: skip
    assert "it was changed" in browser.get(f"/log/{changed.id}").text
    assert "it was changed" not in browser.get(f"/log/{left.id}").text


def test_a_test_and_a_gate_are_proposed_from_the_incident(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}"
    test = {"kind": "test", "selector": "pytest tests/test_cart.py::test_empty", "role": "developer"}
    answer = browser.post(f"{page}/amendments", data=test)
    assert (answer.status_code, answer.headers["location"]) == (303, "/amendments/AM-3")
    assert "amends amendment prove AM-3" in browser.get("/amendments/AM-3").text
    gate = {"kind": "gate", "gate": "tests: {suites: [regression]}\r\nmode: block", "role": "developer"}
    assert browser.post(f"{page}/amendments", data=gate).status_code == 303
    proposed = require_amendment(server.story.log, "AM-4").proposed
    assert (proposed.gate["tests"], proposed.environment) == ({"suites": ["regression"]}, "production")
    # A proven one can be put in place; the incident says how for each.
    text = browser.get(page).text
    assert "amends amendment prove AM-4" in text
    assert "amends amendment activate AM-2 --write" in text


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"kind": "test", "selector": "pytest tests/test_cart.py::test_empty", "role": ""}, "no role"),
        ({"kind": "test", "selector": "", "role": "developer"}, "which test"),
        ({"kind": "gate", "gate": "tests: [", "role": "developer"}, "not YAML"),
        ({"kind": "gate", "gate": "hope: {}", "role": "developer"}, "unknown gate"),
        ({"kind": "wish", "role": "developer"}, ""),
    ],
)
def test_a_proposal_that_cannot_be_read_proposes_nothing(
    server: LiveServer, browser: httpx.Client, form: dict[str, str], problem: str
) -> None:
    before = server.story.log.store.last_position()
    answer = browser.post(f"/incidents/{server.story.incident}/amendments", data=form)
    assert answer.status_code == 422
    assert problem in answer.text
    assert server.story.log.store.last_position() == before


def test_a_proposal_needs_the_forms_token(server: LiveServer, browser: httpx.Client) -> None:
    del browser.headers["X-CSRF-Token"]
    form = {"kind": "test", "selector": "pytest tests/test_cart.py::test_empty", "role": "developer"}
    assert browser.post(f"/incidents/{server.story.incident}/amendments", data=form).status_code == 403


def test_what_went_around_its_gates_is_flagged_on_every_page_that_shows_it(
    server: LiveServer, browser: httpx.Client
) -> None:
    story = server.story
    story.add("service.deployed", p.ServiceDeployed(service=SERVICE, release="9.9", environment="production"))
    said = "9.9 met production without a decision of its gates"
    for path in ("/", "/deployments", f"/releases/{SERVICE}/9.9"):
        assert said in browser.get(path).text, path
    assert "bypassed its gates" in browser.get("/").text
    row = browser.get("/api/v1/board").json()["services"][0]
    places = {place["environment"]: place["bypass"] for place in row["environments"]}
    assert places["production"]["reason"] == said
    assert browser.get(f"/api/v1/releases/{SERVICE}/9.9").json()["bypasses"][0]["reason"] == said


def test_a_carried_deployment_that_passed_is_not_flagged(browser: httpx.Client) -> None:
    assert "It went around its gates" not in browser.get("/deployments/dep-bad").text


def test_the_reviews_page_has_overrides_and_bypasses_on_its_agenda(
    server: LiveServer, browser: httpx.Client
) -> None:
    story = server.story
    story.add("service.deployed", p.ServiceDeployed(service=SERVICE, release="9.9", environment="production"))
    story.add("incident.detected", p.IncidentOpened(
        incident="INC-9", service=SERVICE, environment="production", summary="slow", opened_by="person"
    ))  # fmt: skip
    text = browser.get("/incidents/INC-9/review").text
    agenda = text.split('id="agenda"')[1].split("</section>")[0]
    assert "9.9 met production without a decision of its gates" in agenda
    (override,) = [f.payload for f in story.log.facts(kinds=["override.granted"])]
    assert isinstance(override, p.OverrideGranted)
    assert override.reason in agenda
    assert override.approver_role in agenda


def test_a_gates_owner_and_reason_stand_beside_its_answer(server: LiveServer, browser: httpx.Client) -> None:
    story = server.story
    row = p.GateRow(gate="soak", kind="soak", decision="pass", reason="does not apply: small", applies=False,
                    owner="payments", because="added after INC-7")  # fmt: skip
    story.gates("9.9", "production", more=(row,))
    text = browser.get(f"/releases/{SERVICE}/9.9").text
    assert "Owner: payments." in text
    assert "Why it is there: added after INC-7." in text
    assert "does not apply</span>" in text


def test_an_active_amendment_says_when_its_guard_was_looked_at_and_that_nobody_could(
    server: LiveServer, browser: httpx.Client
) -> None:
    story = server.story
    paths = ("/amendments", "/amendments/AM-1")
    for path in paths:
        assert "no server or worker that reaches the repository has looked yet" in browser.get(path).text
    for revision, holding, shown in (("", "unknown", "no checkout of its repository could be reached"),
                                     ("c0ffee" * 4, "holds", "c0ffeec0ffee")):  # fmt: skip
        guard = p.GuardHeld(amendment="AM-1", holding=holding, reason=ATTACK)
        story.add("guards.checked", p.GuardsChecked(service=SERVICE, revision=revision, guards=(guard,)))
        for path in paths:
            text = browser.get(path).text
            assert shown in text
            assert ATTACK not in text
