"""The log goes away in the middle of a watch: a real worker, a PostgreSQL that is stopped and started."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amends.application.deployments import find_deployment
from amends.events import payloads as p
from tests.acceptance.crash_rig import CrashRig, Figures
from tests.servers import PostgresServer

pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path, own_postgres: PostgresServer) -> Iterator[CrashRig]:
    made = CrashRig(tmp_path, "command", own_postgres.url_of(own_postgres.create_database()))
    made.start()
    made.until_settled(made.ask("v0"))
    yield made
    made.close()


def watched(rig: CrashRig, steps: tuple[float, float]) -> str:
    rig.seconds = steps
    deployment = rig.ask("v1")
    until(lambda: f"{deployment} watch:" in rig.told(), "the watch has looked")
    return deployment


def test_a_watch_goes_on_without_the_log_and_rolls_back_what_dies(
    rig: CrashRig, own_postgres: PostgresServer
) -> None:
    deployment = watched(rig, (600.0, 600.0))
    own_postgres.stop()
    until(lambda: f"{deployment} watches on without the log" in rig.told(), "it is watched without the log")
    town = rig.root / "town.py"
    fresh = town.with_suffix(".new")
    fresh.write_text(town.read_text().replace('v.startswith("bad")', 'v.startswith("v1")'))
    fresh.replace(town)
    until(lambda: json.loads((rig.root / "world.json").read_text()) == {"v0": 100}, "it is rolled back")
    own_postgres.start()
    d = rig.until_settled(deployment)
    assert d.outcome == "rolled_back"
    done = [f.payload for f in rig.workspace.log.facts(kinds=("actuation.done",))]
    back = [f for f in done if isinstance(f, p.ActuationDone) and f.action == "roll_back"]
    assert [(f.deployment, f.outcome) for f in back] == [(deployment, "done")]
    nothing_twice(rig)


def test_when_the_log_is_back_a_deployment_goes_on(rig: CrashRig, own_postgres: PostgresServer) -> None:
    deployment = watched(rig, (8.0, 0.5))
    own_postgres.kill()
    until(lambda: f"{deployment} watches on without the log" in rig.told(), "it is watched without the log")
    own_postgres.start()
    assert rig.until_settled(deployment).outcome == "promoted"
    assert rig.weights(find_deployment(rig.workspace.log, deployment)) == {"v1": 100}
    rig.seconds = (0.5, 0.5)
    assert rig.until_settled(rig.ask("v2")).outcome == "promoted"
    nothing_twice(rig)


def nothing_twice(rig: CrashRig) -> None:
    figures = Figures()
    rig.check(figures)
    assert (figures.duplicates, figures.twice) == ([], [])


def until(look: Callable[[], bool], what: str, patience: float = 90.0) -> None:
    end = time.monotonic() + patience
    while not look():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
