"""Fresh worktrees, outside the user's own tree, each with its own environment.

A worktree lives in ``<state>/<repository>/<host>-<pid>-<start>-<random>/tree``: the folder's name says which
process made it, so that what a killed process left is found and removed the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from amends.adapters.codehost.calling import ask_git, call_git, clean_environment
from amends.adapters.codehost.rehearsing import Rehearsals
from amends.adapters.codehost.running import run_command
from amends.application.ports import CommandResult
from amends.errors import UsageError

SETUP_TIMEOUT = 900.0
_NAME = re.compile(r"(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-")
# Of amends (a token among them), of an activated environment, and of a test run that amends is part of.
_NOT_INHERITED = re.compile(r"(AMENDS|PYTEST|COVERAGE|COV_CORE)_|(VIRTUAL_ENV|PYTHON(HOME|PATH|STARTUP))")


class GitWorktree:
    """A detached checkout of one commit. Use it as a context manager, or call ``close``.

    ``notes`` say what a reader of its results must know, for example that submodules are not checked out.
    """

    def __init__(self, repo: Path, home: Path, revision: str, python: str = "") -> None:
        self._repo = repo
        self._home = home
        self._interpreter = python or sys.executable
        self.revision = revision
        self.path = home / "tree"
        self.notes: tuple[str, ...] = ()

    @classmethod
    def make(
        cls, repo: Path, commit: str, *, state: Path | None = None, setup: Sequence[str] | None = None,
        python: str = "",
    ) -> GitWorktree:  # fmt: skip
        """Check ``commit`` out. See ``GitHost.worktree``."""
        room = _room(repo, state)
        clean_leftovers(repo, room)
        me = psutil.Process()
        home = Path(tempfile.mkdtemp(prefix=f"{_host()}-{me.pid}-{_milliseconds(me)}-", dir=room))
        tree = cls(repo, home, commit, python)
        try:
            ask_git(repo, "worktree", "add", "--quiet", "--force", "--detach", str(tree.path), commit)
            (home / "tmp").mkdir()
            if setup:
                tree._set_up(setup)
            tree.notes = _submodule_notes(tree.path)
        except BaseException:
            tree.close()
            raise
        return tree

    def write(self, path: str, text: str) -> None:
        """Write a file inside the worktree. Raises ``UsageError`` for a path that leads out of it."""
        place = (self.path / path).resolve()
        if not place.is_relative_to(self.path.resolve()):
            raise UsageError(
                f"found the path {path!r}, which leads out of the worktree",
                remedy="give a path relative to the repository, without ..",
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def beside(self, name: str, text: str) -> Path:
        """Write a file into the worktree's temporary folder and return its place."""
        place = self._home / "tmp" / Path(name).name
        place.write_bytes(text.encode("utf-8"))
        return place

    def run(self, command: Sequence[str], *, timeout: float) -> CommandResult:
        """Run a command there. ``python`` is the worktree's own, or the one that runs amends.

        Output is stdout and stderr together, its head and tail, at most 64 KB.
        """
        words = list(command)
        if words and words[0] in ("python", "python3"):
            words[0] = str(self._python())
        return run_command(
            words, folder=self.path, environment=self._environment(), timeout=timeout, started=self._mark
        )

    def rehearse(self) -> Rehearsals:
        """Return what makes attempts there, with the worktree's own Python."""
        return Rehearsals(
            str(self._python()), folder=self.path, environment=self._environment(), started=self._mark
        )

    def close(self) -> None:
        """Remove the worktree and what git knows of it, ending what runs there; harmless when done twice."""
        _end_running(self._home)
        _remove(self._repo, self._home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _python(self) -> Path:
        own = self._home / "venv" / "bin" / "python"
        return own if own.exists() else Path(self._interpreter)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in clean_environment(os.environ).items()
            if not _NOT_INHERITED.match(name)
        }  # fmt: skip
        source = self.path / "src"
        roots = [str(source)] if source.is_dir() else []
        return kept | {
            "PATH": os.pathsep.join([str(self._python().parent), kept.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join([*roots, str(self.path)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._home / "tmp"),
        }

    def _set_up(self, setup: Sequence[str]) -> None:
        make = [self._interpreter, "-m", "venv", str(self._home / "venv")]
        for command in (make, list(setup)):
            done = self.run(command, timeout=SETUP_TIMEOUT)
            if done.exit_code or done.timed_out:
                how = "did not end in time" if done.timed_out else f"ended with exit code {done.exit_code}"
                raise UsageError(
                    f"setting up a worktree of {self.revision[:12]}: `{shlex.join(command)}` {how}:\n"
                    f"{done.output[-2000:].strip()}",
                    remedy="mend the setup command in the policy, or check the commit out and try it by hand",
                )

    def _mark(self, group: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            text = f"{group} {_milliseconds(psutil.Process(group))}"
            (self._home / "running").write_text(text, encoding="ascii")


def clean_leftovers(repo: Path, room: Path) -> int:
    """Remove the worktrees of processes of this machine that are gone; return how many there were."""
    count = 0
    for home in sorted(room.iterdir()):
        hit = _NAME.match(home.name)
        if not hit or hit["host"] != _host() or _lives(int(hit["pid"]), int(hit["start"])):
            continue
        _end_running(home)
        _remove(repo, home)
        count += 1
    return count


def _end_running(home: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        group, start = (int(word) for word in (home / "running").read_text(encoding="ascii").split())
        if _lives(group, start):
            os.killpg(group, signal.SIGKILL)


def _remove(repo: Path, home: Path) -> None:
    # Not `worktree prune`: that would also drop what git knows of the user's own, perhaps unmounted, trees.
    call_git(repo, "worktree", "remove", "--force", "--force", str(home / "tree"))
    shutil.rmtree(home, ignore_errors=True)


def _room(repo: Path, state: Path | None) -> Path:
    base = state or Path(tempfile.gettempdir()) / f"amends-worktrees-{os.getuid()}"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base.stat().st_uid != os.getuid():
        raise UsageError(f"{base} belongs to another user", remedy="set TMPDIR to a folder of your own")
    room = base.resolve() / hashlib.sha256(str(repo.resolve()).encode()).hexdigest()[:12]
    room.mkdir(mode=0o700, exist_ok=True)
    return room


def _submodule_notes(tree: Path) -> tuple[str, ...]:
    entries = ask_git(tree, "ls-files", "-s", "-z").split("\0")
    listed = [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]
    names = [name for name in listed if not (tree / name / ".git").exists()]
    if not names:
        return ()
    return (f"submodules are not checked out: {', '.join(names)}",)


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _milliseconds(process: psutil.Process) -> int:
    return int(process.create_time() * 1000)


def _lives(pid: int, start: int) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(_milliseconds(process) - start) < 1000 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
