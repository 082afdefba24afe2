"""What every search index does: in a file, and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.adapters.search import FullTextIndex
from amends.application.searching import SearchIndex
from amends.learning.entries import Entry

AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(params=["file", "memory"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchIndex]:
    made = FullTextIndex(tmp_path / "state" / "search.db" if request.param == "file" else None)
    yield made
    made.close()


def entry(key: str, title: str, text: str = "", **more: str) -> Entry:
    kept = {"kind": "incident", "where": f"/{key}", "service": "shop", "event": f"e-{key}", **more}
    return Entry(key=key, title=title, text=text, at=AT, **kept)


def keys(index: SearchIndex, words: str, **more: object) -> list[str]:
    return [hit.entry.key for hit in index.find(words, **more).hits]  # type: ignore[arg-type]


def test_all_words_must_be_there_and_may_be_beginnings(index: SearchIndex) -> None:
    index.add([entry("a", "Negative coupons"), entry("b", "Negative totals")], 2, "e2")
    assert keys(index, "negat coup") == ["a"]
    assert set(keys(index, "NEGATIVE")) == {"a", "b"}
    assert keys(index, "coupon missing") == []


def test_quotes_mean_what_stands_in_them(index: SearchIndex) -> None:
    index.add([entry("a", "price of zero"), entry("b", "zero of a price")], 2, "e2")
    assert keys(index, '"price of"') == ["a"]


def test_titles_count_more_than_texts(index: SearchIndex) -> None:
    index.add([entry("a", "Other", "a coupon"), entry("b", "Coupon", "other")], 2, "e2")
    assert keys(index, "coupon")[0] == "b"


@pytest.mark.parametrize(
    "words", ["AND", "a NEAR/2 b", "title:x", "(((", '"', "-- ;", "x*", "^x", "1.4.0", "ä"]
)
def test_no_sign_is_an_operator(index: SearchIndex, words: str) -> None:
    index.add([entry("a", "release 1.4.0 of x and near title")], 1, "e1")
    assert set(keys(index, words)) <= {"a"}


def test_a_later_entry_takes_the_place_of_an_earlier_one(index: SearchIndex) -> None:
    index.add([entry("a", "first words")], 1, "e1")
    index.add([entry("a", "second words")], 2, "e2")
    assert keys(index, "first") == []
    assert keys(index, "words") == ["a"]
    assert index.place() == (2, "e2")
    assert index.frequency(["words"]) == ({"words": 1}, 1)


def test_kinds_and_services_narrow_and_are_counted(index: SearchIndex) -> None:
    index.add(
        [entry("a", "coupon"), entry("b", "coupon", kind="note"), entry("c", "coupon", service="mail")],
        3,
        "e3",
    )
    assert keys(index, "coupon", kinds=["note"]) == ["b"]
    assert keys(index, "coupon", service="mail") == ["c"]
    found = index.find("coupon", kinds=["note"])
    assert found.total == 1
    assert dict(found.by_kind) == {"incident": 2, "note": 1}


def test_pages_follow_each_other(index: SearchIndex) -> None:
    index.add([entry(f"k{n}", f"coupon {n}") for n in range(5)], 5, "e5")
    first, second = keys(index, "coupon", limit=3), keys(index, "coupon", limit=3, offset=3)
    assert len({*first, *second}) == 5


def test_excerpts_mark_what_was_asked_for_and_hold_text_as_it_is(index: SearchIndex) -> None:
    index.add([entry("a", "Title", "before <b>coupon</b> after")], 1, "e1")
    excerpt = index.find("coupon").hits[0].excerpt
    assert [part for part, marked in excerpt if marked] == ["coupon"]
    assert "".join(part for part, _ in excerpt) == "before <b>coupon</b> after"


def test_incidents_are_found_by_any_telling_word_and_told_whole(index: SearchIndex) -> None:
    one = entry("incident/1", "coupon", incident="INC-1")
    index.add([one, replace(one, key="note/1", title="a note", text="of zero")], 2, "e2")
    index.add([entry("incident/2", "disk", incident="INC-2"), entry("r", "coupon", kind="release")], 4, "e4")
    assert index.telling(["coupon", "zero"], limit=5) == ["INC-1"]
    assert "of zero" in index.texts(["INC-1"])["INC-1"]
    assert index.telling([], limit=5) == []


def test_it_can_be_forgotten(index: SearchIndex) -> None:
    index.add([entry("a", "coupon")], 1, "e1")
    index.clear()
    assert (index.place(), keys(index, "coupon")) == ((0, ""), [])
