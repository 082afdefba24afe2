"""Reading from the log what the one meeting of a review is about."""

from __future__ import annotations

from typing import Any

from amends.application.actions import list_actions
from amends.application.agenda import agenda_for
from amends.application.approving import review_rules
from amends.application.discussing import read_discussion
from amends.application.log import Log
from amends.application.record import read_record
from amends.reviews.meeting import Meeting, Open, meeting_of
from amends.reviews.revisions import fold_revisions


def read_meeting(log: Log, incident: str) -> Meeting:
    """Return the agenda of an incident's meeting, who could be there, and its minutes. ``NotFoundError``."""
    record = read_record(log, incident)
    agenda, _ = agenda_for(log, record.incident, record.incident.names)
    revisions = fold_revisions(log.stream(f"incident/{incident}"))
    talk = read_discussion(log, incident, revisions, revisions[-1] if revisions else None)
    return meeting_of(
        Open(
            record.incident, record.facts, record.matrix, agenda, talk.sections,
            [one.comment for one in talk.placed], talk.minutes, list_actions(log, incident=incident),
            review_rules(log, record.incident.service),
        )
    )  # fmt: skip


def meeting_data(found: Meeting) -> dict[str, Any]:
    """Return a meeting as JSON-able values, as ``amends review agenda --format json`` prints it."""
    return {
        "points": [
            {
                "topic": point.key, "kind": point.kind, "text": point.text, "question": point.question,
                "events": list(point.events), "minutes": [one.said.text for one in point.minutes],
            }
            for point in found.points
        ],
        "attendance": [
            {"who": one.who, "kind": one.kind, "why": list(one.why)} for one in found.attendance
        ],
        "minutes": [one.said.text for one in found.minutes],
    }  # fmt: skip
