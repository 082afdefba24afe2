"""`amends watch forecast` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amends.cli.main import app
from amends.errors import UsageError

POLICY = """\
service: shop
environments: [production]
gates: {production: []}
rollout: {steps: [{weight: 10, for: 10m}, {weight: 50, for: 10m}]}
watch:
  metrics:
    - {name: 5xx, events: 'e{code="500"}', total: e}
    - {name: latency, kind: latency, histogram: h}
deploy: {command: {promote: "true", rollback: "true", observe: "true"}}
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "amends.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["watch", "forecast", *words], catch_exceptions=True)


def test_what_is_stated_is_foretold(call) -> None:
    done = call("--rate", "600/min", "--errors", "0.5%")
    assert done.exit_code == 0
    assert "will most likely not be found" in done.stdout
    assert "--rate and --errors" in done.stdout
    data = json.loads(call("--rate", "10", "--errors", "0.005", "--format", "json").stdout)
    errors, latency = data["metrics"]
    assert [e["step"] for e in errors["effects"]] == [0, 0, 1]
    assert latency["effects"][-1]["effect"] == "2% of requests ×5"
    assert errors["effects"][0]["least"] < errors["effects"][0]["seconds"]


def test_what_nobody_knows_is_said_to_be_unknown(call) -> None:
    done = call()
    assert done.exit_code == 0
    assert "traffic is not known" in done.stdout
    assert "--rate" in done.stdout


@pytest.mark.parametrize("words", [("--rate", "many"), ("--rate", "0/s"), ("--errors", "110%")])
def test_what_is_no_number_is_refused(call, words: tuple[str, ...]) -> None:
    assert isinstance(call(*words).exception, UsageError)
