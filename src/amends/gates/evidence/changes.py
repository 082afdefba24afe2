"""Changes of the release, what they touch, and the verdicts on them."""

from __future__ import annotations

import re
from typing import Any

from amends.events import payloads as p
from amends.gates.evidence.facts import Seen
from amends.gates.evidence.row import Row
from amends.gates.table import (
    APPROVED,
    CHANGES_REQUESTED,
    Changes,
    Owners,
    Paths,
    Verdicts,
    team_name,
)

_PSEUDONYM = re.compile(r"p-[0-9a-f]{12}")


def fill_changes(row: Row) -> None:
    """Add each change that the release names, in its order, with paths, owners and latest verdicts."""
    mine = set(row.changes)

    def wanted(said: Any) -> bool:
        return said.change in mine and row.of_service(said)

    merged = {seen.payload.change: seen for seen in row.facts("changes", wanted, "change.merged")}
    verdicts: dict[str, dict[str, Seen]] = {change: {} for change in row.changes}
    for seen in row.facts("reviews", wanted, "change.reviewed"):
        if seen.payload.verdict != "commented":
            verdicts[seen.payload.change][seen.payload.reviewer] = seen
    for change in row.changes:
        item = _change(row, change, merged.get(change))
        for seen in verdicts[change].values():
            _verdict(row, item, seen)


def _change(row: Row, change: str, merged: Seen | None) -> int:
    said = merged.payload if merged else p.ChangeMerged(service="", change=change)
    paths = tuple(dict.fromkeys(said.paths))
    files = said.files if said.files is not None else len(paths) or -1
    item = row.add(
        Changes, change=change, author=said.author, merged=merged is not None,
        owned=said.owners is not None, event=merged.id if merged else "",
        reviews_known="reviews" not in said.unrecorded,
        lines=-1 if said.lines is None else said.lines, files=files,
    )  # fmt: skip
    for path in paths:
        row.add(Paths, item=item, path=path)
    for group, members in enumerate(said.owners or ()):
        for owner in members:
            row.add(
                Owners, item=item, group=group, owner=team_name(owner), team=not _PSEUDONYM.fullmatch(owner)
            )
    return item


def _verdict(row: Row, item: int, seen: Seen) -> None:
    said = seen.payload
    row.add(
        Verdicts, item=item, reviewer=said.reviewer, team=team_name(said.team),
        verdict=APPROVED if said.verdict == "approved" else CHANGES_REQUESTED, event=seen.id,
    )  # fmt: skip
