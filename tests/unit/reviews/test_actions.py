"""Action items: owned by teams and roles, done by evidence or a proof, asked for ever less often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, pairwise

import pytest

from amends.application.actions import (
    Moved,
    Wanted,
    add_action,
    change_action,
    list_actions,
    move_action,
    require_action,
)
from amends.application.amending import Proposal, lapse, propose
from amends.application.reminding import read_reminders, record_reminder
from amends.application.reviewing import publish, save_revision
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.reviews.actions import ActionState
from amends.reviews.reminders import LONGEST, slots_of
from tests.escapes import BEGAN, Escape, escape

DAY = timedelta(days=1)


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        yield told


def wait(told: Escape, days: float) -> None:
    told.clock.wait(days * DAY.total_seconds())


def guard(told: Escape) -> str:
    found = propose(told.log, "INC-1", Proposal("test", selector="pytest tests/test_share.py::test_nobody"))
    return found.id


def activate(told: Escape, name: str) -> None:
    told.tell(
        "amendment.proven", p.AmendmentJudged(amendment=name, incident="INC-1", service="shop", reason="r")
    )
    told.tell("amendment.activated", p.AmendmentMoved(amendment=name, incident="INC-1", service="shop"))


def test_an_item_has_one_owner_that_is_a_team_or_a_role(told: Escape) -> None:
    assert add_action(told.log, "INC-1", Wanted("Write it down")).owner == "shop-team"
    found = add_action(told.log, "INC-1", Wanted("Ask", owner_role="service owner", priority="high"))
    assert (found.id, found.owner, found.owner_kind) == ("ACT-2", "service owner", "role")
    with pytest.raises(UsageError, match="one owner"):
        add_action(told.log, "INC-1", Wanted("Ask", team="a", owner_role="b"))
    with pytest.raises(UsageError, match="what is to be done"):
        add_action(told.log, "INC-1", Wanted())
    with pytest.raises(NotFoundError, match="ACT-2, ACT-1"):
        require_action(told.log, "ACT-7")


def test_done_needs_what_shows_it_and_dropped_a_reason(told: Escape) -> None:
    name = add_action(told.log, "INC-1", Wanted("Write it down")).id
    with pytest.raises(UsageError, match="what shows that it works"):
        move_action(told.log, name, "done", Moved("developer"))
    with pytest.raises(UsageError, match="reason and a role"):
        move_action(told.log, name, "dropped", Moved("developer"))
    move_action(told.log, name, "begun", Moved("developer"))
    assert move_action(told.log, name, "done", Moved("developer", evidence="run 7")).evidence == "run 7"
    with pytest.raises(NotAllowedError, match="is done; that cannot become"):
        move_action(told.log, name, "begun", Moved())
    assert move_action(told.log, name, "reopened", Moved(reason="it came back")).state is ActionState.OPEN


def test_an_items_amendment_makes_it_done_and_its_lapse_opens_it_again(told: Escape) -> None:
    amendment = guard(told)
    name = add_action(told.log, "INC-1", Wanted(guard=amendment)).id
    with pytest.raises(NotAllowedError, match="its proof makes it done"):
        move_action(told.log, name, "done", Moved("developer", evidence="I say so"))
    activate(told, amendment)
    assert require_action(told.log, name).state is ActionState.DONE
    lapse(told.log, amendment, reason="skipped: switched off")
    found = require_action(told.log, name)
    assert (found.state, found.reason) == (ActionState.OPEN, "AM-1 is lapsed: skipped: switched off")
    assert [r.asking.why for r in read_reminders(told.log)] == ["lapsed"]


def test_an_accepted_risk_ends_and_is_open_again(told: Escape) -> None:
    name = add_action(told.log, "INC-1", Wanted("Replace the cache")).id
    for until in (None, BEGAN):
        with pytest.raises(UsageError, match="ends in the future"):
            move_action(told.log, name, "accepted", Moved("owner", "too dear", until=until))
    until = told.clock.now() + 30 * DAY
    move_action(told.log, name, "accepted", Moved("service owner", "too dear this year", until=until))
    assert require_action(told.log, name).state is ActionState.ACCEPTED_RISK
    wait(told, 24)
    assert [(r.asking.why, r.number) for r in read_reminders(told.log)] == [("risk", 1)]
    wait(told, 7)
    found = require_action(told.log, name)
    assert (found.state, found.due) == (ActionState.OPEN, until)
    assert move_action(told.log, name, "begun", Moved("developer")).state is ActionState.BEGUN


def test_once_the_review_has_settled_a_change_needs_a_reason(told: Escape) -> None:
    name = add_action(told.log, "INC-1", Wanted("Write it down")).id
    save_revision(told.log, "INC-1", "text", based_on=0)
    publish(told.log, "INC-1")
    assert change_action(told.log, name, Wanted(team="data-team")).owner == "data-team"
    wait(told, 2)
    with pytest.raises(NotAllowedError, match="is fixed"):
        change_action(told.log, name, Wanted(priority="low"))
    changed = change_action(told.log, name, Wanted(priority="low"), reason="the risk is gone")
    assert (changed.priority, changed.owner, changed.title) == ("low", "data-team", "Write it down")


def test_reminders_back_off_and_a_silent_week_is_one_reminder(told: Escape) -> None:
    due = told.clock.now() + 10 * DAY
    add_action(told.log, "INC-1", Wanted("Write it down", due=due))
    assert read_reminders(told.log) == ()
    wait(told, 9)
    assert [(r.number, r.slot, r.then) for r in read_reminders(told.log)] == [(1, due - DAY, due)]
    wait(told, 9)
    [reminder] = read_reminders(told.log)
    assert (reminder.number, reminder.slot, reminder.then) == (5, due + 7 * DAY, due + 15 * DAY)
    record_reminder(told.log, reminder)
    record_reminder(told.log, reminder)
    assert read_reminders(told.log) == ()
    wait(told, 7)
    assert [r.number for r in read_reminders(told.log)] == [6]
    assert len(told.log.facts(kinds=("reminder.given",))) == 1


def test_the_gap_between_reminders_doubles_up_to_a_limit() -> None:
    slots = list(islice(slots_of(BEGAN), 9))
    gaps = [(after - before) // DAY for before, after in pairwise(slots)]
    assert gaps == [1, 2, 4, 8, 16, 28, 28, 28]
    assert timedelta(days=28) == LONGEST


def test_what_is_late_and_left_comes_first(told: Escape) -> None:
    now = told.clock.now()
    for title, due in (("someday", None), ("soon", now + DAY), ("done", now), ("late", now + DAY / 2)):
        add_action(told.log, "INC-1", Wanted(title, due=due))
    move_action(told.log, "ACT-3", "done", Moved(evidence="run 1"))
    wait(told, 0.6)
    found = list_actions(told.log, incident="INC-1")
    assert [one.title for one in found] == ["late", "soon", "someday", "done"]
    assert [one.late(told.clock.now()) for one in found] == [True, False, False, False]
    assert [one.title for one in list_actions(told.log, left=True, owner="SHOP-team")][-1] == "someday"
