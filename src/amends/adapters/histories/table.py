"""A table of changes: what each documented column becomes in the log (docs/reference/import-table.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from amends.adapters.histories.tablereading import Row, find_columns, open_table
from amends.adapters.histories.tablereleases import Releases
from amends.adapters.histories.tablerow import COLUMNS, Entry, read_entry, unnamed
from amends.application.history import Fault, Remark, TablePast, Told
from amends.errors import UsageError
from amends.events import payloads as p
from amends.incidents.reverts import judge_revert

_TIMES = ("merged_at", "deployed_at", "created_at")
_GIVE_A_TIME = f"give one of {', '.join(_TIMES)}"


@dataclass(slots=True)
class _Met:
    """What was met so far: rows, changes, reverts to tell at the end."""

    rows: dict[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)
    changes: dict[tuple[str, str], tuple[int, str, datetime | None]] = field(default_factory=dict)
    reverted: list[Entry] = field(default_factory=list)


class TableHistory:
    """Reads a CSV or Parquet file. Raises ``UsageError`` where it is no table or names no changes."""

    source = "/amends/import/table"

    def __init__(self, past: TablePast) -> None:
        self._past = past
        self._met = _Met()
        self._releases = Releases(past.suite, past.team)
        self._counts: Counter[str] = Counter()

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``."""
        past = self._past
        table = open_table(past.file)
        columns = find_columns(table.header, COLUMNS, past.columns, str(past.file))
        if "change_id" not in columns:
            raise UsageError(
                f"found no column change_id; the file has {', '.join(table.header)}",
                where=f"{past.file}:1", remedy="say which it is: --column change_id=NAME",
            )  # fmt: skip
        timed = any(name in columns for name in _TIMES)
        for row in table.rows(columns):
            if isinstance(row, Fault):
                yield row
            else:
                yield from self._row(row, timed=timed)
        yield from self._reverts()
        yield from self._releases.read()
        yield from self._remarks(list(table.header), columns)

    # --- rows -------------------------------------------------------------------------------------------

    def _row(self, row: Row, *, timed: bool) -> Iterator[Told | Fault]:
        past = self._past
        entry = read_entry(row, service=past.service, environment=past.environment, zone=past.zone)
        if isinstance(entry, Fault):
            yield entry
            return
        yield from entry.faults
        key = (entry.service, entry.change, entry.environment)
        print_ = hash(entry.content)
        first = self._met.rows.setdefault(key, (print_, entry.where))
        if first[1] != entry.where:
            self._counts["repeated"] += first[0] == print_
            if first[0] != print_:
                yield _told_twice(entry, first[1])
            return
        self._counts["no environment"] += not row.cells.get("environment") and entry.deployed is not None
        self._counts["no release"] += not entry.release
        if entry.any_time is None:
            self._counts["no time"] += not timed
            if timed:
                yield _no_time(entry)
            return
        yield from self._change_once(entry)
        self._releases.add(entry)
        if entry.is_reverted:
            self._met.reverted.append(entry)

    def _change_once(self, entry: Entry) -> Iterator[Told | Fault]:
        """Tell of a change at its first row; further ones, of other environments, must say the same of it."""
        about = hash(
            (entry.author, entry.reviewers, entry.approvals, entry.self_approved, entry.merged, entry.files)
        )
        key = (entry.service, entry.change)
        known = self._met.changes.get(key)
        if known is None:
            self._met.changes[key] = (about, entry.where, entry.known)
            yield from self._change(entry)
        elif known[0] != about:
            yield Fault(
                "told-twice", entry.where,
                f"it says otherwise of change {entry.change} than {known[1]}, whose account stays; the "
                f"deployment "
                "is imported", "give a change the same values in each of its rows",
            )  # fmt: skip

    def _change(self, entry: Entry) -> Iterator[Told]:
        approvals = self._approvals(entry)
        unrecorded = ["reviews"] if approvals is None else []
        if entry.self_approved is None:
            unrecorded.append("self_approval")
        author = entry.author
        if (
            not author and entry.approvals is not None
        ):  # the column counts approvals by others than the author
            author = unnamed(entry.service, entry.change, "author")
        merged = p.ChangeMerged(
            service=entry.service, change=entry.change, author=author, team=self._past.team,
            lines=entry.lines, files=entry.files, created=entry.created, unrecorded=tuple(unrecorded),
        )  # fmt: skip
        yield _told("change.merged", merged, (entry.service, entry.change), entry, entry.merged)
        said = list(approvals or ())
        if entry.self_approved and author:
            said.append((author, True))
        for reviewer, approved in said:
            review = p.ChangeReviewed(
                service=entry.service, change=entry.change, reviewer=reviewer,
                verdict="approved" if approved else "commented",
            )  # fmt: skip
            key = (entry.service, entry.change, reviewer.lower())
            yield _told("change.reviewed", review, key, entry, entry.merged)

    def _approvals(self, entry: Entry) -> list[tuple[str, bool]] | None:
        """Return who approved (or only reviewed), or ``None`` where nobody recorded that.

        Without a count the reviewers are who approved. A count says how many did: all reviewers when there
        are no more of them, and people without a name for the rest; where there are more, nobody knows which.
        """
        if entry.approvals is None:
            return [(name, True) for name in entry.reviewers] or None
        named = entry.reviewers if len(entry.reviewers) <= entry.approvals else ()
        nameless = entry.approvals - len(named)
        self._counts["nameless"] += nameless
        return [
            *((name, name in named) for name in entry.reviewers),
            *((unnamed(entry.service, entry.change, str(number)), True) for number in range(nameless)),
        ]

    # --- reverts ----------------------------------------------------------------------------------------

    def _reverts(self) -> Iterator[Told | Fault]:
        after = {
            (e.service, e.change): (e.service, e.reverted_by) for e in self._met.reverted if e.reverted_by
        }
        circular = set(_cycles(after))
        for entry in self._met.reverted:
            in_circle = (entry.service, entry.change) in circular
            if in_circle:
                yield Fault(
                    "cycle", entry.where,
                    f"change {entry.change} is reverted by {entry.reverted_by}, which goes back to "
                    f"{entry.change}; "
                    "that it was reverted is kept as uncertain, without time", "mend reverted_by",
                )  # fmt: skip
            yield self._revert(entry, in_circle)

    def _revert(self, entry: Entry, in_circle: bool) -> Told:
        judged = judge_revert(entry.reason)
        reverter = self._met.changes.get((entry.service, entry.reverted_by))
        at = entry.reverted or (reverter[2] if reverter else None)
        known = at if entry.revert_datable and not in_circle else None
        payload = p.ChangeReverted(
            service=entry.service, change=entry.change, by=entry.reverted_by, reason=entry.reason,
            classified="uncertain" if in_circle else judged.classified, rule="cycle" if in_circle else
            judged.rule,
        )  # fmt: skip
        key = (entry.service, entry.change, entry.reverted_by)
        moment = at or entry.any_time
        assert moment is not None
        return Told("change.reverted", payload, key, moment, known, entry.where)

    # --- said at the end --------------------------------------------------------------------------------

    def _remarks(self, header: list[str], columns: dict[str, int]) -> Iterator[Remark]:
        counts, past = self._counts, self._past
        if counts["no environment"]:
            yield Remark(
                "assumed",
                f"{counts['no environment']} deployments name no environment and are taken for "
                f"{past.environment} "
                "(--env NAME says another)",
            )
        if counts["no release"]:
            yield Remark(
                "assumed", f"{counts['no release']} changes name no release: each is a version of its own"
            )
        if counts["no time"]:
            yield Remark(
                "left out",
                f"{counts['no time']} changes, as nothing in the table says when they were; {_GIVE_A_TIME}",
            )
        unused = [name for at, name in enumerate(header) if at not in columns.values()]
        if unused:
            yield Remark("left out", f"columns that are not documented: {', '.join(unused)}")
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            yield Remark("note", f"not in the table: {', '.join(missing)}; what rests on them is undecided")
        if counts["repeated"]:
            yield Remark("note", f"{counts['repeated']} rows repeat an earlier one and count once")
        if counts["nameless"]:
            yield Remark("note", f"{counts['nameless']} approvals are counted without a name")
        yield from self._releases.remarks()


def _told(kind: str, payload: p.Payload, key: tuple[str, ...], entry: Entry, at: datetime | None) -> Told:
    moment = at or entry.any_time
    assert moment is not None
    return Told(kind, payload, key, entry.known or moment, entry.known, entry.where)


def _no_time(entry: Entry) -> Fault:
    return Fault(
        "no-time", entry.where, f"change {entry.change} has no time that can be read; left out", _GIVE_A_TIME
    )


def _told_twice(entry: Entry, first: str) -> Fault:
    return Fault(
        "told-twice", entry.where,
        f"change {entry.change} in {entry.environment} stands in {first} already, with other values; that "
        f"row stays",
        "give each change and environment one row",
    )  # fmt: skip


def _cycles(after: dict[tuple[str, str], tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield every change that lies on a circle of reverts; each has at most one that reverts it."""
    done: set[tuple[str, str]] = set()
    for start in after:
        path: dict[tuple[str, str], int] = {}
        here: tuple[str, str] | None = start
        while here is not None and here not in path and here not in done:
            path[here] = len(path)
            here = after.get(here)
        if here is not None and here in path:
            yield from list(path)[path[here] :]
        done |= set(path)
