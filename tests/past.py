"""Small pasts to import: a git repository with dates and authors of its own, tables, answers of GitHub."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class PastRepo:
    """A real repository whose clock moves an hour with each commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = START
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, who: str = "ana") -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{role}_NAME": who, f"GIT_{role}_EMAIL": f"{who}@example.com"}
            environment[f"GIT_{role}_DATE"] = self.at.isoformat()
        return subprocess.run(
            ["git", *words], cwd=self.path, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, message: str, *, who: str = "ana", file: str = "shop.py") -> str:
        self.at += timedelta(hours=1)
        place = self.path / file
        place.write_text(f"{message}\n{self.at}\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, who=who)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, message: str, *, who: str = "bo") -> str:
        self.at += timedelta(hours=1)
        self.git("merge", "-q", "--no-ff", "-m", message, branch, who=who)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        self.at += timedelta(hours=1)
        self.git("tag", "-a", "-m", name, name)


def write_csv(file: Path, *rows: Mapping[str, str]) -> Path:
    """Write rows as CSV, with the columns that any of them has."""
    import csv

    columns = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def pull(number: int, merged: str = "2026-03-02T10:00:00Z", **more: Any) -> dict[str, Any]:
    """Return a merged pull as the REST API gives it, with the fields that matter."""
    return {
        "number": number, "id": 1000 + number, "title": f"Change {number}", "body": None,
        "user": {"login": "Ana"}, "created_at": "2026-03-01T10:00:00Z", "merged_at": merged,
        "merge_commit_sha": sha(number), "head": {"sha": sha(100 + number)}, "base": {"ref": "main"}, **more,
    }  # fmt: skip


def sha(number: int) -> str:
    """Return a whole commit's name."""
    return f"{number:040x}"


def deployment(number: int, commit: str, at: str, environment: str = "production") -> list[dict[str, Any]]:
    """Return a deployment that succeeded, and its statuses."""
    url = f"https://api.github.com/repos/o/r/deployments/{number}"
    return [
        {"id": number, "sha": commit, "ref": "main", "environment": environment, "created_at": at,
         "statuses_url": f"{url}/statuses"},
        {"id": number * 10, "state": "in_progress", "created_at": at, "deployment_url": url, "environment":
        environment},
        {"id": number * 10 + 1, "state": "success", "created_at": at, "deployment_url": url, "environment":
        environment},
    ]  # fmt: skip


def write_json(file: Path, value: Any) -> Path:
    """Write a value as JSON."""
    file.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return file
