"""Small real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repo:
    """A small real repository with one author and steady dates."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        for who in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{who}_NAME": "Ana", f"GIT_{who}_EMAIL": "Ana@Example.com"}
            environment[f"GIT_{who}_DATE"] = "2026-03-02T10:00:00+01:00"
        return subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *words], cwd=self.path, env=environment, check=True,
            capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    def commit(self, title: str, **files: str) -> str:
        for name, text in files.items():
            place = self.path / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", title)
        return self.git("rev-parse", "HEAD")
