"""An incident as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from amends.application.incidents import IncidentView
from amends.incidents.caselines import VISIBILITY
from amends.incidents.condensing import condense
from amends.incidents.milestones import Milestone
from amends.incidents.nextmoves import RowCard
from amends.incidents.timeline import Knowledge
from amends.incidents.wording import say_range, say_time, short

_CITED = 8


def incident_text(view: IncidentView, *, full: bool = False) -> str:
    """Write an incident: milestones, the escape matrix with its sentences, factors, and the timeline.

    Runs of the same automatic entry are one line of it, unless ``full``.
    """
    timeline = partial(_timeline, full=full)
    parts = (_head, _milestones, _matrix, _around, _factors, timeline, _postmortem, _after)
    return "\n".join(line for part in parts for line in part(view))


def _head(view: IncidentView) -> Iterator[str]:
    opened = view.incident.opened
    yield f"{view.incident.id} ({view.incident.state}): {opened.summary}"
    yield f"{opened.service}@{opened.release or 'not recorded'} in {opened.environment}"
    yield from _standing(view)
    if view.quarantined:
        yield "The release is quarantined: it cannot be deployed again until the incident says otherwise."
    for statement in view.record.impact:
        yield f"  {statement.text}"


def _standing(view: IncidentView) -> Iterator[str]:
    incident = view.incident
    severity = f"Severity {incident.severity}; " if incident.severity else ""
    yield f"{severity}{VISIBILITY[incident.visibility]}"
    for duty in incident.duties:
        chosen = f" ({view.named[duty.person]})" if duty.person in view.named else ""
        yield f"  {duty.name}: {duty.team}{chosen}"
    if incident.merged_into:
        yield f"Merged into {incident.merged_into}, which tells of both."
    if incident.family:
        yield f"Holds what is recorded of {', '.join(sorted(incident.family))}, merged into it."
    if incident.opened.split_from:
        yield f"Split from {incident.opened.split_from}."
    if incident.split_into:
        yield f"Parts of it became {', '.join(incident.split_into)}."


def _milestones(view: IncidentView) -> Iterator[str]:
    yield "\nMilestones"
    for m in view.record.milestones:
        yield (
            f"  {m.name.replace('_', ' '):13} {when(m)} ({m.source})"
            if m.recorded
            else (f"  {m.name.replace('_', ' '):13} not recorded")
        )
    for d in view.record.durations:
        if not d.missing:
            yield f"  {d.name}: {say_range(d.low, d.high)} ({d.formula.replace('_', ' ')})"
    for one in view.record.contradictions:
        yield f"  contradiction: {one.text}"


def when(m: Milestone) -> str:
    """Write a milestone's time or interval."""
    if m.at:
        return say_time(m.at)
    if m.earliest and m.latest:
        return f"{say_time(m.earliest)} to {say_time(m.latest)}"
    return f"before {say_time(m.latest)}" if m.latest else f"after {say_time(m.earliest)}"


def _matrix(view: IncidentView) -> Iterator[str]:
    matrix = view.record.matrix
    yield "\nHow it got past each gate"
    if matrix.bypassed:
        yield "  The release was deployed without a pass of its gates."
    for card in view.cards:
        row = card.row
        place = f" ({row.environment})" if row.environment != view.incident.environment else ""
        yield f"  {row.gate + place:22} {row.state}{', observing' if row.observing else ''}"
        yield f"      {row.reason}"
        if row.events:
            yield f"      evidence: {', '.join(row.events[:4])}{' …' if len(row.events) > 4 else ''}"
        yield from _said(card)
    yield f"  {matrix.caught}"


def _said(card: RowCard) -> Iterator[str]:
    for answer in card.answers:
        yield f"      {answer.role}: {answer.words}"
    if card.row.question and not card.answers:
        yield f"      ? {card.row.question}"
    for move in card.moves[:1]:
        yield f"      next: {move.text}: {move.command}"


def _around(view: IncidentView) -> Iterator[str]:
    if view.around.origin:
        yield f"\nWhere it began\n  {view.around.origin.sentence}"
    for one in view.incident.neighbours:
        owner = f", {one.team} is to be told" if one.team else ", nobody recorded its owner"
        yield f"  {one.service} ({one.relation}): {one.reason}{owner}"
    for beside in view.around.beside:
        if beside.rows:
            yield f"\nHow {beside.near.service} {short(beside.release)} got past its gates"
        for row in beside.rows:
            yield f"  {row.gate:22} {row.state}: {row.reason}"


def _factors(view: IncidentView) -> Iterator[str]:
    yield "\nContributing factors"
    for one in view.record.factors:
        taken = " (withdrawn)" if one.withdrawn else ""
        yield f"  {one.factor.title}{taken}: {one.words} ({one.role}, event {one.event})"
    if not view.record.factors:
        yield f"  none named yet: amends incident factor {view.incident.id} FACTOR TEXT"


def _timeline(view: IncidentView, *, full: bool) -> Iterator[str]:
    yield "\nTimeline"
    marks = {Knowledge.LATER: " [learned later]", Knowledge.UNDATED: " [not dated]"}
    shown = condense(view.record.timeline, full=full)
    for line in shown:
        cited = ", ".join(event[:8] for event in line.events[:_CITED])
        if len(line.events) > _CITED:
            cited += f" and {len(line.events) - _CITED} more"
        yield f"  {say_time(line.at)}  {line.text}{marks.get(line.knowledge, '')}  {cited}"
    if len(shown) < len(view.record.timeline):
        yield f"  {len(view.record.timeline)} entries in {len(shown)} lines; each by itself: --full"


def _postmortem(view: IncidentView) -> Iterator[str]:
    told = view.postmortem
    if told is None:
        return
    yield f"\nWhat its post-mortem says ({told.file})"
    for one in told.excerpts:
        kind = f" ({one.kind.replace('_', ' ')})" if one.kind else ""
        done = ", done" if one.done else ""
        source = f"  {one.source}" if one.source else ""
        yield f"  {one.about}{kind}{done}: {one.text}{source}"


def _after(view: IncidentView) -> Iterator[str]:
    if view.revisions:
        latest = view.revisions[-1]
        yield f"\nReview: revision {latest.number}{', drafted from the record' if latest.drafted else ''}"
    for amendment in view.amendments:
        yield f"Amendment {amendment.id} ({amendment.state}): {amendment.proposed.title}"
