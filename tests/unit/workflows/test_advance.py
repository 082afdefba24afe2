"""A deployment from its request to its end, on a log in memory and a world that a test steers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from amends.application.deploying import request_rollback, steer
from amends.application.deployments import places_of
from amends.errors import ActuationFailedError, NotAllowedError
from amends.events import payloads as p
from amends.releases.deployment import Phase
from amends.verdicts import Decision
from amends.workflows.advance import advance
from amends.workflows.toolbox import SOURCE


def test_a_good_release_is_promoted(rig: Any) -> None:
    progress = rig.go(rig.ask())
    assert progress.finished
    assert rig.actions() == ["start", "shift", "shift", "promote"]
    assert rig.world.weights["2"] == 100
    assert places_of(rig.log, "shop").of("production").release == "2"
    assert [f.payload.outcome for f in rig.kinds("step.concluded")] == ["promote", "promote"]


def test_a_bad_release_is_rolled_back_quarantined_and_has_an_incident_and_a_draft(rig: Any) -> None:
    rig.world.errors = 0.3
    deployment = rig.ask()
    assert rig.go(deployment).finished
    assert rig.world.weights == {"2": 0, "1": 100}
    state = rig.state(deployment)
    assert (state.outcome, state.quarantined, state.incident) == ("rolled_back", True, "INC-1")
    assert rig.drafted == ["INC-1"]
    standing = places_of(rig.log, "shop").of("production")
    assert standing.release == "1"
    assert standing.quarantines["2"].incident == "INC-1"


def test_a_candidate_that_dies_is_rolled_back(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.alive["2"] = False
    assert rig.go(deployment).finished
    assert rig.state(deployment).outcome == "rolled_back"


def test_a_promotion_says_what_it_rests_on(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment)
    concluded = [f.payload.reason.rstrip(".") for f in rig.kinds("step.concluded")]
    expected = f"promoted after 2 steps: step 1: {concluded[0]}; step 2: {concluded[1]}"
    assert rig.state(deployment).outcome_reason == expected


def test_a_promotion_that_nothing_was_watched_for_says_so(rig: Any) -> None:
    deployment = rig.ask(plan=rig.plan(metrics=[], on_inconclusive="promote"))
    rig.go(deployment)
    reason = rig.state(deployment).outcome_reason
    assert "without a watch, for the policy names no metric" in reason
    assert "The policy says: promote" in reason
    plan = {**rig.plan(), "rollout": {"steps": []}}
    stepless = rig.ask("3", plan=plan)
    rig.go(stepless)
    assert "without a watch: the rollout has no steps" in rig.state(stepless).outcome_reason


def test_a_promotion_that_a_person_decided_names_the_role(rig: Any) -> None:
    rig.world.readings = False
    deployment = rig.ask()
    for _ in range(2):
        rig.go(deployment, until="ends: ask")
        steer(rig.log, deployment, "approved", role="sre")
    rig.go(deployment)
    reason = rig.state(deployment).outcome_reason
    assert reason == (
        "promoted after 2 steps: step 1: a person decided so (sre); step 2: a person decided so (sre)"
    )


def watch_behind(rig: Any) -> str:
    return str(rig.kinds("deployment.finished")[-1].payload.watch)


def test_a_promotion_by_its_watch_is_recorded_as_that(rig: Any) -> None:
    rig.go(rig.ask())
    assert watch_behind(rig) == "passed"


def test_a_promotion_that_the_watch_did_not_see_is_recorded_as_inconclusive(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 2 of 2")  # the first step is seen to be well
    rig.world.readings = False
    rig.go(deployment, until="ends: ask")
    steer(rig.log, deployment, "approved", role="sre")
    rig.go(deployment)
    assert watch_behind(rig) == "inconclusive"
    rig.go(rig.ask("3", plan=rig.plan(on_inconclusive="promote")))
    assert watch_behind(rig) == "inconclusive"


def test_a_promotion_without_anything_to_compare_is_recorded_as_without_a_watch(rig: Any) -> None:
    rig.go(rig.ask(plan=rig.plan(metrics=[], on_inconclusive="promote")))
    assert watch_behind(rig) == "none"
    rig.go(rig.ask("3", plan={**rig.plan(), "rollout": {"steps": []}}))
    assert watch_behind(rig) == "none"


def test_what_was_rolled_back_rests_on_no_watch(rig: Any) -> None:
    rig.world.errors = 0.3
    rig.go(rig.ask())
    assert watch_behind(rig) == ""


@pytest.mark.parametrize("metrics", [[], None])
def test_a_first_release_that_does_not_answer_is_never_promoted(bare: Any, metrics: Any) -> None:
    watch = {"on_inconclusive": "promote"} | ({} if metrics is None else {"metrics": metrics})
    deployment = bare.ask(plan=bare.plan(**watch))
    bare.go(deployment, until="step 1 of 1")
    bare.world.alive["2"] = False
    assert bare.go(deployment).finished
    state = bare.state(deployment)
    assert state.outcome == "rolled_back"
    assert "does not answer" in state.outcome_reason


def test_where_neither_arm_answers_a_person_is_asked_though_the_policy_promotes(rig: Any) -> None:
    deployment = rig.ask(plan=rig.plan(on_inconclusive="promote"))
    rig.go(deployment, until="step 1 of 2")
    rig.world.alive.update({"1": False, "2": False})
    rig.go(deployment, until="ends: ask")
    assert "does not answer" in rig.state(deployment).question


@pytest.mark.parametrize(
    ("wish", "phase", "outcome"),
    [
        ("ask", Phase.ASKING, None),
        ("rollback", Phase.FINISHED, "rolled_back"),
        ("promote", Phase.FINISHED, "promoted"),
    ],
)
def test_missing_metrics_decide_nothing_but_what_the_policy_says(
    rig: Any, wish: str, phase: Phase, outcome: str | None
) -> None:
    rig.world.readings = False
    plan = rig.plan(on_inconclusive=wish)
    deployment = rig.ask(plan=plan)
    rig.go(deployment, until="ends: ask" if wish == "ask" else "")
    assert (rig.state(deployment).phase, rig.state(deployment).outcome) == (phase, outcome)


def test_extending_ends_in_a_question(rig: Any) -> None:
    rig.world.readings = False
    deployment = rig.ask(plan=rig.plan(on_inconclusive="extend"))
    rig.go(deployment, until="ends: ask")
    outcomes = [f.payload.outcome for f in rig.kinds("step.concluded")]
    assert outcomes == ["extend", "extend", "extend", "ask"]


def test_gates_that_say_the_same_are_recorded_once_and_asked_again_when_due(rig: Any) -> None:
    opens = rig.clock.now() + timedelta(hours=2)
    rig.gates.decision = Decision.UNDECIDED
    row = p.GateRow(gate="window", kind="window", decision="undecided", reason="closed", until=opens)
    rig.gates.rows = (row,)
    deployment = rig.ask()
    for _ in range(3):
        progress = advance(rig.tools, deployment)
    assert progress.due == opens
    assert "closed" in progress.did
    assert progress.held == "gates"
    assert len(rig.kinds("gates.decided")) == 1
    rig.clock.at = opens
    rig.gates.decision, rig.gates.rows = Decision.PASS, ()
    advance(rig.tools, deployment)
    assert rig.actions() == ["start"]


def test_a_window_that_closes_while_a_person_is_asked_holds_the_start(rig: Any) -> None:
    plan = rig.plan()
    plan["rollout"]["approval"] = True
    deployment = rig.ask(plan=plan)
    assert advance(rig.tools, deployment).held == "person"
    rig.gates.decision = Decision.UNDECIDED
    steer(rig.log, deployment, "approved", role="sre")
    advance(rig.tools, deployment)
    assert rig.actions() == []


def test_a_start_that_fails_three_times_is_cleaned_up_without_an_incident(rig: Any) -> None:
    rig.world.broken = 3
    deployment = rig.ask()
    assert rig.go(deployment).finished
    assert rig.actions() == ["start"] * 3 + ["roll_back"]
    assert rig.state(deployment).outcome == "failed"
    assert rig.kinds("incident.detected", "quarantine.set", "service.rolledback") == []


def test_a_rollback_that_fails_for_long_comes_through(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.errors, rig.world.broken = 0.3, 30
    assert rig.go(deployment).finished
    assert rig.world.weights == {"2": 0, "1": 100}
    assert len({order.token for order in rig.world.orders if order.action == "roll_back"}) == 1


def test_while_a_rollback_keeps_failing_its_release_is_quarantined_and_the_incident_open(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.errors, rig.world.broken = 0.3, 6
    rig.go(deployment, until="incident")
    assert rig.actions() == ["start", "shift", "roll_back"]
    assert rig.kinds("deployment.finished") == []
    assert places_of(rig.log, "shop").of("production").quarantines["2"].incident == "INC-1"
    assert "not confirmed" in rig.kinds("incident.detected")[0].payload.summary
    assert request_rollback(rig.log, "shop", "production", reason="it still serves") == deployment
    assert rig.go(deployment).finished
    assert [len(rig.kinds(kind)) for kind in ("incident.detected", "quarantine.set")] == [1, 1]
    assert rig.drafted == ["INC-1"]


def test_an_ordered_rollback_that_fails_is_told_before_it_comes_through(rig: Any) -> None:
    rig.go(rig.ask())
    rig.world.broken = 3
    back = request_rollback(rig.log, "shop", "production", reason="customers call")
    rig.go(back, until="incident")
    assert (rig.state(back).quarantined, rig.state(back).finished) == (True, False)
    assert rig.go(back).finished


def test_an_incident_that_cannot_be_opened_does_not_delay_the_next_try(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.errors, rig.world.broken = 0.3, 1
    rig.go(deployment, until="quarantine")
    failed_at = rig.state(deployment).pending.failed_at

    def refuse(_: Any) -> str:
        raise NotAllowedError("not now")

    rig.tools = replace(rig.tools, open_incident=refuse)
    progress = advance(rig.tools, deployment)
    assert progress.due == failed_at + timedelta(seconds=2)


def test_a_retreat_that_a_rollback_elsewhere_overtakes_still_has_its_review_drafted(rig: Any) -> None:
    rig.log.record(
        "service.deployed", p.ServiceDeployed(service="shop", release="0", environment="production")
    )
    rig.log.record(
        "service.deployed", p.ServiceDeployed(service="shop", release="1", environment="production")
    )
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.errors, rig.world.broken = 0.3, 6
    rig.go(deployment, until="incident")
    request_rollback(rig.log, "shop", "production", reason="further back", to="0")
    assert rig.go(deployment).finished
    assert (rig.state(deployment).outcome, rig.drafted) == ("aborted", ["INC-1"])


def test_an_unconfirmed_shift_counts_as_failed(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="start: done")
    real = rig.world.observe
    monkeypatch.setattr(rig.world, "observe", lambda s, e: real(s, e).__class__(s, e, 0, {"1": 100}))
    assert "failed" in advance(rig.tools, deployment).did


def test_rollback_long_after_promotion_goes_to_the_last_good_release(rig: Any) -> None:
    rig.go(rig.ask())
    rig.clock.wait(86400 * 30)
    back = request_rollback(rig.log, "shop", "production", reason="customers call")
    assert rig.go(back).finished
    assert rig.world.weights == {"2": 0, "1": 100}
    assert rig.state(back).incident == "INC-1"
    assert places_of(rig.log, "shop").of("production").release == "1"


def test_a_rollback_overtakes_a_deployment_under_way_and_is_asked_once(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    other = rig.process()
    back = request_rollback(other.log, "shop", "production", reason="customers call")
    assert request_rollback(other.log, "shop", "production", reason="they still call") == back
    assert advance(rig.tools, deployment).finished
    assert rig.go(back).finished
    assert rig.world.weights == {"2": 0, "1": 100}
    assert rig.state(deployment).outcome == "aborted"


def test_a_worker_that_wakes_after_anothers_rollback_shifts_nothing(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="start: done")
    stopped = rig.world.actuate

    def asleep(order: Any) -> Any:
        rig.world.actuate = stopped
        rig.tools, sleeper = rig.process(), rig.tools
        back = request_rollback(rig.log, "shop", "production", reason="customers call")
        rig.go(back)
        rig.tools = sleeper
        return stopped(order)

    rig.world.actuate = asleep
    advance(rig.tools, deployment)
    assert rig.world.weights == {"2": 0, "1": 100}
    assert [f.payload.outcome for f in rig.kinds("actuation.done")][-1] == "refused"
    assert advance(rig.tools, deployment).finished


def test_two_processes_in_step_write_every_event_once_and_shift_once(rig: Any) -> None:
    deployment = rig.ask()
    processes = [rig.process(), rig.process()]
    for turn in range(400):
        progress = advance(processes[turn % 2], deployment)
        if progress.finished:
            break
        if progress.due and turn % 2:
            rig.clock.at = max(rig.clock.at, progress.due)
    assert rig.state(deployment).outcome == "promoted"
    said = [
        (f.kind, getattr(f.payload, "step", ""), getattr(f.payload, "tick", ""))
        for f in rig.kinds("step.started", "step.concluded", "watch.assessed")
    ]
    assert len(said) == len(set(said))
    assert rig.actions() == ["start", "shift", "shift", "promote"]


@pytest.mark.parametrize("failures", [0, 2])
def test_after_a_crash_anywhere_the_next_process_goes_on(rig: Any, failures: int) -> None:
    """Every append and every order is a place to die: before it took effect and after."""
    rig.world.errors, rig.world.broken_back = 0.3, failures
    rig.go(rig.ask())
    calls = len([f for f in rig.kinds() if f.recorded.event.source == SOURCE]) + len(rig.world.orders)
    for moment in range(2 * calls):
        fresh = type(rig)()
        fresh.world.errors, fresh.world.broken_back = 0.3, failures
        deployment = fresh.ask()
        survived = die_at(fresh, deployment, moment // 2, after=bool(moment % 2))
        assert not survived or moment // 2 >= calls - 2
        fresh.tools = fresh.process()
        assert fresh.go(deployment).finished
        state = fresh.state(deployment)
        assert (state.outcome, state.quarantined, state.incident) == ("rolled_back", True, "INC-1")
        assert fresh.world.weights == {"2": 0, "1": 100}
        once = ("incident.detected", "quarantine.set", "deployment.finished", "service.rolledback")
        assert [len(fresh.kinds(kind)) for kind in once] == [1, 1, 1, 1]
        dones = [f.payload for f in fresh.kinds("actuation.done")]
        confirmed = [done.token for done in dones if done.outcome == "done"]
        assert len(confirmed) == len(set(confirmed))


class Killed(BaseException):
    """Stands for kill -9 in tests of one process."""


def die_at(rig: Any, deployment: str, call: int, *, after: bool) -> bool:
    """Run until the n-th append or order, and be gone just before or just after it."""
    count = [0]

    def dying(real: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] - 1 != call:
                return real(*args, **kwargs)
            if after:
                with suppress(ActuationFailedError):
                    real(*args, **kwargs)
            raise Killed

        return step

    store, world = rig.store, rig.world
    store.append, world.actuate = dying(store.append), dying(world.actuate)
    try:
        rig.go(deployment)
    except Killed:
        return False
    finally:
        del store.append, world.actuate
    return True
