"""While the log cannot be reached: watch on, roll back what is provably worse, and report it afterwards."""

from __future__ import annotations

from typing import Any

from amends.application.deploying import steer
from amends.releases.actuation import Action
from amends.releases.deployment import Intent
from amends.workflows.actuating import actuate
from amends.workflows.advance import advance


def in_first_step(rig: Any) -> str:
    deployment: str = rig.ask()
    rig.go(deployment, until="watch: watching")
    return deployment


def cut_off(rig: Any, deployment: str, looks: int) -> None:
    rig.store.gone = True
    for _ in range(looks):
        rig.clock.wait(10)
        advance(rig.tools, deployment)


def ended_well(rig: Any, deployment: str) -> None:
    assert rig.go(deployment).finished
    state = rig.state(deployment)
    assert (state.outcome, state.quarantined, state.incident) == ("rolled_back", True, "INC-1")
    assert rig.world.weights == {"2": 0, "1": 100}
    assert rig.spool.kept == []
    tokens = [f.recorded.seq for f in rig.kinds("actuation.intended")]
    assert tokens == sorted(set(tokens))


def test_a_bad_release_is_rolled_back_without_the_log_and_reported_when_it_returns(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    assert rig.world.weights == {"2": 0, "1": 100}
    assert [e["kind"] for e in rig.spool.kept] == ["intent", "outcome"]
    token = rig.spool.kept[0]["token"]
    rig.store.gone = False
    ended_well(rig, deployment)
    assert rig.actions().count("roll_back") == 1
    assert [f.recorded.seq for f in rig.kinds("actuation.intended")][-1] == token


def test_a_good_release_is_watched_on_and_nothing_else_is_done(rig: Any) -> None:
    deployment = in_first_step(rig)
    before = rig.actions()
    cut_off(rig, deployment, 30)
    assert rig.actions() == before
    assert rig.spool.kept == []
    rig.store.gone = False
    assert rig.go(deployment).finished
    assert rig.state(deployment).outcome == "promoted"


def test_the_next_process_reports_what_a_dead_one_did(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    rig.store.gone = False
    rig.tools = rig.process()
    ended_well(rig, deployment)


def test_an_intent_without_outcome_on_the_disk_is_carried_out_again(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    rig.spool.kept.pop()
    rig.store.gone = False
    rig.tools = rig.process()
    ended_well(rig, deployment)
    tokens = {order.token for order in rig.world.orders if order.action == "roll_back"}
    assert len(tokens) == 1


def test_when_others_moved_on_meanwhile_the_rollback_is_ordered_on_top(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    rig.store.gone = False
    steer(rig.process().log, deployment, "paused", role="sre")
    ended_well(rig, deployment)


def test_when_others_rolled_it_back_meanwhile_nothing_is_done_twice(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    rig.store.gone = False
    cut, rig.spool.kept = rig.spool.kept, []
    rig.tools, isolated = rig.process(), rig.tools
    assert rig.go(deployment).finished
    rig.spool.kept, rig.tools = cut, isolated
    ended_well(rig, deployment)
    assert len(rig.kinds("deployment.finished")) == 1


def test_when_others_promoted_it_meanwhile_it_is_rolled_back_for_all_to_see(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    rig.store.gone, rig.world.errors = False, 0.0
    rig.world.alive["2"] = True  # the others see another world than the one cut off
    cut, rig.spool.kept = rig.spool.kept, []
    rig.tools, isolated = rig.process(), rig.tools
    assert rig.go(deployment).finished
    assert rig.state(deployment).outcome == "promoted"
    rig.spool.kept, rig.tools = cut, isolated
    advance(rig.tools, deployment)
    back = rig.kinds("deployment.requested")[-1].payload
    assert (back.kind, back.release, back.previous) == ("rollback", "2", "1")
    assert rig.go(back.deployment).finished
    assert rig.world.weights == {"2": 0, "1": 100}


def test_a_rollback_on_the_way_is_carried_on_without_the_log(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors, rig.world.broken = 0.3, 2
    rig.go(deployment, until="roll back: failed")
    cut_off(rig, deployment, 3)
    assert rig.world.weights == {"2": 0, "1": 100}
    rig.store.gone = False
    ended_well(rig, deployment)


def test_a_process_that_never_saw_the_deployment_does_nothing(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    rig.tools = rig.process()
    cut_off(rig, deployment, 5)
    assert rig.world.weights["2"] == 10


def test_a_shift_at_the_place_of_a_cut_off_rollback_is_refused(rig: Any) -> None:
    deployment = in_first_step(rig)
    rig.world.errors = 0.3
    cut_off(rig, deployment, 3)
    place = rig.spool.kept[0]["token"]
    rig.store.gone = False
    d = rig.state(deployment)
    shift = Intent(Action.SHIFT, place, 2, 50, "step 2", rig.clock.now())
    done = actuate(rig.tools, d, shift)
    assert done.outcome == "refused"
    assert rig.world.weights == {"2": 0, "1": 100}
