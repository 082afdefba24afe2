"""Should anyone apologise? Reads the record for ``reviews.apology``, and records nothing, ever."""

from __future__ import annotations

from amends.application.notices.office import Office, open_incident_desk
from amends.events import payloads as p
from amends.reviews.apology import Advice, advise


def apology_for(office: Office, incident: str) -> Advice:
    """Return the answer for an incident. Raises ``NotFoundError``, naming incidents there are."""
    desk = open_incident_desk(office, incident)
    roles = [
        f.payload.role or "a role"
        for f in desk.record.facts
        if f.kind == "incident.acknowledged" and isinstance(f.payload, p.IncidentMoved)
    ]
    return advise(
        desk.story, looked_after_by=roles[-1] if roles else "", published=bool(desk.story.incident.published)
    )
