"""Search follows the log, whatever store that is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.adapters.search import FullTextIndex
from amends.application.searching import Search, hits_data, similar_data
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.learning.entries import KINDS
from tests.many import tell_many
from tests.story import SERVICE, Story


@pytest.fixture(scope="module")
def many() -> Search:
    story = Story()
    tell_many(story.log, 15)
    return Search(story.log, FullTextIndex())


@pytest.fixture(scope="module")
def told() -> Search:
    story = Story().tell()
    story.add("edgecase.documented", p.EdgeCaseDocumented(
        service=SERVICE, edge_case="free-article", words="an article whose price is nought"
    ))  # fmt: skip
    return Search(story.log, FullTextIndex())


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("discount above the price", "incident"), ("read this together", "review"), ("first report", "note"),
        ("zero division", "failure"), ("free article break", "amendment"), ("nought", "edge case"),
        ("shop 1.4.1", "release"), ("last basket", "change"),
    ],
)  # fmt: skip
def test_everything_that_has_words_is_found(told: Search, words: str, kind: str) -> None:
    hits = told.find(words, kinds=[kind]).hits
    assert hits, f"no {kind} for {words}"
    assert {kind for kind, _ in told.find("1.4.0").by_kind} <= set(KINDS)
    assert told.log.event(hits[0].entry.event)


def test_persons_are_not_found(told: Search) -> None:
    assert told.find("p-reviewer").total == 0


def test_what_is_recorded_later_is_found_and_the_latest_revision_alone() -> None:
    story = Story()
    search = Search(story.log, FullTextIndex())
    for number, text in ((1, "the heron text"), (2, "the egret text")):
        story.add("review.revised", p.ReviewRevised(
            incident="INC-1", service=SERVICE, revision=number, text=text
        ))  # fmt: skip
        assert search.find(text.split()[1]).total == 1
    assert search.find("heron").total == 0


def test_an_index_of_another_log_begins_anew(tmp_path: Path) -> None:
    for word in ("heron", "egret"):
        story = Story()
        search = Search(story.log, FullTextIndex(tmp_path / "search.db"))
        story.log.record("note.taken", p.NoteTaken(
            incident="INC-1", service=SERVICE, text=word, at=story.clock.now()
        ), id=word)  # fmt: skip
        assert [hit.entry.text for hit in search.find(word).hits] == [word]
        search.index.close()


def test_a_search_for_nothing_and_for_an_unknown_kind_say_so(told: Search) -> None:
    with pytest.raises(UsageError, match="no words"):
        told.find(" -- ")
    with pytest.raises(UsageError, match="incident, review"):
        told.find("x", kinds=["person"])


def test_similar_incidents_come_with_reasons(many: Search) -> None:
    alike = [(one, many.similar(f"INC-{number}")) for number in range(1, 16) for one in [f"INC-{number}"]]
    found = [(name, hits) for name, hits in alike if hits]
    assert found
    for name, hits in found:
        assert name not in [one.incident for one in hits]
        assert all(one.likeness.reasons for one in hits)
        scores = [one.likeness.score for one in hits]
        assert scores == sorted(scores, reverse=True)
    assert similar_data(found[0][1])[0]["reasons"]


def test_an_incident_that_is_alone_has_none_like_it(told: Search) -> None:
    assert told.similar("INC-1") == []
    with pytest.raises(NotFoundError):
        told.similar("INC-77")


def test_hits_as_data_hold_plain_values(told: Search) -> None:
    data = hits_data(told.find("discount", limit=1))
    assert data["hits"][0]["where"].startswith("/")
    assert data["total"] >= 1
