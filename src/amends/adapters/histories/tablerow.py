"""One row of a table of changes, read: each cell by itself, so that a broken one costs no other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeVar

from amends.adapters.histories.cells import CellError, read_count, read_text, read_time, read_truth
from amends.adapters.histories.tablereading import Row
from amends.application.history import Fault
from amends.application.people import normal_login

COLUMNS = (
    "change_id", "service", "release", "created_at", "merged_at", "deployed_at", "environment", "author",
    "reviewers", "approvals", "self_approved", "checks_passed", "files", "lines", "reverted_by",
    "reverted_at", "revert_reason", "incident_id",
)  # fmt: skip
"""The documented columns; all but the first may be missing, and what is missing is undecided."""

MOST_APPROVALS = 100
_NAMES = re.compile(r"[;,|\n]+")
_SPACED = re.compile(r"\s+")
_T = TypeVar("_T")


@dataclass(slots=True)
class Entry:
    """What a row says. ``None`` and empty: it does not. ``datable`` is false where its times contradict."""

    where: str
    change: str
    service: str
    release: str
    environment: str
    created: datetime | None = None
    merged: datetime | None = None
    deployed: datetime | None = None
    author: str = ""
    reviewers: tuple[str, ...] = ()
    approvals: int | None = None
    self_approved: bool | None = None
    checks: bool | None = None
    files: int | None = None
    lines: int | None = None
    reverted_by: str = ""
    reverted: datetime | None = None
    reason: str = ""
    incident: str = ""
    datable: bool = True
    revert_datable: bool = True
    faults: list[Fault] = field(default_factory=list)

    @property
    def known(self) -> datetime | None:
        """When what it says of the change was known: merged, else deployed; ``None`` where not stated."""
        return (self.merged or self.deployed) if self.datable else None

    @property
    def any_time(self) -> datetime | None:
        """Any moment of it, to place what nobody dated."""
        return self.merged or self.deployed or self.created or self.reverted

    @property
    def is_reverted(self) -> bool:
        """Whether anything says that it was reverted."""
        return bool(self.reverted_by or self.reverted or self.reason)

    @property
    def content(self) -> tuple[object, ...]:
        """All that it says, wherever it stands."""
        return tuple(
            getattr(self, name) for name in self.__slots__ if name not in ("where", "faults")
        )  # fmt: skip


def read_entry(row: Row, *, service: str, environment: str, zone: tzinfo | None) -> Entry | Fault:
    """Read a row; what cannot be read is in its faults and counts as missing. Without an id it is a fault."""
    cells = {name: read_text(cell) for name, cell in row.cells.items()}
    if not cells.get("change_id"):
        return Fault("no-change-id", row.where, "the row names no change; left out", "fill change_id")
    entry = Entry(
        where=row.where, change=cells["change_id"], service=cells.get("service") or service,
        release=cells.get("release", ""), environment=cells.get("environment") or environment,
        author=cells.get("author", ""), reason=cells.get("revert_reason", ""),
        reverted_by=cells.get("reverted_by", ""), incident=cells.get("incident_id", ""),
    )  # fmt: skip
    if not entry.service:
        return Fault(
            "no-service", row.where, "the row names no service; left out", "fill service, or give --service"
        )
    reading = _Reading(entry, cells)
    entry.created = reading.cell("created_at", lambda text: read_time(text, zone))
    entry.merged = reading.cell("merged_at", lambda text: read_time(text, zone))
    entry.deployed = reading.cell("deployed_at", lambda text: read_time(text, zone))
    entry.reverted = reading.cell("reverted_at", lambda text: read_time(text, zone))
    entry.approvals = reading.cell("approvals", _approvals)
    entry.self_approved = reading.cell("self_approved", read_truth)
    entry.checks = reading.cell("checks_passed", read_truth)
    entry.files = reading.cell("files", read_count)
    entry.lines = reading.cell("lines", read_count)
    _read_reviewers(entry, cells.get("reviewers", ""))
    _check_order(
        entry, revert_time_stated=bool(cells.get("reverted_at")), merge_stated=bool(cells.get("merged_at"))
    )
    return entry


class _Reading:
    def __init__(self, entry: Entry, cells: dict[str, str]) -> None:
        self._entry = entry
        self._cells = cells

    def cell(self, column: str, read: Callable[[str], _T]) -> _T | None:
        text = self._cells.get(column, "")
        if not text:
            return None
        try:
            return read(text)
        except CellError as error:
            message = f"{column}: {error}; taken as missing"
            self._entry.faults.append(Fault(error.fault, self._entry.where, message, error.remedy))
            return None


def _approvals(text: str) -> int:
    count = read_count(text)
    if count > MOST_APPROVALS:
        raise CellError(
            "not-a-number",
            f"found {count} approvals; believable are {MOST_APPROVALS} at most",
            "mend the cell",
        )
    return count


def _read_reviewers(entry: Entry, text: str) -> None:
    """Names, separated by semicolon, comma, bar or blanks; or a number, where only that is known."""
    if not text:
        return
    if text.replace(".0", "").isdecimal() and len(text) <= 4:
        if entry.approvals is None:
            entry.approvals = int(float(text))
        return
    parts = _NAMES.split(text) if _NAMES.search(text) or "<" in text else _SPACED.split(text)
    author = normal_login(entry.author)
    names = {normal_login(part): part.strip() for part in parts if part.strip()}
    entry.reviewers = tuple(name for login, name in names.items() if login and login != author)
    if author and author in names and entry.self_approved is None:
        entry.self_approved = True
    if names and not entry.reviewers and entry.approvals is None:
        entry.approvals = 0  # the author alone is named, so it is known that nobody else approved


def _check_order(entry: Entry, *, revert_time_stated: bool, merge_stated: bool) -> None:
    """Report times that run backwards: which of two is wrong nobody can know, so neither is relied on."""
    for fault in _backwards(entry):
        entry.faults.append(fault)
    if merge_stated and entry.merged is None:
        entry.datable = False  # a merge time that cannot be read may have been after the deployment
    if revert_time_stated and entry.reverted is None:
        entry.revert_datable = False


def _backwards(entry: Entry) -> Iterator[Fault]:
    began = entry.merged or entry.deployed
    if entry.created and began and entry.created > began:
        yield _fault(entry, "created_at", "after the change was merged or deployed; created_at is left out")
        entry.created = None
    if entry.merged and entry.deployed and entry.merged > entry.deployed:
        yield _fault(entry, "merged_at", "after deployed_at; what is known of the change stays undated")
        entry.datable = False
    if entry.reverted and began and entry.reverted < began:
        yield _fault(
            entry, "reverted_at", "before the change was merged or deployed; the revert stays undated"
        )
        entry.revert_datable = False


def _fault(entry: Entry, column: str, what: str) -> Fault:
    return Fault("time-runs-backwards", entry.where, f"{column} is {what}", "mend whichever time is wrong")


def unnamed(*parts: str) -> str:
    """Return a pseudonym for somebody whom a table counts without a name: nobody else's, always the same."""
    return "p-" + hashlib.sha256("\0".join(("somebody", *parts)).encode()).hexdigest()[:12]
