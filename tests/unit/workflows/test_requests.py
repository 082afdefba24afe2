"""What may be asked for, and what is refused with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from amends.application.deploying import request_rollback, steer
from amends.application.deployments import find_deployment, list_deployments
from amends.errors import BlockedError, NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.verdicts import Decision
from amends.workflows.advance import advance


def test_a_second_deployment_in_a_lane_is_refused_once_the_first_has_started(rig: Any) -> None:
    deployment = rig.ask()
    advance(rig.tools, deployment)
    assert rig.actions() == ["start"]
    with pytest.raises(NotAllowedError, match=deployment):
        rig.ask("3")


def test_asking_again_for_what_is_under_way_goes_on_with_it(rig: Any) -> None:
    rig.gates.decision = Decision.UNDECIDED
    deployment = rig.ask()
    advance(rig.tools, deployment)
    assert rig.ask() == deployment
    rig.gates.decision = Decision.PASS
    advance(rig.tools, deployment)
    assert rig.ask() == deployment
    assert len(rig.kinds("deployment.requested")) == 1


def test_what_waits_at_its_gates_yields_to_another_release(rig: Any) -> None:
    rig.gates.decision = Decision.UNDECIDED
    waiting = rig.ask()
    advance(rig.tools, waiting)
    fix = rig.ask("3")
    state = rig.state(waiting)
    assert (state.outcome, fix in state.outcome_reason) == ("refused", True)
    assert advance(rig.tools, waiting).finished
    rig.gates.decision = Decision.PASS
    advance(rig.tools, fix)
    assert [order.candidate.version for order in rig.world.orders] == ["3"]


def test_what_waits_under_an_old_policy_yields_to_the_same_release_under_the_new_one(rig: Any) -> None:
    old = rig.ask()
    new = rig.ask(policy="def")
    assert new != old
    assert rig.state(old).outcome == "refused"


def test_what_was_aborted_is_not_gone_on_with(rig: Any) -> None:
    aborted = rig.ask()
    steer(rig.log, aborted, "aborted")
    assert rig.ask() != aborted


def test_a_rollback_under_way_yields_to_no_deployment(rig: Any) -> None:
    rig.go(rig.ask())
    back = request_rollback(rig.log, "shop", "production", reason="customers call")
    with pytest.raises(NotAllowedError, match=back):
        rig.ask("3")


def test_a_quarantined_release_is_refused_with_its_incident(rig: Any) -> None:
    rig.world.errors = 0.3
    rig.go(rig.ask())
    with pytest.raises(BlockedError, match="INC-1") as refused:
        rig.ask()
    assert refused.value.exit_code == 1


def test_what_runs_already_is_refused(rig: Any) -> None:
    with pytest.raises(NotAllowedError, match="already"):
        rig.ask("1")


def test_a_policy_without_deployer_only_records(rig: Any) -> None:
    with pytest.raises(NotAllowedError, match="only records"):
        rig.ask(plan={**rig.plan(), "deploy": {}})


def test_a_lane_follows_the_plan_it_was_asked_with(rig: Any) -> None:
    deployment = rig.ask(plan=rig.plan(interval=7.0, on_inconclusive="extend"))
    course = find_deployment(rig.log, deployment).course
    assert (course.interval, course.on_inconclusive) == (7.0, "extend")
    assert [(s.weight, s.seconds) for s in course.steps] == [(10, 60.0), (50, 60.0)]


@pytest.mark.parametrize(("word", "problem"), [("approved", "nothing in it"), ("resumed", "not paused")])
def test_a_word_that_means_nothing_now_is_refused(rig: Any, word: Any, problem: str) -> None:
    deployment = rig.ask()
    with pytest.raises(NotAllowedError, match=problem):
        steer(rig.log, deployment, word)


def test_a_finished_deployment_takes_no_more_words(rig: Any) -> None:
    deployment = rig.ask()
    steer(rig.log, deployment, "aborted")
    rig.go(deployment)
    with pytest.raises(NotAllowedError, match="finished"):
        steer(rig.log, deployment, "paused")


def test_an_unknown_deployment_is_named_with_those_there_are(rig: Any) -> None:
    deployment = rig.ask()
    with pytest.raises(NotFoundError, match=deployment):
        find_deployment(rig.log, "dep-x")


def test_a_rollback_with_nothing_to_go_back_to_asks_where(rig: Any) -> None:
    with pytest.raises(NotAllowedError, match="no good release") as refused:
        request_rollback(rig.log, "shop", "production", reason="customers call", plan=rig.plan())
    assert "--to" in refused.value.remedy


def test_a_rollback_needs_a_reason_and_something_that_runs(rig: Any) -> None:
    with pytest.raises(UsageError, match="reason"):
        request_rollback(rig.log, "shop", "production", reason=" ")
    with pytest.raises(NotAllowedError, match="nothing that runs"):
        request_rollback(rig.log, "shop", "staging", reason="customers call", plan=rig.plan())


def test_a_rollback_to_a_named_release_of_a_lane_that_amends_only_heard_of(rig: Any) -> None:
    rig.log.record(
        "service.deployed", p.ServiceDeployed(service="shop", release="2", environment="production")
    )
    rig.world.weights, rig.world.alive = {"2": 100}, {"2": True}
    back = request_rollback(rig.log, "shop", "production", reason="customers call", to="1", plan=rig.plan())
    assert rig.go(back).finished
    assert rig.world.weights == {"2": 0, "1": 100}


def test_open_deployments_are_listed_latest_first(rig: Any) -> None:
    first = rig.ask()
    steer(rig.log, first, "aborted")
    rig.go(first)
    second = rig.ask("3")
    assert [d.id for d in list_deployments(rig.log, service="shop")] == [second, first]
    assert [d.id for d in list_deployments(rig.log, open_only=True)] == [second]
