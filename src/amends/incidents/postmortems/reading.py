"""Reads a post-mortem whole: blocks, sections, timeline, milestones, statements, contradictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo

from amends.incidents.postmortems import contradictions as against
from amends.incidents.postmortems.blocks import Block
from amends.incidents.postmortems.decoding import decode_document
from amends.incidents.postmortems.document import About, about
from amends.incidents.postmortems.entries import (
    Entry,
    Raw,
    dated_entries,
    raw_entries,
    tells_status,
    tells_times,
)
from amends.incidents.postmortems.episodes import accounts_in, main_episode
from amends.incidents.postmortems.facts import Contradiction, Postmortem, Reading, TimelineLine
from amends.incidents.postmortems.markdown import read_markdown, read_text
from amends.incidents.postmortems.markup import read_html
from amends.incidents.postmortems.narration import narrated
from amends.incidents.postmortems.picking import Line, lines_with_signs, pick, shifted
from amends.incidents.postmortems.prose import Stated, Window, field_readings, stated_durations, windows
from amends.incidents.postmortems.sections import Part, Sectioned, sectioned
from amends.incidents.postmortems.statements import read_actions, read_detection, read_rollback
from amends.incidents.postmortems.triggers import read_trigger
from amends.incidents.postmortems.weighing import reconciled, weigh

_MOST_CONTRADICTIONS = 50
_FIRST_WORDS = 300  # characters of an entry that are about its beginning


def read_postmortem(name: str, data: bytes, zone: tzinfo | None = None) -> Postmortem:
    """Return what a post-mortem says.

    ``name`` is the file's: its suffix tells HTML and Markdown from text, and a date in it is the last resort
    for times without one. ``zone`` is what times without a zone mean; without it they stay without.

    Raises nothing: a file of which nothing can be read gives a post-mortem without facts.
    """
    decoded = decode_document(data)
    parts = sectioned(blocks_of(name, decoded.text))
    doubts = (decoded.doubt,) if decoded.doubt else ()
    known = about(parts, name)
    accounts = accounts_in(parts)
    if len(accounts) > 1:
        return _several(parts, accounts, replace(known, zone=known.zone or zone), name, doubts)
    found = _one(parts, replace(known, zone=known.zone or zone))
    return replace(found, doubts=(*doubts, *found.doubts))


def blocks_of(name: str, text: str) -> list[Block]:
    """Return a document's blocks, by its suffix or else by how it begins."""
    suffix = name.rpartition(".")[2].lower()
    head = text[:2_000].lstrip().lower()
    if suffix in ("html", "htm", "xhtml") or head.startswith(("<!doctype html", "<html")):
        return read_html(text)
    return read_text(text) if suffix in ("txt", "text", "log") else read_markdown(text)


def _several(
    parts: Sequence[Sectioned],
    accounts: Sequence[Sequence[Sectioned]],
    known: About,
    name: str,
    doubts: tuple[str, ...],
) -> Postmortem:
    """Read each incident of a document by itself; what they share stands with the document."""
    read = []
    for account in accounts:
        own = about(account, name)
        own = replace(own, zone=own.zone or known.zone, day=own.day or known.day)
        read.append(_one(account, own))
    return Postmortem(
        known.title, known.title_line, {}, trigger=read_trigger(parts, known.title, ()), detection=None,
        rollback=read_rollback(parts, ended=False, repaired=""),
        action_items=read_actions(parts), parts=tuple(read),
        contradictions=tuple(c for one in read for c in one.contradictions)[:_MOST_CONTRADICTIONS],
        doubts=(*doubts, f"the document tells {len(read)} incidents; each is read by itself"),
    )  # fmt: skip


def _one(parts: Sequence[Sectioned], known: About) -> Postmortem:
    raws, told = _raws(parts)
    entries = dated_entries(raws, known.day, known.zone)
    if told:
        entries.sort(key=lambda e: e.earliest.replace(tzinfo=None))
    lines = lines_with_signs(main_episode(entries))
    stated, harm = stated_durations(parts), windows(parts, known)
    told_by_lines = pick(lines)
    picked = weigh(told_by_lines, lines, field_readings(parts, known), stated, harm)
    found = _mended(reconciled(picked, lines, stated))
    noticed = _line_of(lines, told_by_lines.get("detected"))
    return Postmortem(
        known.title, known.title_line, found,
        timeline=tuple(TimelineLine(e.earliest, e.latest, e.text, e.line) for e in entries),
        trigger=read_trigger(parts, known.title, _changes(lines, found)),
        detection=read_detection(parts, noticed),
        rollback=read_rollback(
            parts, ended=bool(entries) or "resolved" in found, repaired=_repaired(lines, found)
        ),
        action_items=read_actions(parts),
        contradictions=tuple(_contradictions(parts, known, entries, picked, stated, harm)),
        doubts=_doubts(raws, entries, known),
    )  # fmt: skip


def _raws(parts: Sequence[Sectioned]) -> tuple[list[Raw], bool]:
    """Return the timeline's lines: of its own part, else of anywhere, else of the prose (then true)."""
    own = raw_entries(x.block for x in parts if x.part is Part.TIMELINE)
    if len(own) > 1:
        return own, False
    outside = (Part.TALK, Part.ACTIONS, Part.LESSONS)
    anywhere = raw_entries(
        x.block for x in parts
        if x.part not in outside and (x.block.kind != "text" or tells_status(x.block) or tells_times(x.block))
    )  # fmt: skip
    if len(anywhere) > 2:
        return anywhere, False
    told = narrated([x for x in parts if x.part not in outside])
    return (told, True) if len(told) > len(own) else (own, False)


def _mended(found: Mapping[str, Reading]) -> dict[str, Reading]:
    """Give milestones that lie after what followed them as intervals; the contradiction is told, too."""
    mended = dict(found)
    for first, second in against.order_of(found):
        one, other = found[first], found[second]
        if first == "started" and one.at and other.low:
            mended[first] = shifted(
                one, earliest=min(one.at - timedelta(days=1), other.low), latest=other.low
            )
        elif second in mended and first != "started":
            mended.pop(second if one.confidence >= other.confidence else first, None)
    return mended


def _changes(lines: Sequence[Line], found: Mapping[str, Reading]) -> list[tuple[str, int]]:
    """Return the line where it began, and the last change up to then, or up to when it was noticed."""
    start = found.get("started")
    upto = start or found.get("detected")
    if upto is None or upto.high is None:
        return []
    known = [x for x in lines if x.entry.zoned == (upto.high.tzinfo is not None)]
    at = max((x.place for x in known if x.entry.earliest <= upto.high), default=-1)
    began = [x for x in lines if start and x.place == at]
    changed = [x for x in lines[: at + 1] if x.signs.change is not None and x.signs.over is None][-1:]
    return [
        (x.entry.text.replace("\n", " ")[:_FIRST_WORDS], x.entry.line)
        for x in dict.fromkeys([*began, *changed])
    ]


def _repaired(lines: Sequence[Line], found: Mapping[str, Reading]) -> str:
    """Return the last repair before it was over, as the timeline tells it; empty if it tells none."""
    end = found.get("mitigated") or found.get("resolved")
    upto = next((x.place for x in lines if end and x.entry.line == end.line), -1)
    done = [x for x in lines[: upto + 1] if x.signs.fixing is not None]
    return done[-1].entry.text.split("\n")[0] if done else ""


def _line_of(lines: Sequence[Line], one: Reading | None) -> tuple[str, int] | None:
    if one is None:
        return None
    text = next((x.entry.text for x in lines if x.entry.line == one.line), "")
    return (text.replace("\n", " "), one.line) if text else None


def _contradictions(
    parts: Sequence[Sectioned], known: About, entries: Sequence[Entry], found: Mapping[str, Reading],
    stated: Sequence[Stated], harm: Sequence[Window],
) -> list[Contradiction]:  # fmt: skip
    told = [
        *against.milestone_contradictions(found), *against.timeline_contradictions(entries),
        *against.duration_contradictions(found, stated, harm),
        *against.date_contradictions((known.title, known.title_line), entries, found, harm),
        *against.sentence_contradictions(parts), *against.prose_contradictions(parts, entries, found),
    ]  # fmt: skip
    unique = {(one.kind, one.lines): one for one in reversed(told)}
    return list(reversed(unique.values()))[:_MOST_CONTRADICTIONS]


def _doubts(raws: Sequence[Raw], entries: Sequence[Entry], known: About) -> tuple[str, ...]:
    doubts = []
    if raws and not entries:
        doubts.append(f"{len(raws)} timeline lines have no date, and the document names none")
    if entries and not all(entry.zoned for entry in entries):
        doubts.append("times have no zone, and the document names none")
    if entries and known.day_line == 0 and known.day and not any(entry.dated for entry in entries):
        doubts.append("the date is that of the file's name")
    return tuple(doubts)
