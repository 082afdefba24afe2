"""Where notices are made: the log, what ``notices.yaml`` declares, and one record read for all audiences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from amends.amendments.amendment import Amendment, fold_amendments
from amends.amendments.pricetag import cost_sentence
from amends.application.log import Log
from amends.application.notices.courier import Courier
from amends.application.ports import People
from amends.application.record import IncidentRecord, read_record
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.audiences.redaction import Redactor, redactor
from amends.reviews.audiences.settings import WEB, Audience, NoticePolicy
from amends.reviews.audiences.story import Mend, Story
from amends.reviews.notices.outbox import Thread, fold_thread
from amends.reviews.notices.statements import Statement, fold_statements, stands

_PERSONS = ("author", "reviewer", "person")


@dataclass(frozen=True, slots=True)
class Office:
    """Where notices are made and handed over.

    ``people`` maps pseudonyms to logins, so that neither gets out; ``courier_for`` gives a channel's courier.
    """

    log: Log
    policy: NoticePolicy
    people: People
    courier_for: Callable[[str], Courier]

    def audience(self, name: str) -> Audience:
        """Return a declared audience. Raises ``NotFoundError``, naming those there are."""
        found = self.policy.audiences.get(name)
        if found is not None:
            return found
        raise NotFoundError(
            f"found no audience {name!r}; there are: {', '.join(sorted(self.policy.audiences))}",
            remedy="name one of them, or declare it in notices.yaml",
        )

    def channels(self, name: str) -> tuple[str, ...]:
        """Return an audience's channels; the server's own pages come first, always."""
        return tuple(dict.fromkeys((WEB, *self.audience(name).channels)))


def read_thread(log: Log, topic: str, audience: str) -> Thread:
    """Return what one audience is told about one topic."""
    return fold_thread(log.stream(f"notice/{topic}/{audience}"))


def read_statements(log: Log, incident: str) -> tuple[Statement, ...]:
    """Return the revisions of an incident's statement."""
    return fold_statements(log.stream(f"statement/{incident}"))


@dataclass(frozen=True, slots=True)
class Desk:
    """One incident on the desk: its record, its story, and what is left out of every text about it."""

    record: IncidentRecord
    story: Story
    redactor: Redactor


def open_incident_desk(office: Office, incident: str) -> Desk:
    """Read an incident once for all audiences. Raises ``NotFoundError``, naming incidents there are."""
    record = read_record(office.log, incident)
    amendments = fold_amendments(office.log.facts(tags=[f"incident:{incident}"]))
    told = record.incident
    story = Story(
        told, record.milestones, record.durations, record.matrix, record.impact, _mends(amendments),
        product=office.policy.product(told.service), organisation=office.policy.organisation,
        public_url=office.policy.public_url, statement=stands(read_statements(office.log, incident)),
        revisions=told.revisions, failures=_failures(record),
    )  # fmt: skip
    return Desk(record, story, redactor_of(office, record.facts))


def redactor_of(office: Office, facts: Iterable[Fact]) -> Redactor:
    """Return what is left out of texts about these facts: every person among them, by pseudonym and login."""
    said = office.policy.redaction
    persons = {name for fact in facts for field in _PERSONS if (name := getattr(fact.payload, field, ""))}
    logins = {login for one in persons if (login := office.people.login(one))}
    words = {*office.policy.audiences, *office.policy.products, *office.policy.products.values()}
    for fact in facts:
        words |= {
            word for field in ("service", "team", "environment") if (word := _text(fact.payload, field))
        }
    words.add(office.policy.organisation)
    names = {*said.names, *(one for one in persons | logins if len(one) > 2)}
    return redactor(hosts=said.hosts, public_hosts=said.public_hosts, names=names, words=words)


def _text(payload: Any, field: str) -> str:
    return str(getattr(payload, field, "") or "")


def _mends(amendments: Iterable[Amendment]) -> tuple[Mend, ...]:
    return tuple(
        Mend(
            a.id, a.proposed.kind, a.proposed.title, a.state.value, cost_sentence(a.price) if a.price else ""
        )
        for a in amendments
    )


def _failures(record: IncidentRecord) -> int | None:
    """Return how many failures the watch's last look and captures show; ``None``: nobody counted."""
    counted: list[int] = []
    looks = [f.payload for f in record.facts if isinstance(f.payload, p.WatchAssessed)]
    looks = [one for one in looks if one.deployment == record.incident.opened.deployment and one.metrics]
    for metric in looks[-1].metrics if looks else ():
        arm = metric.get("candidate")
        if metric.get("kind") == "ratio" and isinstance(arm, dict) and arm.get("exposure"):
            counted.append(int(arm.get("events") or 0))
    captured = sum(
        isinstance(f.payload, p.FailureCaptured) and f.payload.environment == record.incident.environment
        for f in record.facts
    )
    if captured:
        counted.append(captured)
    return max(counted) if counted else None
