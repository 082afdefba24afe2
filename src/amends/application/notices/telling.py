"""Telling an audience: what it would read and cost, sending it, keeping it for the digest."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from amends.application.log import Log
from amends.application.notices.office import Desk, Office, open_incident_desk, read_statements, read_thread
from amends.errors import EventConflictError, NotAllowedError, NotFoundError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.reviews.audiences.price import Attention, price, say_hours
from amends.reviews.audiences.rendering import Text, render
from amends.reviews.notices.outbox import DeliveryState, Notice, Thread
from amends.reviews.notices.statements import Statement

SOURCE = "/amends/notices"
"""One source for all processes, so that the ids of what may be said once only meet in the store."""

_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Preview:
    """What an audience would read, with its price now and as a line of the digest.

    ``last`` is the revision that it was told last, if any; ``same`` says that this one adds nothing to it.
    ``held`` says what keeps it from being sent.
    """

    audience: str
    kind: str
    text: Text
    price: Attention
    digest_price: Attention
    channels: tuple[str, ...]
    last: Notice | None = None
    same: bool = False
    held: str = ""

    @property
    def offer(self) -> str:
        """Say what it costs and what waiting would. Customers are owed their words: those do not wait."""
        if self.kind == "customers":
            return f"now: {self.price.sentence}"
        waits = f"in the weekly digest: {self.digest_price.sentence}"
        now, later = self.price.hours, self.digest_price.hours
        if now is not None and later is not None and now > later:
            waits += f", {say_hours(now - later)} less"
        return f"now: {self.price.sentence}; {waits}"


def preview(office: Office, incident: str, audience: str, *, desk: Desk | None = None) -> Preview:
    """Return what an audience would read. Raises ``NotFoundError`` for an unknown incident or audience."""
    declared = office.audience(audience)
    desk = desk or open_incident_desk(office, incident)
    text = render(desk.story, declared.kind, desk.redactor)
    held = ""
    if declared.kind == "customers":
        text, held = _approved(office, incident, text)
    thread = read_thread(office.log, incident, audience)
    last, pace = thread.latest, office.policy.words_per_minute
    same = last is not None and (last.said.subject, last.said.text) == (text.subject, text.body)
    return Preview(
        audience, declared.kind, text,
        price(f"{text.subject} {text.body}", declared.people, words_per_minute=pace),
        price(f"{text.subject} {text.brief}", declared.people, words_per_minute=pace),
        office.channels(audience), last, same, held,
    )  # fmt: skip


def _approved(office: Office, incident: str, drafted: Text) -> tuple[Text, str]:
    approved = [one for one in read_statements(office.log, incident) if one.approved_at]
    if approved:
        return statement_text(approved[-1]), ""
    return drafted, "customers are told nothing that a management role has not approved"


def statement_text(statement: Statement) -> Text:
    """Return a statement as customers read it."""
    body = statement.text.strip() + "\n"
    return Text(statement.title.strip(), body, body.split("\n\n", 1)[0])


def send(
    office: Office, incident: str, audience: str, *, role: str = "", occasion: str = "asked",
    desk: Desk | None = None,
) -> Notice | None:  # fmt: skip
    """Put what an audience is told into the outbox; ``None`` when its last revision says the same already.

    Raises ``NotAllowedError`` for customers while no statement is approved.
    """

    read = desk or open_incident_desk(office, incident)

    def decide(thread: Thread) -> p.NoticeIntended | None:
        said = preview(office, incident, audience, desk=read)
        if said.held:
            raise NotAllowedError(
                said.held,
                remedy=f"write and approve one: `amends notice statement {incident} --draft`, then `amends "
                f"notice approve {incident} --role ROLE`",
            )
        last = thread.latest
        if last and (last.said.subject, last.said.text) == (said.text.subject, said.text.body):
            return None
        found = office.audience(audience)
        return p.NoticeIntended(
            topic=incident, audience=audience, kind=found.kind,
            revision=last.said.revision + 1 if last else 1,
            subject=said.text.subject, text=said.text.body, channels=said.channels, words=said.price.words,
            seconds_each=round(said.price.seconds_each, 3), people=found.people, occasion=occasion,
            incident=incident, service=read.story.incident.service, role=role,
        )  # fmt: skip

    return intend(office.log, incident, audience, decide)


def intend(
    log: Log, topic: str, audience: str, decide: Callable[[Thread], p.NoticeIntended | None]
) -> Notice | None:
    """Record an intention on the thread as it is now; decide again when somebody else was quicker."""
    for _ in range(_ATTEMPTS):
        thread = read_thread(log, topic, audience)
        said = decide(thread)
        if said is None:
            return None
        try:
            log.record(
                "notice.intended", said, id=event_id("intended", topic, audience, said.revision),
                source=SOURCE, expected=thread.version,
            )  # fmt: skip
        except (VersionConflictError, EventConflictError):
            continue
        return read_thread(log, topic, audience).notice(said.revision)
    raise VersionConflictError(f"others keep writing about {topic}", remedy="try again")


def event_id(*parts: object) -> str:
    """Return the id of an event that may exist once only, whoever writes it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["amends:notices", *map(str, parts)])))


def defer(
    office: Office, incident: str, audience: str, *, role: str = "", occasion: str = "asked",
    desk: Desk | None = None,
) -> bool:  # fmt: skip
    """Keep what an audience is told for the weekly digest; return whether that is new.

    Raises ``NotAllowedError`` for customers: what they are owed does not wait for a digest.
    """
    found = office.audience(audience)
    if found.kind == "customers":
        raise NotAllowedError(
            "customers are told by a statement, not by a digest",
            remedy=f"`amends notice statement {incident} --draft`",
        )
    desk = desk or open_incident_desk(office, incident)
    text = preview(office, incident, audience, desk=desk).text
    said = p.NoticeDeferred(
        topic=incident, audience=audience, kind=found.kind, subject=text.subject, text=text.brief,
        occasion=occasion, incident=incident, service=desk.story.incident.service, role=role,
    )  # fmt: skip
    for _ in range(_ATTEMPTS):
        thread = read_thread(office.log, incident, audience)
        if any(one.text == said.text and one.occasion == occasion for _, _, one in thread.waiting):
            return False
        try:
            office.log.record("notice.deferred", said, source=SOURCE, expected=thread.version)
        except VersionConflictError:
            continue
        return True
    raise VersionConflictError(f"others keep writing about {incident}", remedy="try again")


def retry(log: Log, topic: str, audience: str, channel: str, *, role: str) -> Notice:
    """Have what a channel refused for good tried again. Raises ``NotFoundError`` where nothing was."""
    if not role.strip():
        raise UsageError("no role was given", remedy="say in which role you ask: --role ROLE")
    for notice in reversed(read_thread(log, topic, audience).notices):
        one = notice.delivery(channel)
        if one and one.state is DeliveryState.REFUSED:
            said = notice.said
            log.record("notice.retried", p.NoticeRetried(
                topic=topic, audience=audience, revision=said.revision, channel=channel, role=role,
                incident=said.incident, service=said.service,
            ))  # fmt: skip
            return notice
    raise NotFoundError(
        f"{channel} has refused nothing for {audience} about {topic}", remedy="see `amends notice outbox`"
    )
