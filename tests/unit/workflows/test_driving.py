"""Carrying on in the foreground: what has traffic is not left while a person decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amends.releases.deployment import Phase
from amends.workflows import driving
from amends.workflows.driving import drive


def asking(rig: Any) -> str:
    rig.world.readings = False
    deployment: str = rig.ask()
    rig.go(deployment, until="ends: ask")
    return deployment


def test_without_staying_it_leaves_what_a_person_decides(rig: Any) -> None:
    deployment = asking(rig)
    assert drive(rig.tools, deployment).held == "person"
    assert rig.state(deployment).phase is Phase.ASKING


def test_staying_it_watches_on_and_rolls_back_what_dies_while_a_person_is_asked(
    rig: Any, monkeypatch: Any
) -> None:
    deployment = asking(rig)

    def pass_time(*_: Any) -> None:
        rig.clock.wait(10.0)
        rig.world.alive["2"] = False

    monkeypatch.setattr(driving, "_nap", pass_time)
    held = []
    progress = drive(rig.tools, deployment, tell=lambda p: held.append(p.held), stay=True)
    assert progress.finished
    assert "person" in held
    assert rig.state(deployment).outcome == "rolled_back"


def test_staying_it_still_leaves_what_has_no_traffic_yet(rig: Any) -> None:
    plan = rig.plan()
    plan["rollout"]["approval"] = True
    deployment = rig.ask(plan=plan)
    rig.tools = replace(rig.tools, memory={})
    assert drive(rig.tools, deployment, stay=True).held == "person"
