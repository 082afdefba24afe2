"""What every keeper of pushed pages has to do, in memory, on SQLite, PostgreSQL and at a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from amends.adapters.stores import OpenStore, open_store
from amends.application import pushing
from amends.application.pushing import KEPT_FOR, PushedPage, PushedPages, take_push
from amends.errors import UsageError
from tests.contract.served import serving

NOW = datetime(2026, 3, 20, 14, 27, 5, 123456, tzinfo=UTC)
PAGE = PushedPage("shop", "production", "1.4.0", "pod-1", 'up{a="ä"} 1\n', "text/plain", NOW)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    else:
        url = "memory:" if request.param == "memory" else str(tmp_path / "log.db")
    found = open_store(url)
    yield found
    found.store.close()


@pytest.fixture
def pages(opened: OpenStore) -> PushedPages:
    return opened.pushes


def put(pages: PushedPages, page: PushedPage) -> None:
    pages.put(page, forget=page.at - KEPT_FOR)


def test_the_last_page_of_each_instance_is_kept_as_it_came(pages: PushedPages) -> None:
    assert pages.latest("shop", "production", ["1.4.0"]) == []
    later = replace(PAGE, text="up 2\n", content_type="application/openmetrics-text", at=NOW + KEPT_FOR / 2)
    others = [replace(PAGE, instance="pod-2"), replace(PAGE, release="1.3.0"), replace(PAGE, service="till")]
    for page in (PAGE, *others, later):
        put(pages, page)
    assert pages.latest("shop", "production", ["1.4.0"]) == [later, others[0]]
    assert pages.latest("shop", "production", ["1.4.0", "1.3.0"]) == [others[1], later, others[0]]
    assert pages.latest("shop", "staging", ["1.4.0"]) == []


def test_what_is_older_than_an_hour_is_forgotten(pages: PushedPages) -> None:
    put(pages, PAGE)
    put(pages, replace(PAGE, instance="pod-2", at=NOW + KEPT_FOR + timedelta(seconds=1)))
    assert [page.instance for page in pages.latest("shop", "production", ["1.4.0"])] == ["pod-2"]


def test_instances_are_not_taken_without_end(pages: PushedPages, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (pushing, __import__(type(pages).__module__, fromlist=["_"])):
        monkeypatch.setattr(room, "MOST_INSTANCES", 2)
    for instance in ("a", "b", "a"):
        put(pages, replace(PAGE, instance=instance))
    with pytest.raises(UsageError, match="2 instances of shop"):
        put(pages, replace(PAGE, instance="c"))
    put(pages, replace(PAGE, environment="staging", instance="c"))


def test_another_process_reads_what_a_server_took(tmp_path: Path) -> None:
    path = str(tmp_path / "log.db")
    with serving(open_store(path), at=NOW) as (url, token):
        where = f"{url}/hooks/metrics/job/shop/environment/production/release/1.4.0/instance/pod-1"
        sent = httpx.put(
            where, content=PAGE.text.encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "text/plain"},
        )  # fmt: skip
        assert sent.status_code == 200
        for other in (open_store(path), open_store(url, token=token)):
            assert other.pushes.latest("shop", "production", ["1.4.0"]) == [PAGE]
            other.store.close()


@pytest.mark.parametrize(
    ("group", "body", "said"),
    [
        ({"environment": ""}, b"up 1\n", "missing: environment"),
        ({"pod": "x"}, b"up 1\n", "found 'pod'"),
        ({"instance": "x" * 201}, b"up 1\n", "instance is longer"),
        ({}, b" \n", "no page of metrics"),
        ({}, b"\xff\xfe", "no page of metrics"),
        ({}, b"up 1\0\n", "no page of metrics"),
    ],
)
def test_what_is_no_push_is_refused(
    pages: PushedPages, group: dict[str, str], body: bytes, said: str
) -> None:
    whole = {"service": "shop", "environment": "production", "release": "1.4.0", "instance": "pod-1"}
    with pytest.raises(UsageError, match=said):
        take_push(pages, {**whole, **group}, body, "text/plain", NOW)
    assert pages.latest("shop", "production", ["1.4.0"]) == []
