"""Directories in which versions run: git worktrees of their own, or artifacts built elsewhere."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from amends.adapters.deployers.output import presentable
from amends.adapters.deployers.placeholders import fill_arguments
from amends.adapters.deployers.processes import CommandTimeoutError, ProcessId, clean_environment, run_command
from amends.adapters.deployers.settings import ProcessSettings
from amends.errors import ActuationFailedError, PolicyError
from amends.releases.actuation import ReleaseRef

_REVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,199}")


class Trees:
    """Makes, finds and prunes the directories of versions, under ``directory``."""

    def __init__(
        self,
        settings: ProcessSettings,
        directory: Path,
        *,
        keep_waiting: Callable[[], None] = lambda: None,
        on_start: Callable[[ProcessId], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._keep_waiting = keep_waiting
        self._on_start = on_start

    def prepare(self, release: ReleaseRef, environment: str) -> Path:
        """Return the directory in which ``release`` runs, checked out and prepared if it was not yet.

        Raises
        ------
        ActuationFailedError
            There is no such commit or artifact, or git or ``prepare`` failed; holds what it printed.
        """
        values = placeholder_values(release, environment)
        if self._settings.artifact:
            return self._artifact(release, values)
        if self._settings.repository is None:
            raise PolicyError(
                "the process deployer has neither a repository nor an artifact",
                where="deploy.process",
                remedy="state repository: . or artifact: dist/{version}",
            )
        commit = self._resolve(release)
        tree, marker = self._directory / commit, self._directory / f"{commit}.ready"
        if not (marker.exists() and tree.is_dir()):
            # Without its marker a tree was left half-made by someone who was killed.
            self._remove(commit)
            # Forced twice: git keeps a worktree locked while it is made, also when it was killed at that.
            add = ("worktree", "add", "--detach", "--force", "--force", "--quiet")
            self._git(release, *add, str(tree), commit)
            if self._settings.prepare:
                argv = fill_arguments(self._settings.prepare, values, "deploy.process.prepare")
                self._run(argv, tree, f"preparing {release}")
        marker.touch()
        return tree

    def prune(self, in_use: Iterable[str]) -> None:
        """Remove worktrees that no instance uses, except those used last."""
        used = set(in_use)
        idle = [m for m in self._directory.glob("*.ready") if str(self._directory / m.stem) not in used]
        idle.sort(key=lambda m: m.stat().st_mtime, reverse=True)
        for marker in idle[self._settings.keep_trees :]:
            self._remove(marker.stem)

    def remove_all(self) -> None:
        """Remove every worktree and git's own record of it."""
        if self._directory.exists():
            for tree in [p for p in self._directory.iterdir() if p.is_dir()]:
                self._remove(tree.name)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _artifact(self, release: ReleaseRef, values: dict[str, str]) -> Path:
        (name,) = fill_arguments(
            self._settings.artifact.replace(" ", "\\ "), values, "deploy.process.artifact"
        )
        path = (self._settings.repository or Path.cwd()).joinpath(name).absolute()
        if not path.is_dir():
            raise ActuationFailedError(
                f"the artifact of {release} is not there",
                where=str(path),
                remedy="build it, or correct deploy.process.artifact",
            )
        return path

    def _resolve(self, release: ReleaseRef) -> str:
        if not release.commit:
            raise ActuationFailedError(
                f"{release} names no commit, so its code cannot be checked out",
                remedy="record the release with its commit",
            )
        if not _REVISION.fullmatch(release.commit):
            raise ActuationFailedError(
                f"{release} has the commit {release.commit!r}, which is not a revision",
                remedy="record the release with its full commit hash",
            )
        return self._git(release, "rev-parse", "--verify", "--end-of-options", f"{release.commit}^{{commit}}")

    def _remove(self, commit: str) -> None:
        (self._directory / f"{commit}.ready").unlink(missing_ok=True)
        tree = self._directory / commit
        repository = self._settings.repository or _repository_of(tree)
        if tree.exists():
            # Renamed first: a tree half removed must never pass for a whole one.
            doomed = self._directory / f".{commit}.{time.monotonic_ns()}"
            tree.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        if repository is None:
            return
        # Ours alone, never prune: a worktree of the user's may be on a disk that is not there now.
        forget = ("worktree", "remove", "--force", "--force", str(tree))
        with suppress(ActuationFailedError):  # git does not know it when its making was cut short early
            self._run(_git_command(repository, *forget), self._directory, f"git worktree remove {commit}")

    def _git(self, release: ReleaseRef, *arguments: str) -> str:
        assert self._settings.repository is not None
        self._directory.mkdir(parents=True, exist_ok=True)
        argv = _git_command(self._settings.repository, *arguments)
        return self._run(argv, self._directory, f"git {arguments[0]} for {release}")

    def _run(self, argv: list[str], cwd: Path, what: str) -> str:
        try:
            done = run_command(
                argv,
                cwd=cwd,
                env=clean_environment({**self._settings.env, "GIT_TERMINAL_PROMPT": "0"}),
                timeout=self._settings.prepare_timeout,
                keep_waiting=self._keep_waiting,
                on_start=self._on_start,
            )
        except CommandTimeoutError as error:
            raise ActuationFailedError(
                f"{what} ran longer than {self._settings.prepare_timeout:g} s:\n{presentable(error.output)}",
                remedy="raise deploy.process.prepare_timeout, or make it faster",
            ) from error
        except OSError as error:
            raise ActuationFailedError(
                f"{what}: {argv[0]} cannot be started: {error.strerror or error}", remedy="install it"
            ) from error
        if done.code != 0:
            raise ActuationFailedError(
                f"{what} ended with {done.code}:\n{presentable(done.output)}",
                where=str(self._settings.repository or cwd),
                remedy="check that the repository has this commit (git fetch) and that the command works",
            )
        return done.stdout.strip()


def _git_command(repository: Path, *arguments: str) -> list[str]:
    # No hook of the repository may act on a checkout that its owner did not ask for.
    return ["git", "-C", str(repository.absolute()), "-c", "core.hooksPath=/dev/null", *arguments]


def _repository_of(tree: Path) -> Path | None:
    """Return the git directory to which a worktree belongs, as its ``.git`` names it."""
    try:
        named = (tree / ".git").read_text().removeprefix("gitdir: ").strip()
    except OSError:
        return None
    return Path(named).parent.parent


def placeholder_values(release: ReleaseRef, environment: str) -> dict[str, str]:
    """Return what the placeholders of ``run``, ``prepare`` and ``artifact`` stand for."""
    return {
        "python": sys.executable,
        "service": release.service,
        "environment": environment,
        "version": release.version,
        "commit": release.commit,
        "digest": release.digest,
    }
