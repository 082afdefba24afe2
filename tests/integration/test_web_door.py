"""Who is let in, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from amends.web.security import HEADERS
from tests.live_server import LiveServer, serving
from tests.story import Story


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("door")
    with serving(Story(store=str(folder / "log.db")).tell(), folder) as found:
        yield found


def form_token(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/api/v1/board", "/api/v1/openapi.json", "/measures.json"])
def test_reads_need_a_token(server: LiveServer, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 401
    assert httpx.get(server.url + path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    with server.client() as client:
        assert client.get(path).status_code == 200


def test_writes_need_a_token(server: LiveServer) -> None:
    before = server.story.log.store.last_position()
    note = {"text": "x", "role": "x"}
    for path in ("/api/v1/incidents/INC-1/notes", "/incidents/INC-1/notes", "/rollback", "/api/v1/links"):
        assert httpx.post(server.url + path, json=note).status_code == 401
    assert server.story.log.store.last_position() == before


def test_a_browser_without_a_session_is_asked_to_sign_in(server: LiveServer) -> None:
    answer = httpx.get(server.url + "/incidents", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_link_works_once_and_its_cookie_is_shut(server: LiveServer) -> None:
    link = server.link()
    answer = httpx.get(link)
    cookie = answer.headers["set-cookie"].lower()
    assert all(flag in cookie for flag in ("httponly", "samesite=strict", "path=/"))
    assert httpx.get(link).status_code == 403


def test_a_token_can_be_pasted_and_a_session_ended(server: LiveServer) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/login", data={"token": "wrong"}).status_code == 403
        assert client.post("/login", data={"token": server.token}).status_code == 303
        assert client.get("/").status_code == 200
        csrf = form_token(client, "/")
        stolen = dict(client.cookies)
        assert client.post("/logout", data={"csrf": csrf}).status_code == 303
    assert httpx.get(server.url + "/api/v1/board", cookies=stolen).status_code == 401


def test_a_strange_host_is_refused_before_anything_else(server: LiveServer) -> None:
    headers = {"Host": "evil.example", "Authorization": f"Bearer {server.token}"}
    for path in ("/", "/api/v1/board", "/static/style.css", "/login", "/healthz"):
        assert httpx.get(server.url + path, headers=headers).status_code == 421


def test_a_form_without_its_token_changes_nothing(server: LiveServer) -> None:
    path = f"/incidents/{server.story.incident}/notes"
    note = {"text": "it rained", "role": "on-call engineer"}
    with server.browser() as browser, server.browser() as other:
        before = server.story.log.store.last_position()
        assert browser.post(path, data=note).status_code == 403
        stolen = form_token(other, "/")
        assert browser.post(path, data={**note, "csrf": stolen}).status_code == 403
        assert browser.post(path, json={**note, "csrf": stolen}).status_code == 403
        assert server.story.log.store.last_position() == before
        csrf = form_token(browser, "/")
        assert browser.post(path, data={**note, "csrf": csrf}).status_code == 303
        assert browser.post(path, data=note, headers={"X-CSRF-Token": csrf}).status_code == 303
    assert server.story.log.store.last_position() == before + 2


def test_an_enormous_form_is_refused(server: LiveServer) -> None:
    with server.browser() as browser:
        answer = browser.post("/incidents/INC-1/notes", data={"text": "x" * 9_000_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/", "/log", "/nothing", "/static/app.js", "/static/nothing", "/login", "/healthz", "/api/v1/board",
     "/api/v1/incidents/none"],
)  # fmt: skip
def test_every_answer_carries_the_headers(server: LiveServer, path: str) -> None:
    for client in (server.client(), httpx.Client(base_url=server.url)):
        with client:
            answer = client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_an_unexpected_error_tells_nothing_and_keeps_its_headers(server: LiveServer) -> None:
    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    server.app.add_api_route("/api/v1/broken", broken)
    server.app.add_api_route("/broken", broken)
    with server.client() as client, server.browser() as browser:
        answers = [client.get("/api/v1/broken"), browser.get("/broken")]
    for answer in answers:
        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_the_editors_page_lets_in_one_style_by_a_nonce_of_its_own(server: LiveServer) -> None:
    with server.browser() as browser:
        policies = {
            browser.get("/incidents/INC-1/review/edit").headers["Content-Security-Policy"] for _ in range(2)
        }
    assert len(policies) == 2
    for policy in policies:
        assert re.search(r"style-src 'self' 'nonce-[\w-]{16,}'", policy)
        assert "script-src 'self';" in policy


def test_the_servers_own_errand_makes_links_and_nothing_else(server: LiveServer) -> None:
    errand = {"Authorization": f"Bearer {server.app.state.keeper.errand}"}
    made = httpx.post(server.url + "/api/v1/links", headers=errand)
    assert made.status_code == 201
    assert httpx.get(server.url + made.json()["path"]).status_code == 303
    assert httpx.get(server.url + "/api/v1/board", headers=errand).status_code == 401
