"""Thanks: given with a name, kept with a pseudonym, shown with the name as long as the person is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amends.application.log import Log
from amends.application.people import normal_login, pseudonym_of
from amends.application.ports import People
from amends.application.record import require_incident
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.redaction import redact
from amends.learning.thanks import LONGEST, OPEN_NAME, fold_thanks, open_names, reproach_in

FORGOTTEN = "somebody who asked to be forgotten"


@dataclass(frozen=True, slots=True)
class ShownThanks:
    """A thanks as a page shows it, with the name."""

    event: str
    name: str
    text: str
    role: str
    at: datetime


def thank(log: Log, people: People, incident: str, name: str, text: str, *, role: str = "") -> Fact:
    """Record a thanks. Raises ``UsageError`` without name or words, and for words that blame."""
    found = require_incident(log, incident)
    words = " ".join(text.split())
    if not normal_login(name):
        raise UsageError("nobody is named", remedy="say whom you thank: amends thank INC-1 NAME --for '…'")
    if not words or len(words) > LONGEST:
        raise UsageError(
            f"found {len(words)} characters; allowed are 1 to {LONGEST}", remedy="say what you thank them for"
        )
    reproach = reproach_in(words, name)
    if reproach:
        raise UsageError(
            f"found {reproach.words!r}, which reads as {reproach.rule}; thanks hold no blame",
            remedy="say what the person did that helped; the rest belongs into the review, without a name",
        )
    given = p.ThanksGiven(
        incident=incident, service=found.service, person=pseudonym_of(people, name),
        text=redact(open_names(words, name)), role=role.strip(),
    )  # fmt: skip
    return log.record("thanks.given", given)


def withdraw(log: Log, incident: str, thanks: str, *, role: str = "") -> Fact:
    """Take a thanks back: whoever gave it, or whoever was named, may ask for that at any time.

    Raises ``NotFoundError`` when the incident has no such thanks.
    """
    found = require_incident(log, incident)
    known = fold_thanks(log.stream(f"incident/{incident}"))
    if thanks not in {one.event for one in known}:
        events = ", ".join(one.event for one in known) or "none"
        raise NotFoundError(
            f"{incident} has no thanks {thanks!r}; there are: {events}", remedy="name one of them"
        )
    back = p.ThanksWithdrawn(incident=incident, service=found.service, thanks=thanks, role=role.strip())
    return log.record("thanks.withdrawn", back)


def list_thanks(log: Log, people: People, incident: str) -> list[ShownThanks]:
    """Return the thanks of an incident with their names. Raises ``NotFoundError``."""
    require_incident(log, incident)
    shown = []
    for one in fold_thanks(log.stream(f"incident/{incident}")):
        name = _shown_name(people.login(one.person) or FORGOTTEN)
        text = one.text.replace(OPEN_NAME, name if name != FORGOTTEN else "…")
        shown.append(ShownThanks(one.event, name, text, one.role, one.at))
    return shown


def _shown_name(login: str) -> str:
    """Write a name as names are written; a login or an address stays as it is."""
    return login.title() if " " in login and "@" not in login and login != FORGOTTEN else login


def thanks_data(found: list[ShownThanks]) -> list[dict[str, Any]]:
    """Return thanks as JSON-able values."""
    return [
        {"event": t.event, "name": t.name, "text": t.text, "role": t.role, "at": t.at.isoformat()}
        for t in found
    ]
