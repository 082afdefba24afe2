"""Statements to customers: drafted from the record, written by people, approved, published."""

from __future__ import annotations

from contextlib import suppress

from amends.application.log import Log
from amends.application.notices.office import Office, open_incident_desk, read_statements
from amends.application.notices.telling import SOURCE, event_id, send
from amends.application.record import require_incident
from amends.errors import EventConflictError, NotAllowedError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.reviews.audiences.rendering import render
from amends.reviews.notices.outbox import Notice
from amends.reviews.notices.statements import Statement, flaws, fold_statements, statement


def draft_statement(office: Office, incident: str) -> Statement:
    """Draft a statement from the record, unless there is one; return the latest.

    Times and states go in, nothing that was written for colleagues.
    """
    there = read_statements(office.log, incident)
    if there:
        return there[-1]
    desk = open_incident_desk(office, incident)
    text = render(desk.story, "customers", desk.redactor)
    said = p.StatementRevised(
        incident=incident, service=desk.story.incident.service, revision=1, title=text.subject,
        text=text.body, drafted=True,
    )  # fmt: skip
    # Where somebody was quicker, theirs counts.
    with suppress(VersionConflictError, EventConflictError):
        office.log.record(
            "statement.revised", said, id=event_id("statement", incident, 1), source=SOURCE, expected=0
        )
    return read_statements(office.log, incident)[-1]


def write_statement(office: Office, incident: str, title: str, text: str, *, role: str) -> Statement:
    """Save people's words as a new revision. It goes nowhere before it is approved.

    Raises ``UsageError`` with every line that is not the organisation's voice, or holds what customers do
    not read.
    """
    desk = open_incident_desk(office, incident)
    found = flaws(title, text, desk.redactor)
    if found:
        raise UsageError(
            "this cannot be said to customers: " + "; ".join(found),
            remedy="say 'we', say what customers met and what changes; name no person and nothing internal",
        )
    there = read_statements(office.log, incident)
    if there and (there[-1].title, there[-1].text) == (title, text):
        return there[-1]
    said = p.StatementRevised(
        incident=incident, service=desk.story.incident.service, revision=len(there) + 1, title=title.strip(),
        text=text, role=role,
    )  # fmt: skip
    version = office.log.store.version(f"statement/{incident}")
    if len(read_statements(office.log, incident)) != len(there):
        raise VersionConflictError(
            "somebody saved another revision meanwhile", remedy="read it, then save yours"
        )
    office.log.record("statement.revised", said, expected=version)
    return read_statements(office.log, incident)[-1]


def approve(office: Office, incident: str, *, role: str, number: int = 0) -> list[Notice]:
    """Approve a revision (the latest for 0) and tell every audience of customers; return what goes out.

    Raises ``NotAllowedError`` unless the role is one that ``notices.yaml`` lets approve, ``UsageError`` for
    words that are not the organisation's.
    """
    incident_found = require_incident(office.log, incident)
    if not office.policy.may_approve(role):
        raise NotAllowedError(
            f"found the role {role!r}; a statement is approved by: {', '.join(office.policy.approvers)}",
            remedy="ask one of them, or add the role to `approvers` in notices.yaml",
        )
    chosen = statement(read_statements(office.log, incident), number)
    found = flaws(chosen.title, chosen.text, open_incident_desk(office, incident).redactor)
    if found:
        raise UsageError(
            f"revision {chosen.number} cannot be said to customers: " + "; ".join(found),
            remedy=f"write it anew: `amends notice statement {incident} --title … --file FILE`",
        )
    said = p.StatementApproved(
        incident=incident, service=incident_found.service, revision=chosen.number, role=role
    )
    if chosen.approved_at is None:
        office.log.record("statement.approved", said)
    return publish(office, incident)


def publish(office: Office, incident: str) -> list[Notice]:
    """Tell every audience of customers the latest approved statement; what they were told is not repeated."""
    service = require_incident(office.log, incident).service
    sent = []
    for name, audience in office.policy.audiences.items():
        if audience.kind == "customers" and audience.concerns(service):
            notice = send(office, incident, name, occasion="statement")
            sent += [notice] if notice else []
    return sent


def published(log: Log) -> list[tuple[Statement, ...]]:
    """Return the approved revisions of every incident that has some, oldest first; newest incident first."""
    facts = log.facts(kinds=("statement.revised", "statement.approved"))
    by_incident: dict[str, list[object]] = {}
    for fact in facts:
        by_incident.setdefault(getattr(fact.payload, "incident", ""), []).append(fact)
    found = []
    for own in by_incident.values():
        approved = tuple(one for one in fold_statements(own) if one.approved_at)  # type: ignore[arg-type]
        if approved:
            found.append(approved)
    return sorted(found, key=lambda own: own[0].approved_at or own[0].at, reverse=True)
