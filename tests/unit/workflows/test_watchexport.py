"""A live watch, exported and replayed: the same decision, at the same look, from the same evidence."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from amends.errors import NotFoundError
from amends.watch.measurements import Arm, MetricSnapshot
from amends.watch.outcome import Final, Outcome
from amends.watch.replaying import replay_watch
from amends.workflows.watchexport import export_watch, recording_of


def replayed(rig: Any, deployment: str) -> Outcome:
    """Replay it as a file would hold it."""
    lines = [json.loads(json.dumps(line)) for line in export_watch(rig.log, deployment)]
    return replay_watch(recording_of(lines))


def lived(rig: Any) -> list[tuple[Any, Any, str]]:
    looks = [f.payload for f in rig.kinds("watch.assessed")]
    return [(look.state["at"], look.log_evidence, look.verdict) for look in looks]


def agree(rig: Any, again: Outcome) -> None:
    """Hold every look of the replay to the live one."""
    looks = lived(rig)
    assert [
        (t.at.isoformat().replace("+00:00", "Z"), t.log_evidence, t.verdict) for t in again.ticks
    ] == looks


def silence(rig: Any, arm: Arm, begin: float, end: float) -> None:
    """Take one arm's readings away for a while."""
    read, since = rig.world.read, rig.clock.at

    def gappy(specs: Any, arms: Any, at: Any) -> MetricSnapshot:
        found = read(specs, arms, at)
        gone = timedelta(seconds=begin) <= at - since < timedelta(seconds=end)
        return MetricSnapshot(tuple(r for r in found.readings if not (gone and r.arm is arm)))

    rig.world.read = gappy


def test_a_promotion_is_a_promotion_again(rig: Any) -> None:
    deployment = rig.ask()
    assert rig.go(deployment).finished
    again = replayed(rig, deployment)
    assert (again.decision, rig.state(deployment).outcome) == (Final.PROMOTE, "promoted")
    agree(rig, again)
    assert again.reason == rig.kinds("step.concluded")[-1].payload.reason


def test_a_rollback_falls_at_the_same_look(rig: Any) -> None:
    rig.world.errors = 0.004
    plan = rig.plan()
    plan["watch"]["metrics"][0]["smallest_effect"] = 1.2
    deployment = rig.ask(plan=plan)
    assert rig.go(deployment).finished
    again = replayed(rig, deployment)
    last = rig.kinds("watch.assessed")[-1].payload
    assert (again.decision, again.reason) == (Final.ROLLBACK, last.reason)
    agree(rig, again)


def test_a_dead_candidate_is_dead_again(rig: Any) -> None:
    deployment = rig.ask()
    rig.go(deployment, until="step 1 of 2")
    rig.world.alive["2"] = False
    assert rig.go(deployment).finished
    again = replayed(rig, deployment)
    last = rig.kinds("watch.assessed")[-1].payload
    assert (again.decision, again.reason) == (Final.ROLLBACK, last.reason)
    agree(rig, again)


@pytest.mark.parametrize("arm", list(Arm))
def test_an_arm_that_was_silent_for_a_while_is_silent_again(rig: Any, arm: Arm) -> None:
    plan = rig.plan(on_inconclusive="promote")
    plan["watch"]["metrics"][0]["limit"] = {"above": 0.5, "min_requests": 3000}
    rig.world.errors = 0.001
    silence(rig, arm, 15, 45)
    deployment = rig.ask(plan=plan)
    rig.go(deployment)
    agree(rig, replayed(rig, deployment))


def test_a_limit_broken_while_the_baseline_was_silent_is_broken_again(rig: Any) -> None:
    plan = rig.plan()
    plan["watch"]["metrics"][0]["limit"] = {"above": 0.2, "min_requests": 3000}
    rig.world.errors = 0.3
    silence(rig, Arm.BASELINE, 5, 500)
    deployment = rig.ask(plan=plan)
    rig.go(deployment)
    again = replayed(rig, deployment)
    assert again.decision is Final.ROLLBACK
    assert "limit" in again.reason
    agree(rig, again)


def test_what_was_never_watched_cannot_be_exported(rig: Any) -> None:
    with pytest.raises(NotFoundError, match="no deployment"):
        list(export_watch(rig.log, "nobody"))


def test_preset_looks_fall_at_the_same_moments(rig: Any) -> None:
    rig.world.errors = 0.3
    deployment = rig.ask(plan=rig.plan(mode="group_sequential"))
    rig.go(deployment)
    again = replayed(rig, deployment)
    assert (again.decision, rig.state(deployment).outcome) == (Final.ROLLBACK, "rolled_back")
    assert "at preset look" in again.reason
    agree(rig, again)
