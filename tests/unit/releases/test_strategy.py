"""What a deployment does next, state by state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amends.events import payloads as p
from amends.releases.actuation import Action
from amends.releases.deployment import Deployment, fold_deployment
from amends.releases.strategy import (
    CarryOut,
    ConcludeStep,
    Do,
    EvaluateGates,
    Finish,
    Intend,
    OpenIncident,
    Quarantine,
    StartStep,
    Wait,
    Watch,
    next_action,
)  # fmt: skip


def decide(history: Any, **kwargs: Any) -> Do:
    return next_action(fold_deployment(history.facts), history.now, **kwargs)


def intended(do: Do) -> tuple[Action, int, int]:
    assert isinstance(do, Intend)
    return do.action, do.step, do.weight


def test_a_whole_rollout_goes_gate_by_step_to_its_promotion(history: Any) -> None:
    history.request()
    assert decide(history) == EvaluateGates()
    history.gates()
    assert intended(decide(history, gates_fresh=True)) == (Action.START, 0, 0)
    history.actuate("start")
    for step, weight in ((1, 10), (2, 50)):
        assert intended(decide(history)) == (Action.SHIFT, step, weight)
        history.actuate("shift", step, weight)
        assert decide(history) == StartStep(step, weight, 60.0)
        history.step(step, weight)
        history.later(59)
        assert decide(history) == Watch()
        history.look(step * 2, step=step)
        history.later(1)
        assert decide(history) == Watch()
        history.look(step * 2 + 1, step=step)
        assert decide(history) == ConcludeStep(step)
        history.conclude(step, "promote")
    assert intended(decide(history)) == (Action.PROMOTE, 2, 100)
    history.actuate("promote", 2, 100)
    assert isinstance(decide(history), Finish)


def test_a_promotion_without_steps_claims_no_comparison(history: Any) -> None:
    history.request(plan={"course": {"steps": []}})
    history.gates()
    history.actuate("start")
    history.actuate("promote", 0, 100)
    assert decide(history) == Finish(
        "promoted", "promoted without a watch: the rollout has no steps in production"
    )


def test_a_start_never_relies_on_gates_that_answered_in_an_earlier_run(history: Any) -> None:
    history.request()
    history.gates()
    assert decide(history) == EvaluateGates()


def test_blocked_gates_wait_until_the_first_of_them_may_change_its_mind(history: Any) -> None:
    history.request()
    soon, late = (history.now + timedelta(hours=h) for h in (1, 2))
    history.gates(
        "undecided",
        p.GateRow(gate="soak", kind="soak", decision="undecided", reason="2 days left", until=late),
        p.GateRow(gate="window", kind="window", decision="undecided", reason="closed", until=soon),
        p.GateRow(
            gate="x", kind="x", decision="block", reason="only observes", mode="observe", until=history.now
        ),
    )
    do = decide(history, gates_fresh=True)
    assert isinstance(do, Wait)
    assert do.until == soon
    assert "2 days left" in do.why
    assert "only observes" not in do.why


def test_an_approval_is_waited_for_and_the_gates_are_asked_again_after_it(history: Any) -> None:
    history.request(plan={"course": {"steps": [], "approval": True}})
    history.gates()
    waiting = decide(history, gates_fresh=True)
    assert isinstance(waiting, Wait)
    assert waiting.person
    history.steer("approved")
    assert decide(history) == EvaluateGates()
    history.gates("undecided")
    assert isinstance(decide(history, gates_fresh=True), Wait)
    history.gates()
    assert intended(decide(history, gates_fresh=True))[0] is Action.START


def test_a_breach_during_a_pause_still_rolls_back(history: Any) -> None:
    history.into_first_step()
    history.steer("paused")
    history.later(60)
    assert decide(history) == Watch()
    history.look(1)
    assert isinstance(decide(history), Wait)  # the step is over, and nothing is shifted on
    history.look(2, "roll_back")
    assert intended(decide(history)) == (Action.ROLL_BACK, 1, 0)


def test_a_breach_while_a_person_is_asked_still_rolls_back(history: Any) -> None:
    history.into_first_step()
    history.later(60)
    history.look(1)
    history.conclude(1, "ask")
    asking = decide(history)
    assert isinstance(asking, Wait)
    assert asking.person
    history.later(10)
    assert decide(history) == Watch()
    history.look(2, "roll_back")
    history.steer("approved")
    assert intended(decide(history))[0] is Action.ROLL_BACK


def test_a_persons_yes_moves_on_from_the_question(history: Any) -> None:
    history.into_first_step()
    history.conclude(1, "ask")
    history.steer("approved")
    assert intended(decide(history)) == (Action.SHIFT, 2, 50)


def test_a_rollback_quarantines_before_it_finishes_and_has_an_incident_after(history: Any) -> None:
    history.into_first_step()
    history.look(1, "roll_back")
    history.actuate("roll_back", 1)
    assert isinstance(decide(history), Quarantine)
    history.add(
        "quarantine.set", p.QuarantineSet(service="shop", release="2", reason="seen", deployment="d1")
    )
    done = decide(history)
    assert isinstance(done, Finish)
    assert done.outcome == "rolled_back"
    history.finish("rolled_back")
    assert decide(history) == OpenIncident()


def test_an_abort_before_the_start_touches_nothing(history: Any) -> None:
    history.request()
    history.steer("aborted", "not today")
    assert decide(history) == Finish("aborted", "not today")


def test_an_abort_after_the_start_goes_back_without_quarantine(history: Any) -> None:
    history.into_first_step()
    history.steer("aborted", "not today")
    assert intended(decide(history))[0] is Action.ROLL_BACK
    history.actuate("roll_back", 1)
    assert decide(history) == Finish("aborted", "not today")


def test_an_intent_without_outcome_is_carried_out_again_under_its_own_token(history: Any) -> None:
    history.request()
    history.gates()
    intent = history.intend("start")
    do = decide(history)
    assert isinstance(do, CarryOut)
    assert do.intent.token == intent.recorded.seq


def test_a_retreat_overtakes_an_intent_without_outcome(history: Any) -> None:
    history.into_first_step()
    history.conclude(1, "promote")
    history.intend("shift", 2, 50)
    history.look(1, "roll_back")
    assert intended(decide(history))[0] is Action.ROLL_BACK


@pytest.mark.parametrize(("served", "outcome"), [(False, "failed"), (True, "rolled_back")])
def test_what_fails_too_often_goes_back_and_only_what_served_counts_as_rolled_back(
    history: Any, served: bool, outcome: str
) -> None:
    history.request()
    history.gates()
    if served:
        history.actuate("start")
    intent = history.intend("shift" if served else "start", 1, 10)
    for _ in range(3):
        history.outcome(intent, "failed", "no route")
        assert not isinstance(decide(history), CarryOut)
        history.later(60)
    assert intended(decide(history))[0] is Action.ROLL_BACK
    history.actuate("roll_back")
    history.add("quarantine.set", p.QuarantineSet(service="shop", release="2", reason="r", deployment="d1"))
    do = decide(history)
    assert isinstance(do, Finish)
    assert do.outcome == outcome


def quarantine_and_incident(history: Any) -> None:
    assert isinstance(decide(history), Quarantine)
    history.add(
        "quarantine.set", p.QuarantineSet(service="shop", release="2", reason="seen", deployment="d1")
    )
    assert decide(history) == OpenIncident()
    opened = p.IncidentOpened(
        incident="INC-1", service="shop", environment="production", summary="seen", opened_by="rollback",
        release="2", deployment="d1",
    )  # fmt: skip
    history.add("incident.detected", opened)


def test_a_rollback_that_fails_is_told_and_tried_without_end(history: Any) -> None:
    history.into_first_step()
    history.look(1, "roll_back")
    intent = history.intend("roll_back", 1)
    history.outcome(intent, "failed", "no route")
    quarantine_and_incident(history)
    for _ in range(20):
        history.outcome(intent, "failed", "no route")
        waiting = decide(history)
        assert isinstance(waiting, Wait)
        assert waiting.until is not None
        assert waiting.until <= history.now + timedelta(seconds=60)
        history.later(60)
        assert isinstance(decide(history), CarryOut)


def test_a_try_that_is_due_comes_before_quarantine_and_incident(history: Any) -> None:
    history.into_first_step()
    history.look(1, "roll_back")
    intent = history.intend("roll_back", 1)
    assert isinstance(decide(history), CarryOut)
    history.outcome(intent, "failed", "no route")
    history.later(2)
    assert isinstance(decide(history), CarryOut)


def test_an_abort_that_fails_quarantines_nothing(history: Any) -> None:
    history.into_first_step()
    history.steer("aborted", "not today")
    history.outcome(history.intend("roll_back", 1), "failed", "no route")
    assert isinstance(decide(history), Wait)


def test_while_a_shift_is_tried_again_the_watch_goes_on(history: Any) -> None:
    history.into_first_step()
    history.conclude(1, "promote")
    intent = history.intend("shift", 2, 50)
    history.outcome(intent, "failed", "no route")
    history.look(1)
    waiting = decide(history)
    assert isinstance(waiting, Wait)
    history.later(10)
    history.outcome(intent, "failed", "no route")
    assert decide(history) == Watch()


def test_a_refused_order_is_decided_anew_later(history: Any) -> None:
    history.into_first_step()
    history.look(1, "roll_back")
    history.outcome(history.intend("roll_back", 1), "refused")
    quarantine_and_incident(history)
    waiting = decide(history)
    assert isinstance(waiting, Wait)
    assert waiting.until is not None
    history.now = waiting.until
    assert intended(decide(history))[0] is Action.ROLL_BACK


def test_a_step_without_time_still_takes_one_look_at_its_own_weight(history: Any) -> None:
    history.request(plan={"course": {"steps": [{"weight": 10, "seconds": 0}, {"weight": 50, "seconds": 0}]}})
    history.gates()
    history.actuate("start")
    history.actuate("shift", 1, 10)
    history.step(1, 10, 0)
    assert decide(history) == Watch()
    history.look(1)
    history.conclude(1, "promote")
    history.actuate("shift", 2, 50)
    history.step(2, 50, 0)
    assert decide(history) == Watch()


def test_a_first_release_has_one_step_with_all_the_traffic(history: Any) -> None:
    history.request(previous="")
    history.gates()
    history.actuate("start")
    assert intended(decide(history)) == (Action.SHIFT, 1, 100)
    assert fold_deployment(history.facts).course.steps[0].seconds == 120


def test_an_ordered_rollback_asks_no_gate(history: Any) -> None:
    history.request(kind="rollback", reason="customers call")
    assert intended(decide(history)) == (Action.ROLL_BACK, 0, 0)


def test_nothing_moves_a_finished_deployment(history: Any) -> None:
    history.into_first_step()
    history.finish("aborted")
    before: Deployment = fold_deployment(history.facts)
    history.look(1, "roll_back")
    history.steer("approved")
    history.intend("shift", 2, 50)
    assert isinstance(decide(history), Wait)
    assert fold_deployment(history.facts).phase == before.phase
