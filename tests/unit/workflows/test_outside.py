"""Watches of rollouts that another controller carries out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amends.errors import StoreUnavailableError, UsageError
from amends.workflows.following import Follower
from amends.workflows.outside import Judged, Question, judge
from tests.unit.workflows.test_loop import Calls

ASKED = Question(
    controller="argo", service="shop", environment="production", rollout="7", candidate="2", baseline="1"
)


def ask(rig: Any, process: Any = None, seconds: float = 10, **more: Any) -> Judged:
    rig.clock.at += timedelta(seconds=seconds)
    plan = rig.plan(source={"prometheus": {"url": "http://prometheus"}})
    return judge(process or rig.tools, replace(ASKED, **more), plan, "abc")


def test_no_order_is_given_and_nothing_stands_in_a_lane(rig: Any) -> None:
    before = rig.log.store.version("lane/shop/production")
    rig.world.errors = 0.5
    assert [ask(rig).verdict for _ in range(3)][-1] == "roll_back"
    assert rig.actions() == []
    assert rig.log.store.version("lane/shop/production") == before


def test_several_processes_continue_one_watch(rig: Any) -> None:
    judged = [ask(rig, rig.process()) for _ in range(4)]
    assert [j.look.tick for j in judged] == [1, 2, 3, 4]
    assert len({j.watch for j in judged}) == 1
    assert judged[-1].look.controller == "argo"


def test_whoever_comes_second_at_a_moment_answers_with_the_first_ones_look(rig: Any) -> None:
    first, second = ask(rig), ask(rig, rig.process(), seconds=0.5)
    assert (first.look, first.verdict) == (second.look, second.verdict)
    assert len(rig.kinds("watch.assessed")) == 1


def test_of_two_who_find_no_watch_one_begins_it(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    late, read = rig.process(), rig.store.read
    began: list[Judged] = []

    def read_just_before_another_begins(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        monkeypatch.setattr(rig.store, "read", read)
        began.append(ask(rig, seconds=0))
        return found

    monkeypatch.setattr(rig.store, "read", read_just_before_another_begins)
    said = ask(rig, late)
    assert len(rig.kinds("watch.begun")) == 1
    assert said.look == began[0].look


def test_a_plan_stays_what_it_was_when_the_watch_began(rig: Any) -> None:
    ask(rig)
    rig.clock.at += timedelta(seconds=10)
    said = judge(rig.tools, ASKED, {"watch": {"metrics": []}}, "other")
    assert said.look.metrics


def test_silence_is_no_health(rig: Any) -> None:
    rig.world.readings = False
    said = [ask(rig) for _ in range(5)][-1]
    assert said.verdict == "watching"
    assert "no readings" in said.missing
    assert "nobody answers" in said.look.problems


def test_each_rollout_has_its_own_watch(rig: Any) -> None:
    rig.world.errors = 0.5
    assert [ask(rig).verdict for _ in range(3)][-1] == "roll_back"
    assert ask(rig, rollout="8").verdict == "watching"


def test_a_log_that_cannot_be_written_gives_no_answer(rig: Any) -> None:
    ask(rig)
    rig.store.gone = True
    with pytest.raises(StoreUnavailableError):
        ask(rig)


@pytest.mark.parametrize(
    ("watch", "said"), [({"metrics": []}, "watches no metric"), ({"source": {"scrape": {}}}, "scrapes")]
)
def test_what_cannot_be_judged_begins_no_watch(rig: Any, watch: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judge(rig.tools, ASKED, rig.plan(**watch))
    assert rig.kinds("watch.begun") == []


def test_the_loop_leaves_such_a_watch_alone(rig: Any) -> None:
    calls = Calls()
    follower = Follower(rig.tools, calls)
    follower.begin()
    calls.take()
    ask(rig)
    follower.follow(0)
    assert [f.kind for f in rig.kinds("watch.begun", "watch.assessed")] == ["watch.begun", "watch.assessed"]
    assert calls.take() == []
