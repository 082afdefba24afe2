"""What every deployer keeps to, whatever it deploys to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amends.adapters.deployers.process import ProcessDeployer
from amends.errors import ActuationFailedError, ActuationRefusedError
from amends.releases.actuation import Action
from tests.contract.deployer_worlds import ENVIRONMENT, SERVICE, World, command_world, process_world

Make = Callable[..., World]


@pytest.fixture(params=["command", "process"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make a world, with less patience on request."""
    made: list[World] = []

    def build(patience: float | None = None) -> World:
        if request.param == "command":
            world = command_world(tmp_path, **({"timeout": patience} if patience else {}))
        else:
            world = process_world(tmp_path, **({"startup_timeout": patience} if patience else {}))
        made.append(world)
        return world

    yield build
    for world in made:
        if isinstance(world.deployer, ProcessDeployer):
            world.deployer.stop_all(SERVICE, ENVIRONMENT)


@pytest.fixture
def world(make: Make) -> World:
    return make()


def running(world: World) -> list[str]:
    return sorted(i.version for i in world.look().instances if i.alive)


def test_nothing_runs_before_the_first_order(world: World) -> None:
    seen = world.look()
    assert (seen.token, seen.weights, seen.instances) == (0, {}, ())


def test_a_first_release_starts_without_traffic_and_ends_with_all_of_it(world: World) -> None:
    started = world.do(Action.START, "1.0", None, 1)
    assert started.weights == {"1.0": 0}
    assert [(i.version, i.alive, i.ready) for i in started.instances] == [("1.0", True, True)]
    assert world.do(Action.SHIFT, "1.0", None, 2, weight=100).weights == {"1.0": 100}
    assert world.do(Action.PROMOTE, "1.0", None, 3).weights == {"1.0": 100}


def test_a_release_is_started_shifted_and_promoted(world: World) -> None:
    world.first("1.0")
    assert world.do(Action.START, "1.1", "1.0", 4).weights == {"1.0": 100, "1.1": 0}
    assert world.do(Action.SHIFT, "1.1", "1.0", 5, weight=30).weights == {"1.0": 70, "1.1": 30}
    promoted = world.do(Action.PROMOTE, "1.1", "1.0", 6)
    assert promoted.weights == {"1.1": 100}
    assert promoted.token == 6
    assert running(world) == ["1.1"]


def test_a_release_is_rolled_back_in_the_middle(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    world.do(Action.SHIFT, "1.1", "1.0", 5, weight=50)
    assert world.do(Action.ROLL_BACK, "1.1", "1.0", 6).weights == {"1.0": 100}
    assert running(world) == ["1.0"]


def test_a_release_is_rolled_back_long_after_its_promotion(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    world.do(Action.PROMOTE, "1.1", "1.0", 5)
    assert running(world) == ["1.1"]
    assert world.do(Action.ROLL_BACK, "1.1", "1.0", 6).weights == {"1.0": 100}
    assert running(world) == ["1.0"]


def test_a_first_release_can_be_rolled_back_to_nothing(world: World) -> None:
    world.first("1.0")
    assert world.do(Action.ROLL_BACK, "1.0", None, 4).weights == {}
    assert running(world) == []


@pytest.mark.parametrize("action", list(Action))
def test_an_order_given_twice_changes_nothing_more(world: World, action: Action) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    once = world.do(action, "1.1", "1.0", 5, weight=40)
    twice = world.do(action, "1.1", "1.0", 5, weight=40)
    assert (twice.weights, twice.token) == (once.weights, once.token)
    assert {i.name for i in twice.instances} == {i.name for i in once.instances}


@pytest.mark.parametrize("action", list(Action))
def test_an_older_order_is_refused_and_changes_nothing(world: World, action: Action) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    before = world.do(Action.SHIFT, "1.1", "1.0", 9, weight=20)
    with pytest.raises(ActuationRefusedError, match="token 8"):
        world.do(action, "1.1", "1.0", 8, weight=90)
    after = world.look()
    assert (after.weights, after.token) == (before.weights, 9)
    assert {i.name for i in after.instances} == {i.name for i in before.instances}


def test_tokens_hold_after_amends_was_restarted(make: Make) -> None:
    make().first("1.0")
    world = make()
    assert world.look().token == 3
    with pytest.raises(ActuationRefusedError):
        world.do(Action.ROLL_BACK, "1.0", None, 2)
    assert world.look().weights == {"1.0": 100}


def test_tokens_of_one_environment_do_not_bind_another(world: World) -> None:
    world.first("1.0")
    assert world.deployer.observe(SERVICE, "staging").token == 0


def test_a_start_that_fails_says_why_hides_secrets_and_leaves_traffic_alone(world: World) -> None:
    world.first("1.0")
    with pytest.raises(ActuationFailedError, match="no such table: prices") as failed:
        world.do(Action.START, "broken", "1.0", 4)
    assert "hunter22" not in str(failed.value)
    assert world.look().weights == {"1.0": 100}
    assert running(world) == ["1.0"]


def test_a_start_that_hangs_is_ended(make: Make) -> None:
    make().first("1.0")
    world = make(patience=1.0)
    with pytest.raises(ActuationFailedError, match="1 s"):
        world.do(Action.START, "deaf", "1.0", 4)
    assert world.look().weights == {"1.0": 100}
    assert running(world) == ["1.0"]


def test_a_release_that_was_not_started_gets_no_traffic(world: World) -> None:
    world.first("1.0")
    for action, token in ((Action.SHIFT, 4), (Action.PROMOTE, 5)):
        with pytest.raises(ActuationFailedError, match="does not run"):
            world.do(action, "1.1", "1.0", token, weight=50)
    assert world.look().weights == {"1.0": 100}
