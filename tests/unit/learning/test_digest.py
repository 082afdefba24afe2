"""The learning digest: published reviews alone, no names, a feed that readers can follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from amends.application.digesting import read_digest
from amends.application.reviewing import list_revisions, publish, save_revision
from amends.application.thanking import thank
from amends.events import payloads as p
from amends.learning.digest import Digest, as_atom, as_data, as_markdown, learned_part
from tests.many import tell_many
from tests.story import SERVICE, Story

ATOM = "{http://www.w3.org/2005/Atom}"
LEARNED = (
    "# Review\n\n## What we learned\n\nA price of nought is real. password=hunter2secret\n\n## Thanks\n\nx\n"
)


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story().tell()
    number = len(list_revisions(story.log, story.incident))
    save_revision(story.log, story.incident, LEARNED, based_on=number, role="shop-team")
    publish(story.log, story.incident, role="shop-team")
    story.add("edgecase.documented", p.EdgeCaseDocumented(
        service=SERVICE, edge_case="free", words="an article for nothing", incident=story.incident
    ))  # fmt: skip
    thank(story.log, story.opened.people, story.incident, "Zebedee", "Zebedee brought cake")
    return story


@pytest.fixture(scope="module")
def digest(story: Story) -> Digest:
    return read_digest(story.log)


def test_a_lesson_says_what_happened_what_changed_and_what_was_learned(digest: Digest) -> None:
    (lesson,) = digest.lessons
    assert "discount above the price" in lesson.summary
    assert any("tests (production)" in one for one in lesson.past_gates)
    assert {one.state for one in lesson.changed} == {"active", "proven"}
    assert lesson.edge_cases == ("an article for nothing",)
    assert lesson.learned == "A price of nought is real. password=[masked]"


def test_it_names_nobody(digest: Digest) -> None:
    for text in (as_markdown(digest), as_atom(digest, ""), str(as_data(digest))):
        assert "ebedee" not in text
        assert "p-author" not in text


def test_reviews_that_were_not_published_are_no_lessons() -> None:
    story = Story()
    tell_many(story.log, 3)
    story.add("review.revised", p.ReviewRevised(incident="INC-1", service="shop", revision=1, text=LEARNED))
    assert read_digest(story.log).lessons == ()
    assert "No review was published" in as_markdown(read_digest(story.log))


def test_times_and_services_narrow(story: Story, digest: Digest) -> None:
    at = digest.lessons[0].published_at
    assert read_digest(story.log, since=at).lessons == digest.lessons
    assert read_digest(story.log, since=at + timedelta(seconds=1)).lessons == ()
    assert read_digest(story.log, service="mail").lessons == ()
    assert len(read_digest(story.log, until=at).lessons) == 1


def test_the_feed_is_atom_with_ids_that_stay(digest: Digest) -> None:
    feed = ElementTree.fromstring(as_atom(digest, "https://amends.example/"))
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    for needed in ("id", "title", "updated"):  # RFC 4287, 4.1.1 and 4.1.2
        assert feed.findtext(f"{ATOM}{needed}")
        assert entry.findtext(f"{ATOM}{needed}")
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "amends"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == "https://amends.example/incidents/INC-1/review"
    again = replace(digest.lessons[0], published_at=digest.until + timedelta(days=1))
    later = ElementTree.fromstring(as_atom(replace(digest, lessons=(again,)), "https://other.example"))
    assert later.findtext(f"{ATOM}entry/{ATOM}id") == entry.findtext(f"{ATOM}id")
    assert later.findtext(f"{ATOM}updated") != feed.findtext(f"{ATOM}updated")


def test_a_feed_survives_what_people_write(digest: Digest) -> None:
    evil = replace(digest.lessons[0], summary="<script>&]]>\x00\x0b", service='a"b', learned="</content>")
    feed = ElementTree.fromstring(as_atom(replace(digest, lessons=(evil,)), "https://x.example"))
    assert "<script>&]]>" in (feed.findtext(f"{ATOM}entry/{ATOM}title") or "")


def test_long_lessons_are_cut_where_a_sentence_ends() -> None:
    text = "## Lessons\n\n" + "One thing was learned. " * 200
    found = learned_part(text)
    assert len(found) < 1300
    assert found.endswith("learned. …")
