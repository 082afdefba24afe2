"""What a reader of another system's past says, and what it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal

from amends.events.payloads import Payload


@dataclass(frozen=True, slots=True)
class Told:
    """One fact.

    ``key`` with the kind makes it the same fact when it is told again. ``at`` is when it happened,
    ``known_at``
    when its source knew it: ``None`` where that is not stated, and what relies on it is then undecided.
    Persons in the payload are logins still. ``where`` is the place it was read from: ``file:line``, a commit.
    """

    kind: str
    payload: Payload
    key: tuple[str, ...]
    at: datetime
    known_at: datetime | None
    where: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be understood. ``fault`` is its short name, by which faults are counted."""

    fault: str
    where: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What whoever imports must know: what was ``assumed``, what was ``left out`` on purpose, a ``note``."""

    kind: Literal["assumed", "left out", "note"]
    text: str


Deployed = Literal["auto", "tags", "merges", "none"]


@dataclass(frozen=True, slots=True)
class GitPast:
    """A git repository's past.

    ``tags`` are patterns of release tags; none: all that look like a version. ``all_tags`` takes those beside
    the branch, too.
    """

    repo: Path
    service: str
    environment: str
    branch: str = "HEAD"
    deployed: Deployed = "auto"
    tags: Sequence[str] = ()
    all_tags: bool = False
    reviews_in_trailers: bool = False
    fixes_are_incidents: bool = True
    team: str = ""


@dataclass(frozen=True, slots=True)
class TablePast:
    """A table's past. ``columns`` maps documented names to those of the file; ``zone`` is for bare times."""

    file: Path
    service: str
    environment: str
    suite: str = "checks"
    zone: tzinfo | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    team: str = ""


@dataclass(frozen=True, slots=True)
class JUnitPast:
    """Past test runs. ``pattern`` finds ``{release}`` and ``{suite}`` in a report's path."""

    files: Sequence[Path]
    service: str
    release: str = ""
    suite: str = ""
    pattern: str = ""
    environment: str = "ci"
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class IcalPast:
    """Past shifts of a team, from its on-call calendars."""

    files: Sequence[Path]
    team: str
    role: str
    since: datetime | None
    until: datetime
    acknowledged: bool = False
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class GithubPast:
    """A GitHub repository's past, as its REST API wrote it."""

    paths: Sequence[Path]
    service: str
    reviews_complete: bool = False
    team: str = ""


@dataclass(frozen=True, slots=True)
class PostmortemPast:
    """Post-mortems written elsewhere. ``zone`` is what times mean in a document that names none."""

    files: Sequence[Path]
    service: str
    environment: str
    zone: tzinfo | None = None
    team: str = ""


Past = GitPast | TablePast | JUnitPast | IcalPast | GithubPast | PostmortemPast
