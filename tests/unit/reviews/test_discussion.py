"""Comments keep to their passage through edits; readers are roles and teams; minutes are comments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amends.application.discussing import (
    Discussion,
    Said,
    comment,
    mark_read,
    read_discussion,
    settle,
    take_minute,
)
from amends.application.reviewing import list_revisions, read_revision, save_revision
from amends.errors import NotAllowedError, NotFoundError, UsageError
from tests.escapes import Escape, escape

FIRST = "# Review\n\nThe cart was empty.\n\nNobody had met that before.\n"


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        save_revision(told.log, "INC-1", FIRST, based_on=0, role="scribe")
        yield told


def talk(told: Escape, number: int = 0) -> Discussion:
    revisions = list_revisions(told.log, "INC-1")
    return read_discussion(told.log, "INC-1", revisions, read_revision(told.log, "INC-1", number))


def test_a_comment_stays_with_its_words_then_changes_then_is_detached(told: Escape) -> None:
    comment(told.log, "INC-1", Said("How empty?", "qa"), quote="The cart was empty.")
    save_revision(told.log, "INC-1", "New lines.\n\n" + FIRST, based_on=1)
    save_revision(told.log, "INC-1", FIRST.replace("was empty", "was quite empty"), based_on=2)
    save_revision(told.log, "INC-1", "# Review\n\nAll is told elsewhere.\n", based_on=3)
    places = [
        (one.where, one.anchor and one.anchor.line) for n in (1, 2, 3, 4) for one in talk(told, n).placed
    ]
    assert places == [("same", 3), ("same", 5), ("changed", 3), ("detached", None)]
    assert talk(told).open[0].said.quote == "The cart was empty."


def test_answers_stand_under_what_they_answer_and_settling_ends_it(told: Escape) -> None:
    first = comment(told.log, "INC-1", Said("Which cart?", "qa"))
    comment(told.log, "INC-1", Said("The demo's.", "developer", "shop-team"), answers=first.id)
    [placed] = talk(told).placed
    assert (placed.where, [a.by for a in placed.comment.answers]) == ("whole", ["developer of shop-team"])
    settle(told.log, "INC-1", first.id, role="qa", reason="answered")
    assert talk(told).open == ()
    with pytest.raises(NotAllowedError, match="settled already"):
        settle(told.log, "INC-1", first.id, role="qa")
    settle(told.log, "INC-1", first.id, role="qa", again=True)
    assert len(talk(told).open) == 1


@pytest.mark.parametrize(
    ("words", "more", "error", "says"),
    [
        (" ", {}, UsageError, "empty"),
        ("x" * 20_001, {}, UsageError, "at most 20,000"),
        ("What?", {"quote": "a passage that is nowhere"}, UsageError, "does not hold the passage"),
        ("What?", {"answers": "c9"}, NotFoundError, "no comment 'c9'"),
        ("What?", {"number": 9}, NotFoundError, "no revision 9"),
    ],
)
def test_what_cannot_be_said_is_refused(
    told: Escape, words: str, more: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        comment(told.log, "INC-1", Said(words), **more)  # type: ignore[arg-type]
    assert told.log.stream("review/INC-1") == []


def test_who_read_what_is_kept_once_by_role_team_and_pseudonym(told: Escape) -> None:
    for reader in ("p-1", "p-2", "p-1"):
        mark_read(told.log, "INC-1", role="QA", team="shop-team", reader=reader)
    save_revision(told.log, "INC-1", "more", based_on=1)
    mark_read(told.log, "INC-1", role="qa", team="shop-team", reader="p-2")
    assert len(told.log.stream("review/INC-1")) == 3
    assert [(r.revision, r.who) for r in talk(told).readers] == [
        (2, "qa of shop-team"),
        (1, "QA of shop-team"),
    ]
    with pytest.raises(UsageError, match="who read it"):
        mark_read(told.log, "INC-1", role=" ")


def test_a_minute_is_no_open_comment(told: Escape) -> None:
    take_minute(told.log, "INC-1", Said("We agreed on a date.", "scribe"), topic="row:production/tests")
    assert (talk(told).open, [m.said.topic for m in talk(told).minutes]) == ((), ["row:production/tests"])
