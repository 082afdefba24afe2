"""From commits to changes and releases: what reached a line, and which tag had it first.

A change is a commit on the first-parent line: of the branch, and of each release tag that lies beside it. A
merge
is one change, with all that it brought. A release has the changes of its tag's line that no earlier tag had.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from amends.adapters.histories.gitreading import Commit, Tag

_LEADING_V = re.compile(r"\Av(?=\d)", re.IGNORECASE)
# https://semver.org/#spec-item-9 and https://peps.python.org/pep-0440/: what comes before a release.
_PRE_RELEASE = re.compile(
    r"(?:[-_.]|(?<=\d))(?:rc|alpha|beta|dev|pre|preview|snapshot|nightly|canary|a(?=\d)|b(?=\d)|m(?=\d))[-_.]?\d*",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?:\A|[^a-z0-9])v?\d+(?:[._-]\d+)*", re.IGNORECASE)


@dataclass(slots=True)
class Unit:
    """A change: a commit of a line, with the commits that it brought when it is a merge."""

    commit: Commit
    brought: list[Commit] = field(default_factory=list)

    @property
    def sha(self) -> str:
        return self.commit.sha

    def messages(self) -> Iterator[Commit]:
        """Yield the commits whose messages speak of this change."""
        yield self.commit
        yield from self.brought


@dataclass(frozen=True, slots=True)
class TaggedRelease:
    """A release that a tag names; ``whole`` says that all its changes are known."""

    version: str
    tag: Tag
    changes: tuple[str, ...]
    whole: bool


class Line:
    """The changes of a history, in the order in which they came."""

    def __init__(self, commits: Mapping[str, Commit], head: str, tags: Sequence[Tag]) -> None:
        self._commits = commits
        self._seen: set[str] = set()
        self.units: dict[str, Unit] = {}
        self.carrier: dict[str, str] = {}
        for tip in (head, *(tag.commit for tag in tags)):
            self._add_line(tip)
        order = {sha: number for number, sha in enumerate(commits)}
        self.units = dict(sorted(self.units.items(), key=lambda item: order[item[0]]))
        self.order = order

    def _add_line(self, tip: str) -> None:
        chain = []
        while tip in self._commits and tip not in self.units:
            chain.append(tip)
            parents = self._commits[tip].parents
            tip = parents[0] if parents else ""
        for sha in reversed(chain):
            self._add_unit(self._commits[sha])

    def _add_unit(self, commit: Commit) -> None:
        unit = self.units[commit.sha] = Unit(commit)
        self.carrier[commit.sha] = commit.sha
        self._seen.add(commit.sha)
        open_ = [sha for sha in commit.parents[1:] if sha not in self._seen]
        while open_:
            sha = open_.pop()
            if sha in self._seen or sha not in self._commits:
                continue
            self._seen.add(sha)
            brought = self._commits[sha]
            self.carrier.setdefault(sha, commit.sha)
            if len(brought.parents) < 2:
                unit.brought.append(brought)
            open_.extend(brought.parents)

    def releases(self, tags: Sequence[Tag], *, shallow: bool) -> Iterator[TaggedRelease]:
        """Yield the releases of tags, oldest first, each with the changes that no earlier one had."""
        claimed: set[str] = set()
        for tag in tags:
            found, sha = [], tag.commit
            while sha in self.units and sha not in claimed:
                claimed.add(sha)
                found.append(sha)
                parents = self._commits[sha].parents
                sha = parents[0] if parents else ""
            whole = bool(sha) or not shallow
            yield TaggedRelease(version_of(tag.name), tag, tuple(reversed(found)), whole)


def version_of(tag: str) -> str:
    """Return the version that a tag names: without a leading ``v``."""
    return _LEADING_V.sub("", tag)


def choose_tags(tags: Sequence[Tag], patterns: Collection[str]) -> tuple[list[Tag], int, int]:
    """Return the tags that are releases, how many are pre-releases, and how many look like no version.

    With ``patterns`` (as a shell's) those count that match one; otherwise those that hold a version and are
    no pre-release. The first tag of a version counts.
    """
    if patterns:
        return [t for t in tags if any(fnmatchcase(t.name, one) for one in patterns)], 0, 0
    versions = [tag for tag in tags if _VERSION.search(tag.name)]
    final = [tag for tag in versions if not _PRE_RELEASE.search(tag.name)]
    return final, len(versions) - len(final), len(tags) - len(versions)
