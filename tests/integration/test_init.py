"""The first policy of a repository works, says what it guessed, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amends.adapters.codehost.survey import survey_repository
from amends.adapters.policyfile import load_policy
from amends.application.starting import Survey, draft_policy
from amends.bootstrap import check_policy
from tests.repositories import Repo


def test_a_repository_gets_a_working_policy(amends: Any, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "any-folder")
    repo.commit(
        "all", CODEOWNERS="* @org/shop-team @ana\n/docs/ @org/writers\n", docs__a="", src__a="", src__b="",
        **{"pyproject.toml": '[project]\nname = "shop"\n[tool.pytest.ini_options]\n'},
    )  # fmt: skip
    repo.git("tag", "v1.4.0")
    code, out, err = amends("init", "--repo", str(repo.path))
    assert (code, "add .amends/ to .gitignore" in err) == (0, True)
    policy = load_policy(repo.path / "amends.yaml").policy
    assert (policy.service, policy.team, policy.test) == ("shop", "shop-team", "pytest")
    assert [entry.kind for entry in policy.gates["production"]] == [
        "review", "tests", "sign_off", "soak", "window", "watchers",
    ]  # fmt: skip
    assert {entry.mode for entry in policy.gates["production"]} == {"observe"}
    assert "amends gate --service shop --release 1.4.0 --to production" in out
    assert "ana" not in (repo.path / "amends.yaml").read_text()

    (repo.path / "amends.yaml").write_text("mine")
    code, _, err = amends("init", "--repo", str(repo.path))
    assert (code, "--force" in err) == (2, True)
    assert (repo.path / "amends.yaml").read_text() == "mine"
    assert amends("init", "--repo", str(repo.path), "--force")[0] == 0
    assert load_policy(repo.path / "amends.yaml").policy.service == "shop"
    assert sorted(path.name for path in repo.path.glob(".amends*")) == []


def test_the_commands_that_init_names_work(amends: Any, tmp_path: Path) -> None:
    Repo(tmp_path / "shop").commit("all", a="")
    assert amends("init", "--repo", "shop")[0] == 0
    words = ("--policy", "shop/amends.yaml", "--repo", "shop")
    code, _, err = amends("record", "release", "0.1.0", *words)
    assert (code, "its commit is HEAD" in err) == (0, True)


def test_an_ignored_log_needs_no_note(amends: Any, tmp_path: Path) -> None:
    Repo(tmp_path / "shop").commit("all", **{".gitignore": ".amends/\n"})
    assert "gitignore" not in amends("init", "--repo", "shop")[2]


def test_outside_git_it_works_and_says_so(amends: Any, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    code, _, err = amends("init", "--repo", "shop")
    assert (code, "not inside a git repository" in err) == (0, True)
    assert load_policy(tmp_path / "shop/amends.yaml").policy.service == "shop"
    assert amends("init", "--repo", "nowhere")[0] == 2


@pytest.mark.parametrize(
    ("files", "service", "test"),
    [
        ({"package.json": '{"name": "@org/web", "scripts": {"test": "vitest"}}'}, "web", "npm test"),
        ({"package.json": '{"name": "web", "scripts": {"test": "echo no test specified"}}'}, "web", ""),
        ({"go.mod": "module example.com/pay/v2\n"}, "pay", "go test ./..."),
        ({"Cargo.toml": '[package]\nname = "pay"\n'}, "pay", "cargo test"),
        ({"Makefile": "test: all\n\techo\n"}, "folder", "make test"),
        ({"tox.ini": ""}, "folder", "tox"),
        ({"pyproject.toml": '[tool.poetry]\nname = "pay"\n', "tests/test_a.py": ""}, "pay", "pytest"),
        ({"pyproject.toml": "not toml ["}, "folder", ""),
    ],
)
def test_what_a_repository_shows(tmp_path: Path, files: dict[str, str], service: str, test: str) -> None:
    for name, text in files.items():
        place = tmp_path / "folder" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    seen = survey_repository(tmp_path / "folder")
    assert (seen.service, seen.test) == (service, test)


@pytest.mark.parametrize("name", ["on", "12", "a: b", "ü#1", "don't", 'say "x"', "shop"])
def test_any_name_makes_a_policy(name: str, tmp_path: Path) -> None:
    text = draft_policy(Survey(service=name, team=name, test=name))
    check_policy(text, tmp_path / "amends.yaml")
    (tmp_path / "amends.yaml").write_text(text)
    assert load_policy(tmp_path / "amends.yaml").policy.service == name
