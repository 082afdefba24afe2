from __future__ import annotations

from pathlib import Path

import pytest

from amends.adapters.deployers.command import CommandDeployer
from amends.adapters.deployers.settings import CommandSettings
from amends.errors import ActuationFailedError, PolicyError
from amends.releases.actuation import Action, Actuation, Instance, ReleaseRef

OBSERVE = """echo '{"weights": {"1.1": 100}}'"""


def order(action: Action = Action.SHIFT, version: str = "1.1") -> Actuation:
    new, old = ReleaseRef("shop", version, "c0ffee", "sha256:1"), ReleaseRef("shop", "1.0", "beef")
    return Actuation(action, "shop", "production", "d1", new, old, 30, 7)


def deployer(root: Path, **commands: str) -> CommandDeployer:
    settings = CommandSettings(
        **{"observe": OBSERVE, **commands}, root=root, env={"SHOP_SECRET": "opensesame"}
    )  # type: ignore[arg-type]
    return CommandDeployer(settings, root / "run")


def test_a_command_is_told_everything_in_its_text_and_in_its_environment(tmp_path: Path) -> None:
    names = [
        "service",
        "environment",
        "version",
        "commit",
        "digest",
        "baseline",
        "baseline_commit",
        "weight",
        "token",
        "deployment",
    ]
    text = "echo " + " ".join(f"{{{n}}}" for n in names)
    variables = " ".join(f"$AMENDS_{n.upper()}" for n in names).replace(
        "AMENDS_TOKEN", "AMENDS_FENCING_TOKEN"
    )
    seen = deployer(tmp_path, weight=f"{text}; echo {variables}").actuate(order())
    said = "shop production 1.1 c0ffee sha256:1 1.0 beef 30 7 d1"
    assert seen.detail.splitlines() == [said, said]


def test_output_is_kept_without_secrets(tmp_path: Path) -> None:
    seen = deployer(tmp_path, weight="echo shifted; echo with $SHOP_SECRET >&2").actuate(order())
    assert seen.detail == "shifted\nwith •••"
    assert (seen.token, seen.weights) == (7, {"1.1": 100})


@pytest.mark.parametrize("missing", [{"weight": ""}, {"weight": "true", "observe": " "}])
def test_a_missing_command_is_an_error_of_the_policy_and_takes_no_token(
    tmp_path: Path, missing: dict[str, str]
) -> None:
    with pytest.raises(PolicyError, match=r"deploy\.command\.(weight|observe): there is no command"):
        deployer(tmp_path, **missing).actuate(order())
    assert deployer(tmp_path).observe("shop", "production").token == 0


@pytest.mark.parametrize(
    "printed",
    [
        "hello",
        "[]",
        '{"instances": []}',
        '{"weights": {"1.1": "all"}}',
        '{"weights": {"1.1": 101}}',
        '{"weights": {}, "instances": [{"version": "1.1"}]}',
        '{"weights": {}, "instances": [{"name": "a", "version": "1.1", "rady": false}]}',
    ],
)
def test_an_observation_that_cannot_be_read_is_no_observation(tmp_path: Path, printed: str) -> None:
    with pytest.raises(ActuationFailedError, match=r"deploy\.command\.observe"):
        deployer(tmp_path, observe=f"echo '{printed}'").observe("shop", "production")


def test_instances_are_read_as_they_are_reported(tmp_path: Path) -> None:
    instance = '{"name": "a", "version": "1.1", "alive": false, "ready": false}'
    report = f'{{"weights": {{"1.1": 5}}, "instances": [{instance}]}}'
    seen = deployer(tmp_path, observe=f"echo note >&2; echo '{report}'").observe("shop", "production")
    assert seen.instances == (Instance("a", "1.1", alive=False, ready=False),)


def test_a_command_that_fails_after_all_is_shown_with_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(ActuationFailedError, match=r"exit code 9:\nno quota"):
        deployer(tmp_path, weight="echo no quota; exit 9").actuate(order())


def test_a_success_that_cannot_be_confirmed_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(ActuationFailedError, match="no access"):
        deployer(tmp_path, weight="true", observe="echo no access; exit 1").actuate(order())
