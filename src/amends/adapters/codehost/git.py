"""A git repository as a code host. Reads only: the user's tree, index, branches and stash stay untouched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from codeowners import CodeOwners

from amends.adapters.codehost.calling import ask_git, call_git
from amends.adapters.codehost.worktree import GitWorktree
from amends.application.ports import CommitInfo
from amends.errors import AmendsError, NotFoundError, UsageError

# GitHub's order (docs.github.com, "About code owners"), then GitLab's own place.
CODEOWNERS_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")

_FIELDS = ("%H", "%P", "%aE", "%cI", "%s", "%b")
_FORMAT = "--format=" + "".join(field + "%x00" for field in _FIELDS)
_NUMSTAT = re.compile(r"(\d+|-)\t(\d+|-)\t(.*)\Z", re.DOTALL)
_WHOLE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


class GitHost:
    """The git repository at (or around) a folder.

    Parameters
    ----------
    repo:
        A folder inside the repository.
    state:
        Where worktrees are made; a private folder under the system's temporary one when not given.
    setup:
        A command that prepares each worktree; see ``worktree``.
    python:
        The interpreter that worktrees use; the one that runs amends when not given.
    """

    def __init__(
        self, repo: Path, *, state: Path | None = None, setup: Sequence[str] | None = None, python: str = ""
    ) -> None:
        self.repo = repo
        self.state = state
        self.setup = setup
        self.python = python
        self.root = Path(ask_git(repo, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
        self._rules_of_commit = lru_cache(maxsize=4096)(self._find_rules)
        self._rules_of_blob = lru_cache(maxsize=256)(self._read_rules)

    def top(self) -> Path:
        """Return the top folder of the working tree (the repository itself where it is bare)."""
        done = call_git(self.repo, "rev-parse", "--show-toplevel")
        return Path(done.stdout.decode().strip()) if done.returncode == 0 else self.root

    def resolve(self, name: str) -> str:
        """Return the full commit of a revision.

        Raises ``NotFoundError`` that names the nearest tags and branches, or says that the clone is shallow.
        """
        done = call_git(
            self.repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        if done.returncode == 0 and name:
            return done.stdout.decode().strip()
        raise self._unknown(name)

    def commits(self, since: str, until: str, *, first_parent: bool = False) -> list[CommitInfo]:
        """Return commits reachable from ``until`` and not from ``since``, oldest first.

        ``since`` may be empty: from the beginning. With ``first_parent`` a merge is one change with all
        that it brought; otherwise each commit is one, and a merge has the paths in which it differs from
        every parent. Raises ``NotFoundError``, and ``UsageError`` where a shallow clone cuts the range.
        """
        last = self.resolve(until)
        span = f"{self.resolve(since)}..{last}" if since else last
        merges = ["--first-parent", "--diff-merges=first-parent"] if first_parent else ["--diff-merges=c"]
        text = ask_git(
            self.repo, "log", "--reverse", "--topo-order", "--no-renames", "--no-ext-diff", "--no-textconv",
            "--raw", "--numstat", "-z", *merges, _FORMAT, span, "--",
        )  # fmt: skip
        found = list(_read_log(text.split("\0"), combined=not first_parent))
        self._refuse_cut(span, {commit.sha for commit in found})
        return found

    def show(self, revision: str, path: str) -> str | None:
        """Return a file at a revision, or ``None`` where there is none."""
        done = call_git(self.repo, "cat-file", "blob", f"{self.resolve(revision)}:{path}")
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def owners(self, revision: str, path: str) -> tuple[str, ...]:
        """Return the owners that CODEOWNERS at a revision gives for a path.

        They are written ``@org/team``, ``@login`` or as an e-mail address.
        Raises ``UsageError`` with the file's name when CODEOWNERS cannot be read.
        """
        rules = self._rules(revision)
        return rules.of(path) if rules else ()

    def has_owners(self, revision: str) -> bool:
        """Return whether a revision has a CODEOWNERS file at all."""
        return self._rules(revision) is not None

    def tags_at(self, revision: str) -> tuple[str, ...]:
        """Return the tags that point at a revision, newest version first."""
        text = ask_git(self.repo, "tag", "--sort=-version:refname", "--points-at", self.resolve(revision))
        return tuple(text.split())

    def previous_tag(self, revision: str) -> str:
        """Return the nearest tag before a revision (not at it); empty when there is none."""
        done = call_git(
            self.repo, "describe", "--tags", "--abbrev=0", "--end-of-options", f"{self.resolve(revision)}^"
        )
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def contains(self, revision: str, commit: str) -> bool:
        """Return whether a commit is a revision or among its ancestors; an unknown commit is not."""
        done = call_git(self.repo, "merge-base", "--is-ancestor", "--", commit, self.resolve(revision))
        return done.returncode == 0

    def files(self, revision: str) -> tuple[str, ...]:
        """Return every path of a revision."""
        text = ask_git(self.repo, "ls-tree", "-r", "-z", "--name-only", "--full-tree", self.resolve(revision))
        return tuple(path for path in text.split("\0") if path)

    def ignores(self, path: Path) -> bool:
        """Return whether git leaves a folder out, whether it is there or not."""
        folder = f"{path.resolve()}/"
        return call_git(self.repo, "check-ignore", "--quiet", "--no-index", "--", folder).returncode == 0

    def worktree(self, revision: str, setup: Sequence[str] | None = None) -> GitWorktree:
        """Make a fresh detached worktree of a revision, outside the user's tree.

        ``setup`` is a command that prepares it (``["pip", "install", "-e", "."]``); it runs in a virtual
        environment of its own. Without it commands run with the interpreter that runs amends.
        Raises ``NotFoundError``, or ``UsageError`` with its output when ``setup`` fails.
        """
        return GitWorktree.make(
            self.root, self.resolve(revision), state=self.state, setup=setup or self.setup,
            python=self.python,
        )  # fmt: skip

    def _rules(self, revision: str) -> CodeOwnersRules | None:
        return self._rules_of_commit(revision if _WHOLE.match(revision) else self.resolve(revision))

    def _find_rules(self, commit: str) -> CodeOwnersRules | None:
        text = ask_git(self.repo, "ls-tree", "-z", "--full-tree", commit, "--", *CODEOWNERS_PLACES)
        entries = (entry.partition("\t") for entry in text.split("\0") if entry)
        blobs = {path: head.split()[2] for head, _, path in entries if " blob " in head}
        for place in CODEOWNERS_PLACES:
            if place in blobs:
                return self._rules_of_blob(blobs[place], f"{place} at {commit[:12]}")
        return None

    def _read_rules(self, blob: str, where: str) -> CodeOwnersRules:
        return CodeOwnersRules(ask_git(self.repo, "cat-file", "blob", blob), where)

    def _is_shallow(self) -> bool:
        return ask_git(self.repo, "rev-parse", "--is-shallow-repository").strip() == "true"

    def _refuse_cut(self, span: str, commits: set[str]) -> None:
        if not self._is_shallow():
            return
        edge = set((self.root / "shallow").read_text(encoding="ascii").split())
        if edge & commits:
            raise UsageError(
                f"{span} is not whole: this is a shallow clone, cut inside the range",
                remedy="git fetch --unshallow (in CI: fetch-depth: 0)", where=str(self.repo),
            )  # fmt: skip

    def _unknown(self, name: str) -> AmendsError:
        text = ask_git(
            self.repo, "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads", "refs/remotes"
        )
        names = text.split()
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        shown = near or names[-5:]
        known = f"; {'nearest' if near else 'it has'}: {', '.join(shown)}" if shown else ""
        remedy = "name a tag, branch or commit that `git log` shows"
        if not names:
            remedy = "make a first commit, or name another repository with --repo"
        if self._is_shallow():
            remedy = "this is a shallow clone: git fetch --unshallow --tags (in CI: fetch-depth: 0)"
        return NotFoundError(
            f"the repository has no revision {name!r}{known}", remedy=remedy, where=str(self.repo)
        )


class CodeOwnersRules:
    """One CODEOWNERS file. Raises ``UsageError`` when it has a pattern that is none."""

    def __init__(self, text: str, where: str) -> None:
        try:
            self._rules = CodeOwners(text)
        except (ValueError, re.error) as error:
            raise UsageError(
                f"CODEOWNERS cannot be read: {error}", where=where,
                remedy="mend the pattern; docs.github.com, \"About code owners\", has the syntax",
            ) from None  # fmt: skip

    def of(self, path: str) -> tuple[str, ...]:
        """Return the owners of a path."""
        return tuple(str(owner) for _, owner in self._rules.of(path))


def _read_log(tokens: list[str], *, combined: bool) -> Iterator[CommitInfo]:
    at = 0
    width = len(_FIELDS)
    while at + width <= len(tokens):
        sha, parents, email, moment, title, body = tokens[at : at + width]
        raw, stats, at = _read_files(tokens, at + width + 1)  # git ends the format with a NUL of its own
        if combined and len(parents.split()) > 1:
            # --numstat counts all files against the first parent here, whatever --diff-merges says;
            # --raw has those that differ from every parent.
            stats = {path: stats.get(path, 0) for path in raw}
        yield CommitInfo(
            sha=sha.strip(), title=title, body=body.strip(), author=email.strip().lower(),
            committed_at=datetime.fromisoformat(moment).astimezone(UTC),
            paths=tuple(stats), lines=sum(stats.values()),
            parents=tuple(parents.split()),
        )  # fmt: skip


def _read_files(tokens: list[str], at: int) -> tuple[list[str], dict[str, int], int]:
    """Return a commit's files by ``--raw``, their lines by ``--numstat``, and where the next begins."""
    raw: list[str] = []
    stats: dict[str, int] = {}
    if at + 1 < len(tokens) and not tokens[at]:
        at += 1  # before the counts of a merge stands an empty field
    while at < len(tokens):
        token = tokens[at].lstrip("\n")
        if token.startswith(":"):
            raw.append(tokens[at + 1])
            at += 2
        elif hit := _NUMSTAT.match(token):
            stats[hit[3]] = sum(int(n) for n in (hit[1], hit[2]) if n != "-")
            at += 1
        else:
            break
    return raw, stats, at
