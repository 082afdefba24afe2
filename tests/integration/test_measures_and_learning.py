"""Measures, search, thanks and the digest as commands and over HTTP, also on PostgreSQL and from afar."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from amends.adapters.search import FullTextIndex
from amends.application.measuring import KEYS, CaseBook, measure_all
from amends.application.searching import Search
from amends.cli.main import main
from amends.measures.measure import Scope
from tests.live_server import LiveServer, serving
from tests.many import tell_many
from tests.story import Story

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(store=str(tmp_path / "log.db")).tell()


@pytest.fixture
def run(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command on the story's log."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["amends", *words, "--store", story.store])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out if code == 0 else told.err

    return run


@pytest.fixture
def server(story: Story, tmp_path: Path) -> Iterator[LiveServer]:
    with serving(story, tmp_path) as found:
        yield found


@pytest.fixture
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    with server.writing_browser() as client:
        yield client


def test_measures_as_text_json_and_csv(run: Run) -> None:
    code, text = run("measures")
    assert code == 0
    assert "Change fail rate" in text
    assert "undecided: 1 ended; 5 are needed" in text
    data = json.loads(run("measures", "--format", "json")[1])
    assert [one["measure"] for one in data] == list(KEYS)
    figures = list(csv.DictReader(io.StringIO(run("measures", "--format", "csv")[1])))
    assert {row["measure"] for row in figures} == set(KEYS)
    rows = list(
        csv.DictReader(io.StringIO(run("measures", "--only", "change-fail-rate", "--format", "csv")[1]))
    )
    assert [row["failed"] for row in rows] == ["no", "no", "yes"]


def test_measures_of_a_time_and_of_an_unknown_name(run: Run) -> None:
    rows = json.loads(
        run("measures", "--since", "2026-03-20", "--only", "deployment-frequency", "--format", "json")[1]
    )
    assert [row["release"] for row in rows["rows"]] == ["1.4.0"]
    code, text = run("measures", "--only", "velocity")
    assert code == 2
    assert "change-fail-rate" in text


def test_a_search_keeps_its_index_and_follows_the_log(run: Run, story: Story, tmp_path: Path) -> None:
    found = json.loads(run("search", "customer", "mail", "--format", "json")[1])
    assert [hit["kind"] for hit in found["hits"]] == ["note", "review"]
    assert list((tmp_path / ".amends").glob("search-*.db"))
    run("incident", "note", story.incident, "a heron stood in the fountain")
    assert "Note on INC-1" in run("search", "heron")[1]
    assert run("search", "heron", "--kind", "person")[0] == 2


def test_a_broken_index_says_how_to_mend_it(run: Run, tmp_path: Path) -> None:
    run("search", "discount")
    (index,) = (tmp_path / ".amends").glob("search-*.db")
    index.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    for beside in (tmp_path / ".amends").glob("search-*.db-*"):
        beside.unlink()
    assert "INC-1" in run("search", "discount")[1]  # in memory


def test_thanks_from_the_command_line(run: Run, story: Story) -> None:
    assert run("thank", story.incident, "Ana Lima", "--for", "Ana Lima kept calm")[0] == 0
    (given,) = json.loads(run("thank", story.incident, "--format", "json")[1])
    assert given["name"] == "Ana Lima"
    code, text = run("thank", story.incident, "Bo", "--for", "Bo broke it, and stayed")
    assert (code, "thanks hold no blame" in text) == (2, True)
    run("thank", story.incident, "--withdraw", given["event"])
    assert "nobody" in run("thank", story.incident)[1]


def test_the_digest_as_text_json_and_feed(run: Run) -> None:
    assert "## INC-1" in run("digest")[1]
    assert json.loads(run("digest", "--format", "json")[1])["lessons"][0]["incident"] == "INC-1"
    feed = run("digest", "--format", "atom", "--base-url", "https://amends.example")[1]
    assert ElementTree.fromstring(feed).tag.endswith("feed")


def test_similar_incidents_from_the_command_line(run: Run, story: Story) -> None:
    assert "much like" in run("incident", "similar", story.incident)[1]
    assert run("incident", "similar", "INC-99")[0] == 2


def test_every_number_on_the_page_leads_to_its_rows(browser: httpx.Client) -> None:
    page = browser.get("/measures").text
    links = set(re.findall(r'href="(/measures/[^"#]+)#rows"', page))
    assert len(links) > len(KEYS)
    for link in links:
        assert browser.get(link.replace("&amp;", "&")).status_code == 200
    failed = browser.get("/measures/change-fail-rate?row.failed=yes").text
    assert "/releases/shop/1.4.0" in failed
    assert "/releases/shop/1.3.0" not in failed


def test_downloads_hold_what_the_page_shows(browser: httpx.Client) -> None:
    answer = browser.get("/measures/rework-rate/rows.csv?service=shop")
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 3
    assert len(browser.get("/measures/rework-rate/rows.json").json()["rows"]) == 3
    assert browser.get("/measures/velocity").status_code == 404
    assert browser.get("/measures?since=yesterday").status_code == 422


def test_measures_and_search_in_the_api(server: LiveServer) -> None:
    with server.client() as client:
        assert [one["measure"] for one in client.get("/api/v1/measures").json()] == list(KEYS)
        assert client.get("/api/v1/measures/recurrence").json()["rows"]
        assert client.get("/api/v1/measures?since=2026-03-20T10:00:00").status_code == 422
        assert client.get("/api/v1/search", params={"q": "discount"}).json()["total"] > 0
        assert client.get("/api/v1/incidents/INC-1/similar").json() == []


def test_what_was_recorded_meanwhile_is_measured(server: LiveServer, browser: httpx.Client) -> None:
    browser.get("/measures")
    server.story.later(days=1)
    server.story.deployed("1.4.1", "production", "1.3.0")
    assert len(browser.get("/measures/deployment-frequency/rows.json").json()["rows"]) == 4


def test_thanks_on_the_review_page_and_nowhere_else(server: LiveServer, browser: httpx.Client) -> None:
    page = f"/incidents/{server.story.incident}"
    sent = {"name": "Ana Lima", "text": "Ana stayed <b>calm</b>", "role": "team"}
    assert browser.post(f"{page}/thanks", data=sent).status_code == 303
    text = browser.get(f"{page}/review").text
    assert "Ana Lima</strong>: Ana Lima stayed &lt;b&gt;calm&lt;/b&gt;" in text
    for other in (page, "/", "/log", "/learning", "/search?q=calm", "/learning.atom", "/measures"):
        assert "Ana" not in browser.get(other).text, other
    refused = browser.post(f"{page}/thanks", data={**sent, "text": "for once you failed to break it"})
    assert refused.status_code == 422
    event = re.search(r'name="thanks" value="([^"]+)"', text)
    assert event
    browser.post(f"{page}/thanks/withdraw", data={"thanks": event[1]})
    assert "Ana" not in browser.get(f"{page}/review").text


def test_a_feed_reader_signs_in_with_a_token_and_changes_nothing(server: LiveServer) -> None:
    def basic(secret: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"reader:{secret}".encode()).decode()}

    with httpx.Client(base_url=server.url) as client:
        answer = client.get("/learning.atom", headers=basic(server.token))
        assert answer.headers["content-type"].startswith("application/atom+xml")
        assert server.url in answer.text
        assert client.get("/learning.atom", headers=basic("wrong")).status_code == 401
        assert client.get("/learning.atom", headers={"Authorization": "Basic ???"}).status_code == 401
        # A browser sends a remembered password by itself, so it counts as a cookie does.
        steer = client.post("/incidents/INC-1/moves", headers=basic(server.token), data={"action": "resolve"})
        assert steer.status_code == 403


def test_text_of_others_is_inert(server: LiveServer, browser: httpx.Client) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    browser.post("/incidents/INC-1/notes", data={"text": f"heron {attack}", "role": "x"})
    for path in (
        "/search?q=heron",
        f"/search?q={attack}",
        "/measures?service=" + attack,
        "/incidents/INC-1/similar",
    ):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text


@pytest.mark.servers
def test_a_log_in_postgresql_is_measured_and_searched(postgres_url: str, tmp_path: Path) -> None:
    story = Story(store=postgres_url)
    end = tell_many(story.log, 6)
    search = Search(story.log, FullTextIndex(tmp_path / "search.db"))
    assert search.find("1.3.1", kinds=["release"]).total == 1
    assert search.similar("INC-1") is not None
    measures: list[Any] = measure_all(CaseBook(story.log).read(), Scope(end))
    assert len(measures[KEYS.index("deployment-frequency")].rows) == 12
    story.opened.store.close()
