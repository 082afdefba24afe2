"""Runs of automatic entries become one line; people's words and what was learned later keep their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from amends.incidents.condensing import condense
from amends.incidents.timeline import Knowledge, Line

BEGAN = datetime(2026, 3, 2, 2, 10, tzinfo=UTC)


def lines(*kinds: str, knowledge: Knowledge = Knowledge.THEN) -> list[Line]:
    return [
        Line(BEGAN + timedelta(minutes=n), f"text {n}", f"event-{n}", kind, knowledge, BEGAN)
        for n, kind in enumerate(kinds)
    ]


def test_a_run_of_looks_is_one_line_that_cites_each_and_ends_with_the_last() -> None:
    told = lines(*["watch.assessed"] * 7, "note.taken")
    [looks, note] = condense(told)
    assert looks.text == "7 looks of the watch, 02:10 to 02:16; the last: text 6"
    assert looks.events == tuple(line.event for line in told[:7])
    assert (note.text, note.events) == ("text 7", ("event-7",))
    assert [one.events for one in condense(told, full=True)] == [(line.event,) for line in told]


def test_what_people_said_what_is_rare_and_what_was_learned_later_keep_their_lines() -> None:
    assert len(condense(lines(*["note.taken"] * 5))) == 5
    assert len(condense(lines("watch.assessed", "watch.assessed", "note.taken"))) == 3
    mixed = [*lines(*["testsuiterun.finished"] * 3),
             *lines(*["testsuiterun.finished"] * 3, knowledge=Knowledge.LATER)]  # fmt: skip
    assert [one.knowledge for one in condense(mixed)] == [Knowledge.THEN, Knowledge.LATER]


def test_a_run_over_midnight_says_both_days() -> None:
    told = lines(*["watch.assessed"] * 3)
    far = Line(BEGAN + timedelta(days=1), "end", "event-x", "watch.assessed", Knowledge.THEN, BEGAN)
    assert "2026-03-02 02:10" in condense([*told, far])[0].text
    assert "2026-03-03 02:10" in condense([*told, far])[0].text
