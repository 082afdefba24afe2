"""What git says of a repository's past, in three calls: commits, what they touch, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from amends.adapters.codehost.calling import ask_git, call_git, failure

_FIELDS = ("%H", "%P", "%aE", "%ct", "%s", "%b")
_AT_ONCE = 4_000  # commits for which one call of git looks at what they touch
_NUMSTAT = re.compile(r"(\d+|-)\t(\d+|-)\t(.*)\Z", re.DOTALL)
MOST_PATHS = 2_000
"""A change that touches more keeps their number only: an event is no place for a whole tree."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. ``author`` is an e-mail address, by the repository's mailmap."""

    sha: str
    parents: tuple[str, ...]
    author: str
    at: datetime
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Touched:
    """What a commit changed against its first parent; ``lines`` is ``None`` where the clone cannot say."""

    paths: tuple[str, ...] = ()
    files: int = 0
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a commit; ``at`` is when it was made (of a lightweight one: when the commit was)."""

    name: str
    commit: str
    at: datetime


def read_commits(repo: Path, revisions: Sequence[str]) -> dict[str, Commit]:
    """Return the commits reachable from some revisions, parents before children.

    A committer's clock far out of range counts as the first moment of 1970, and is reported by its order.
    """
    words = ("log", "--reverse", "--topo-order", "-z", "--format=" + "%x00".join(_FIELDS), "--stdin")
    done = call_git(repo, *words, told="\n".join(revisions).encode())
    if done.returncode:
        raise failure(repo, words, done.stderr.decode("utf-8", "replace").strip())
    parts = done.stdout.decode("utf-8", "replace").split("\0")
    width = len(_FIELDS)
    rows = (parts[at : at + width] for at in range(0, len(parts) - width + 1, width))
    return {
        sha: Commit(sha, tuple(parents.split()), author.strip().lower(), _moment(at), title, body)
        for sha, parents, author, at, title, body in rows
    }


def read_touched(repo: Path, commits: Sequence[str], *, lines: bool) -> dict[str, Touched]:
    """Return what commits changed against their first parent: files and, with ``lines``, how many lines.

    Raises ``AmendsError`` where git cannot say, as in a clone without the files' content.
    """
    parts = [commits[at : at + _AT_ONCE] for at in range(0, len(commits), _AT_ONCE)]
    found: dict[str, Touched] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for part in pool.map(lambda these: _touched(repo, these, lines), parts):
            found |= part
    return found


def _touched(repo: Path, commits: Sequence[str], lines: bool) -> dict[str, Touched]:
    words = (
        "log", "--no-walk=unsorted", "--diff-merges=first-parent", "--no-renames", "--no-ext-diff",
        "--no-textconv", "--numstat" if lines else "--name-only", "-z", "--format=%x01%H", "--stdin",
    )  # fmt: skip
    done = call_git(repo, *words, told="\n".join(commits).encode())
    if done.returncode:
        raise failure(repo, words, done.stderr.decode("utf-8", "replace").strip())
    return dict(_entries(done.stdout.decode("utf-8", "replace"), lines))


def _entries(text: str, lines: bool) -> Iterator[tuple[str, Touched]]:
    for entry in text.split("\x01")[1:]:
        sha, *rest = entry.split("\0")
        parts = [part for part in (p.lstrip("\n") for p in rest) if part]
        if not lines:
            yield (
                sha.strip(),
                Touched(tuple(parts[:MOST_PATHS]) if len(parts) <= MOST_PATHS else (), len(parts)),
            )
            continue
        stats = [hit for part in parts if (hit := _NUMSTAT.match(part))]
        count = sum(int(number) for hit in stats for number in (hit[1], hit[2]) if number != "-")
        paths = tuple(hit[3] for hit in stats) if len(stats) <= MOST_PATHS else ()
        yield sha.strip(), Touched(paths, len(stats), count)


def read_tags(repo: Path, head: str = "") -> list[Tag]:
    """Return the tags of commits, oldest first; with ``head`` those of commits that it contains."""
    fields = ("refname:strip=2", "objecttype", "objectname", "*objecttype", "*objectname", "creatordate:unix")
    form = "%00".join(f"%({field})" for field in fields)
    merged = [f"--merged={head}"] if head else []
    text = ask_git(repo, "for-each-ref", "--sort=creatordate", f"--format={form}", *merged, "refs/tags")
    found = []
    for line in text.splitlines():
        name, kind, sha, inner_kind, inner, at = line.split("\0")
        commit = sha if kind == "commit" else inner if inner_kind == "commit" else ""
        if commit:
            found.append(Tag(name, commit, _moment(at)))
    return found


def is_shallow(repo: Path) -> bool:
    """Return whether the clone is cut off somewhere in the past."""
    return ask_git(repo, "rev-parse", "--is-shallow-repository").strip() == "true"


def is_partial(repo: Path) -> bool:
    """Return whether the clone fetches files' content only when it is asked for (``--filter=blob:none``)."""
    return call_git(repo, "config", "--get-regexp", r"^remote\..*\.promisor$").returncode == 0


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
