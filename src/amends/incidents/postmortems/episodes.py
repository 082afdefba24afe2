"""Which incident a line belongs to, where a document tells of several, or of one that came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from amends.incidents.postmortems.cues import signs_of
from amends.incidents.postmortems.entries import Entry, raw_entries
from amends.incidents.postmortems.sections import Part, Sectioned
from amends.incidents.postmortems.times import days_in

_APART = timedelta(days=3)
_TIMES_LONGER = 5


def accounts_in(parts: Sequence[Sectioned]) -> list[list[Sectioned]]:
    """Return the parts of a document that each tell one incident: dated sibling headings with own timelines.

    One list, or none, for a document that tells one.
    """
    siblings: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for place, part in enumerate(parts):
        block = part.block
        if block.kind == "heading" and block.level < 7 and any(True for _ in days_in(block.text)):
            siblings.setdefault((block.level, tuple(h.line for h in block.path)), []).append(place)
    for (level, _), places in siblings.items():
        accounts = [_below(parts, place, level) for place in places]
        timed = [one for one in accounts if _has_own_timeline(one)]
        if len(timed) > 1:
            return timed
    return []


def _below(parts: Sequence[Sectioned], place: int, level: int) -> list[Sectioned]:
    found = [parts[place]]
    for part in parts[place + 1 :]:
        if part.block.kind == "heading" and part.block.level <= level:
            break
        found.append(part)
    return found


def _has_own_timeline(parts: Sequence[Sectioned]) -> bool:
    """A day of one incident's timeline begins with times, too; an incident has a heading for them."""
    begun = any(
        x.block.kind == "heading" and x.part is Part.TIMELINE and x.heading and x.heading.line == x.block.line
        for x in parts[1:]
    )  # fmt: skip
    return begun and len(raw_entries(x.block for x in parts if x.part is Part.TIMELINE)) > 1


def main_episode(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the lines up to a gap after which something else is told, and without what came long before.

    A gap of days that is several times as long as all before it parts a recurrence, or a follow-up, from the
    incident; a part in which nothing ended belongs to what follows.
    """
    groups: list[list[Entry]] = []
    for entry in entries:
        if groups and not _apart(groups[-1], entry):
            groups[-1].append(entry)
        else:
            groups.append([entry])
    if len(groups) < 2:
        return entries
    ended = [group for group in groups if any(signs_of(entry.text).over is not None for entry in group)]
    return ended[0] if ended else entries


def _apart(group: Sequence[Entry], entry: Entry) -> bool:
    if entry.zoned != group[-1].zoned:
        return False
    gap = entry.earliest - group[-1].latest
    span = group[-1].latest - group[0].earliest
    return gap >= _APART and gap > _TIMES_LONGER * span
