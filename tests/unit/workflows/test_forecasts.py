"""The forecast of a deployment: from the last watch, kept with it, never in its way."""

from __future__ import annotations

from typing import Any

from amends.application.forecasting import kept_forecast
from amends.cli.deployment_texts import page


def test_the_first_watch_is_not_foretold_and_the_next_one_by_what_it_saw(rig: Any) -> None:
    """2,000 requests on each side every ten seconds; the candidate fails a tenth of its own."""
    rig.world.errors = 0.1
    first = rig.ask()
    said = kept_forecast(rig.state(first).forecast)
    assert said is not None
    assert "traffic is not known" in said.metrics[0].sentence
    rig.go(first)
    assert rig.state(first).outcome == "rolled_back"

    later = kept_forecast(rig.state(rig.ask("3")).forecast)
    assert later is not None
    row = later.metrics[0]
    assert first in row.origin
    assert 300 <= (row.exposure_per_second or 0) <= 450
    assert "has not happened at all" in row.unknown
    assert any("has not happened at all" in line for line in page(rig.state(rig.ask("3"))))


def test_a_plan_that_cannot_be_foretold_is_carried_out_all_the_same(rig: Any) -> None:
    said = rig.state(rig.ask(plan=rig.plan(alpha="no number"))).forecast
    assert "could not be made" in said["remark"]


def test_a_deployment_without_steps_has_none(rig: Any) -> None:
    plan = rig.plan()
    plan["rollout"] = {}
    assert rig.state(rig.ask(plan=plan)).forecast == {}


def test_a_group_sequential_watch_decides_at_its_looks_in_a_live_rollout(rig: Any) -> None:
    """Two steps of a minute, four looks: harm that is gross at once waits for the first of them."""
    rig.world.errors = 0.3
    asked = rig.ask(plan=rig.plan(mode="group_sequential", looks=4, spending="pocock"))
    rig.go(asked)
    looks = [f.payload for f in rig.kinds("watch.assessed")]
    assert rig.state(asked).outcome == "rolled_back"
    assert [one.verdict for one in looks] == ["watching"] * (len(looks) - 1) + ["roll_back"]
    assert [one.state["metrics"][0]["preset"]["taken"] for one in looks[-2:]] == [0, 1]
    assert "at preset look 1 of 4" in looks[-1].reason
