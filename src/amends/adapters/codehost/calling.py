"""Calling git itself: argument lists, a fixed language, no pager, no prompts, nobody's hooks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from amends.errors import AmendsError, UsageError

# Hooks and monitors of the user's repository must not run because amends looks at it.
_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "log.showSignature=false",
    "i18n.logOutputEncoding=UTF-8", "color.ui=false", "advice.detachedHead=false",
)  # fmt: skip
# A git hook that calls amends exports these; they would send git to another repository or index.
_ELSEWHERE = frozenset(
    {
        "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE",
        "GIT_EXTERNAL_DIFF",
    }
)  # fmt: skip


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without what points git at another repository."""
    return {name: value for name, value in environ.items() if name not in _ELSEWHERE}


def call_git(repo: Path, *words: str, told: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ``git -C repo words…`` and return it, whatever its exit code. ``told`` is what it reads.

    Raises ``UsageError`` when git is missing or ``repo`` is no directory.
    """
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    environment = clean_environment(os.environ) | {
        "LC_ALL": "C", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    try:
        return subprocess.run(
            ["git", "--no-pager", *settings, "-C", str(repo), *words],
            env=environment, input=told, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError(
            "git was not found on PATH",
            remedy="install git (Debian: apt-get install git), or give commits and changes by name",
        ) from None


def ask_git(repo: Path, *words: str) -> str:
    """Run git and return what it printed. Raises ``UsageError`` or ``AmendsError`` with what git said."""
    done = call_git(repo, *words)
    if done.returncode:
        raise failure(repo, words, done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8", "replace")


def failure(repo: Path, words: tuple[str, ...], said: str) -> AmendsError:
    """Return the error that git's own words amount to."""
    if "not a git repository" in said or "cannot change to" in said:
        return UsageError(
            f"{repo} is not inside a git repository",
            remedy="name a folder inside one, or record releases and changes by name",
        )
    if "dubious ownership" in said:
        return UsageError(
            f"git refuses {repo}: it belongs to another user",
            remedy=f"git config --global --add safe.directory {repo.resolve()}",
        )
    return AmendsError(f"git {words[0]} failed in {repo}: {said[-2000:] or 'it said nothing'}")
