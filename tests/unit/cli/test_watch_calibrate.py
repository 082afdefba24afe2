"""`amends watch calibrate` on files: what it says, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from amends.cli.watch import app

POLICY = """\
service: shop
environments: [production]
watch:
  alpha: 0.05
  metrics:
    - {name: 5xx, events: e, total: t, direction: both, smallest_effect: 1.1}
"""


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred ticks of a baseline whose four instances have error rates that wander."""
    rng, level = np.random.default_rng(2), np.zeros(4)
    lines = ["time,arm,metric,kind,value,weight,segment,instance"]
    for tick in range(200):
        level = 0.9 * level + rng.normal(0, 0.3, 4)
        bad = rng.binomial(500, np.minimum(1, 0.03 * np.exp(level)))
        lines += [f"{10 * tick},baseline,5xx,count,{n},500,,pod-{i}" for i, n in enumerate(bad)]
    path = tmp_path_factory.mktemp("recorded") / "noisy.csv"
    path.write_text("\n".join(lines))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["calibrate", *(str(word) for word in words)])


def test_a_baseline_that_is_taken_back_too_often_exits_1(noisy: Path) -> None:
    found = run(noisy, "--dispersion", "1", "--runs", "6", "--format", "json")
    told = json.loads(found.output)
    assert (found.exit_code, told["runs"], told["split"]) == (1, 6, "instances")
    assert told["interval"][0] > told["alpha"]
    (row,) = told["metrics"]
    assert (row["metric"], row["false_rollbacks"]) == ("5xx", told["false_rollbacks"])
    assert row["dispersion"]["estimated"] > 5
    assert row["dispersion"]["divided_by"] == 1


def test_the_policy_and_its_alpha_are_followed_and_counts_divided(noisy: Path, tmp_path: Path) -> None:
    policy = tmp_path / "amends.yaml"
    policy.write_text(POLICY)
    found = run(noisy, "--policy", policy, "--runs", "4")
    assert found.exit_code == 0, found.output
    assert "4 watches of 8 min, the baseline halved by instance" in found.output
    assert "taken back 0 times of 4 (0.0%, 95% interval 0.0% to 60.2%)" in found.output
    assert "Nothing speaks against alpha 0.05" in found.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--runs", "0"), "--runs is 0"),
        (("--for", "-1"), "--for is -1"),
        (("--dispersion", "0.5"), "--dispersion is '0.5'"),
        (("--metric", "latency"), "no metric 'latency'"),
    ],
)
def test_what_makes_no_sense_is_refused(noisy: Path, words: tuple[str, ...], said: str) -> None:
    assert said in str(run(noisy, *words).exception)


def test_what_is_too_short_exits_4(noisy: Path) -> None:
    found = run(noisy, "--for", "90000")
    assert found.exit_code == 4
    assert "Nothing to run" in found.output


def test_a_table_without_rows_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,arm,metric,kind,value\n")
    found = run(tmp_path / "a.csv")
    assert "there is no row in it" in str(found.exception)
