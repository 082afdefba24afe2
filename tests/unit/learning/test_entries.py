"""What people write is found, or is left out on purpose."""

from __future__ import annotations

import pytest

from amends.events import payloads as p
from amends.events.kinds import KINDS, Kind
from amends.learning.entries import EVENT_KINDS, NOT_SEARCHED, entry_of
from tests.escapes import escape

WORDS = {
    "text",
    "words",
    "reason",
    "note",
    "title",
    "summary",
    "message",
    "evidence",
    "quote",
    "excerpts",
    "subject",
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_with_words_is_searched_or_says_why_not(kind: Kind) -> None:
    has_words = bool(WORDS & set(kind.payload.__struct_fields__))
    assert not (kind.name in EVENT_KINDS and kind.name in NOT_SEARCHED)
    assert (kind.name in EVENT_KINDS or kind.name in NOT_SEARCHED) or not has_words, (
        f"{kind.name} has words that nobody finds: add it to learning/entries.py, or to NOT_SEARCHED with why"
    )


def test_a_reason_is_found_and_a_move_without_one_makes_no_entry() -> None:
    with escape() as told:
        move = {"action": "ACT-1", "incident": "INC-1", "service": "shop"}
        said = entry_of(told.tell("action.done", p.ActionMoved(**move, evidence="run 7 of the drill")))
        assert said is not None
        assert (said.kind, said.title, said.text) == ("decision", "action done: ACT-1", "run 7 of the drill")
        assert entry_of(told.tell("action.begun", p.ActionMoved(**move))) is None


def test_the_last_word_on_an_action_item_replaces_its_title_and_a_change_without_one_does_not() -> None:
    with escape() as told:
        about = {"action": "ACT-1", "incident": "INC-1", "service": "shop"}
        first = told.tell("action.added", p.ActionAdded(**about, title="Write it", owner="payments"))
        due = told.tell("action.changed", p.ActionChanged(**about, reason="a holiday"))
        again = told.tell("action.changed", p.ActionChanged(**about, title="Write it down"))
        keys = [entry.key for fact in (first, due, again) if (entry := entry_of(fact))]
        assert keys[0] == keys[2] != keys[1]
