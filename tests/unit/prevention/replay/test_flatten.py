from __future__ import annotations

import json

import pytest

from amends.gates.replay_plan import Replacement, Replay
from amends.prevention.replay.flatten import fields_of
from amends.prevention.replay.recorded import Reply
from amends.prevention.replay.rules import rules_of

JSON = (("content-type", "application/json"),)


def flat(
    body: object, plan: Replay | None = None, kind: str = "application/json", **more: object
) -> dict[str, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = fields_of(Reply(200, (("content-type", kind),), data), rules_of(plan or Replay()), **more)  # type: ignore[arg-type]
    return {path: value for path, value in found.items() if path.startswith("body")}


def test_elements_of_arrays_share_a_path_and_keep_their_order() -> None:
    found = flat({"items": [{"n": 1, "tags": ["a"]}, {"n": 2, "tags": []}], "odd.key": None})
    assert found == {
        "body.items[#]": "2", "body.items[].n": "[1, 2]", "body.items[].tags[#]": "[1, 0]",
        "body.items[].tags[]": '"a"', 'body."odd.key"': "null", "body~kind": "json",
    }  # fmt: skip


def test_types_and_presence_differ() -> None:
    values = [flat({"v": value}).get("body.v") for value in (1, 1.0, "1", True, None, [], {})]
    absent = flat({"w": 1}).get("body.v")
    assert len({*values, absent}) == 7  # an empty list has no value, but a length; so it is absent, too
    assert flat({"v": []})["body.v[#]"] == "0"


@pytest.mark.parametrize("body", [b'{"a": ', b"\xff\xfe{", b"[" * 5000, b'{"a": ' + b"9" * 9000 + b"}"])
def test_what_only_claims_to_be_json_is_compared_as_text(body: bytes) -> None:
    assert flat(body)["body~kind"] == "text"


def test_bodies_without_a_text_are_compared_by_digest() -> None:
    one, other = (flat(data, kind="image/png") for data in (b"\x89PNG1", b"\x89PNG2"))
    assert one["body~kind"] == "bytes"
    assert one["body"] != other["body"]
    assert flat(b"") == {"body~kind": "empty"}


def test_a_page_is_compared_by_its_structure_and_not_by_its_layout() -> None:
    page = '<html><body class="a" id=x><p>Hello <b>you</b><br></p><p>More</p></body></html>'
    same = '<html>\n <body id="x" class="a">\n  <p>Hello\n <b>you</b><br/></p>\n <p>More</p></body></html>'
    assert flat(page.encode(), kind="text/html") == flat(same.encode(), kind="text/html; charset=utf-8")
    other = flat(page.replace("you", "them").encode(), kind="text/html")
    differ = {path for path, value in flat(page.encode(), kind="text/html").items() if other[path] != value}
    assert differ == {"body.html.body.p.b"}


def test_broken_markup_is_taken_as_it_comes() -> None:
    assert "body.div.p" in flat(b"<div><p>one</div></p></span><p", kind="text/html")


def test_a_labelled_line_of_text_is_a_field_of_its_own() -> None:
    found = flat(b"status: up\nload: 0.3\njust words here, no label!\n", kind="text/plain")
    assert (found["body.line.status"], found["body.line.load"]) == ('"up"', '"0.3"')
    assert "body.lines[#]" in found


def test_no_reply_is_a_status_of_its_own() -> None:
    assert fields_of(Reply(None, failure="did not answer in time"), rules_of(Replay())) == {
        "status": "no answer: did not answer in time"
    }


def test_only_chosen_headers_count_and_own_addresses_are_alike() -> None:
    headers = (("Location", "http://127.0.0.1:8001/next"), ("Date", "now"), ("Content-Type", "text/html"))
    found = fields_of(Reply(302, headers), rules_of(Replay()), ("http://127.0.0.1:8001", "127.0.0.1:8001"))
    assert _own_in("see http://127.0.0.1:80/a", "http://127.0.0.1:80") == '"see <this service>/a"'
    assert _own_in("see http://127.0.0.1:8001/a", "http://127.0.0.1:80") == '"see http://127.0.0.1:8001/a"'
    assert found["headers.location"] == '"<this service>/next"'
    assert "headers.date" not in found


def _own_in(text: str, own: str) -> str:
    return flat({"v": text}, own=(own,))["body.v"]


def test_ignoring_a_field_ignores_what_is_in_it_and_stars_stand_for_steps() -> None:
    body = {"meta": {"took": 1, "by": {"host": "a"}}, "items": [{"id": 1, "name": "x"}], "metadata": 1}
    found = flat(body, Replay(ignore=["body.meta", "**.id"]))
    assert set(found) == {"body.items[#]", "body.items[].name", "body.metadata", "body~kind"}
    assert "body.meta.by.host" not in flat(body, Replay(ignore=["body.*.by"]))
    assert "body.meta.by.host" in flat(body, Replay(ignore=["body.*.host"]))


def test_normalisers_make_equal_what_means_the_same() -> None:
    plan = Replay(
        sort=["body.tags"], round={"body.score": 2}, mask=["uuid", "timestamp"],
        replace=[Replacement(field="body.note", pattern=r"\d+ ms", by="N ms")],
    )  # fmt: skip
    one = {"tags": ["b", "a"], "score": 0.12345, "note": "took 12 ms at 2026-01-02T03:04:05Z"}
    other = {"tags": ["a", "b"], "score": 0.12299999, "note": "took 7 ms at 2026-01-02T03:04:06.5+02:00"}
    assert flat(one, plan) == flat(other, plan)
    assert flat(one) != flat(other)


def test_a_long_value_is_kept_short_and_still_told_apart() -> None:
    one, other = (flat({"v": "x" * 5000 + end})["body.v"] for end in "ab")
    assert len(one) < 600
    assert one != other
