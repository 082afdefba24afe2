"""What a repository shows of itself: its name, its owning team, how its tests are run."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amends.adapters.codehost.git import CODEOWNERS_PLACES, GitHost
from amends.application.people import is_team, team_name
from amends.application.starting import Survey
from amends.errors import UsageError

Seen = tuple[str, str]
_NOTHING: Seen = ("", "")
# What npm writes when there is no test
_NO_TEST = "no test specified"


def survey_repository(folder: Path) -> Survey:
    """Look at a folder, and at git where it has one. Raises ``UsageError`` when there is no folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", remedy="name the repository with --repo DIR")
    notes: list[str] = []
    host = _host(folder, notes)
    if host and not host.ignores(folder / ".amends"):
        notes.append("add .amends/ to .gitignore: the log and its workings are no part of the repository")
    top = host.top() if host else folder.resolve()
    service, service_from = _first(folder, _pyproject_name, _package_name, _cargo_name, _go_name)
    team, team_from = _team(folder, host)
    test, test_from = _first(folder, _pytest, _tox, _npm, _go, _cargo, _make)
    return Survey(
        service=service or _slug(top.name) or "service", service_from=service_from, team=team,
        team_from=team_from, test=test, test_from=test_from, version=_version(host), notes=tuple(notes),
    )  # fmt: skip


def _first(folder: Path, *looks: Callable[[Path], Seen]) -> Seen:
    return next((seen for look in looks if (seen := look(folder))[0]), _NOTHING)


def _host(folder: Path, notes: list[str]) -> GitHost | None:
    try:
        host = GitHost(folder)
    except UsageError as error:
        notes.append(f"{error.message}: changes, owners and proofs need one; everything else works")
        return None
    try:
        host.resolve("HEAD")
    except UsageError:
        notes.append("the repository has no commit yet")
        return None
    return host


def _version(host: GitHost | None) -> str:
    tags = host.tags_at("HEAD") if host else ()
    return re.sub(r"\Av(?=\d)", "", tags[0]) if tags else ""


# --- the owning team ------------------------------------------------------------------------------------


def _team(folder: Path, host: GitHost | None) -> Seen:
    """Return the team that owns most files; only teams: a policy names no person."""
    counted: Counter[str] = Counter()
    if host and host.has_owners("HEAD"):
        for path in host.files("HEAD"):
            counted.update(team_name(owner) for owner in host.owners("HEAD", path) if is_team(owner))
        where = "CODEOWNERS: it owns most files"
    else:
        for place in CODEOWNERS_PLACES:
            words = _read(folder / place).split()
            counted.update(team_name(word) for word in words if is_team(word))
        where = "CODEOWNERS: it is named most often"
    if not counted:
        return _NOTHING
    return min(counted, key=lambda team: (-counted[team], team)), where


# --- names ----------------------------------------------------------------------------------------------


def _pyproject_name(folder: Path) -> Seen:
    found = _toml(folder / "pyproject.toml")
    poetry = _part(found.get("tool"), "poetry")
    return _named(_part(found, "project").get("name") or _part(poetry, "").get("name"), "pyproject.toml")


def _package_name(folder: Path) -> Seen:
    name = str(_json(folder / "package.json").get("name") or "")
    return _named(name.rpartition("/")[2], "package.json")


def _cargo_name(folder: Path) -> Seen:
    return _named(_part(_toml(folder / "Cargo.toml"), "package").get("name"), "Cargo.toml")


def _go_name(folder: Path) -> Seen:
    hit = re.search(r"^module\s+(\S+)", _read(folder / "go.mod"), re.MULTILINE)
    return _named(re.sub(r"/v\d+\Z", "", hit[1]).rpartition("/")[2] if hit else "", "go.mod")


def _named(name: Any, where: str) -> Seen:
    return (_slug(name), where) if isinstance(name, str) and _slug(name) else _NOTHING


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")


# --- tests ----------------------------------------------------------------------------------------------


def _pytest(folder: Path) -> Seen:
    if "pytest" in _part(_toml(folder / "pyproject.toml"), "tool"):
        return "pytest", "pyproject.toml"
    for name in ("pytest.ini", "conftest.py", "tests/conftest.py"):
        if (folder / name).is_file():
            return "pytest", name
    if any(folder.glob("test*/**/test_*.py")) or any(folder.glob("test_*.py")):
        return "pytest", "the files named test_*.py"
    return _NOTHING


def _tox(folder: Path) -> Seen:
    return ("tox", "tox.ini") if (folder / "tox.ini").is_file() else _NOTHING


def _npm(folder: Path) -> Seen:
    script = str(_part(_json(folder / "package.json"), "scripts").get("test") or "")
    return ("npm test", "package.json") if script and _NO_TEST not in script else _NOTHING


def _go(folder: Path) -> Seen:
    return ("go test ./...", "go.mod") if (folder / "go.mod").is_file() else _NOTHING


def _cargo(folder: Path) -> Seen:
    return ("cargo test", "Cargo.toml") if (folder / "Cargo.toml").is_file() else _NOTHING


def _make(folder: Path) -> Seen:
    has_target = re.search(r"^test\s*:(?!=)", _read(folder / "Makefile"), re.MULTILINE)
    return ("make test", "Makefile") if has_target else _NOTHING


# --- files, of which a broken one shows nothing -----------------------------------------------------------


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError:
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _part(found: Any, name: str) -> dict[str, Any]:
    part = found.get(name) if isinstance(found, dict) and name else found
    return part if isinstance(part, dict) else {}
