"""The team's own words about an incident: answers to the matrix, contributing factors, stated durations."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from amends.application.around import read_surroundings
from amends.application.casework import plain
from amends.application.deciding import write_on
from amends.application.incidents import MilestoneName
from amends.application.log import Log
from amends.application.record import read_record
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.escape import EscapeRow
from amends.incidents.factors import BY_WORD, factors_of
from amends.incidents.incident import Incident

_LONGEST = 20_000


def answer_row(
    log: Log, incident: str, gate: str, words: str, *, role: str, environment: str = "", whose: str = ""
) -> Fact:
    """Keep a team's words about one row of the matrix; earlier words stay beside them.

    ``environment`` is needed only where the gate has a row for several. Raises ``NotFoundError`` for a gate
    that has no row, ``UsageError`` for no words or several rows.
    """
    said = _said(words)
    row = _row(log, incident, gate, environment, whose)

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.RowAnswered(
            incident=incident, service=found.service, gate=row.gate, environment=row.environment, words=said,
            role=role, question=row.question, state=str(row.state), whose=whose,
        )  # fmt: skip
        return [("row.answered", told)]

    return write_on(log, incident, decide)[0]


def _row(log: Log, incident: str, gate: str, environment: str, whose: str) -> EscapeRow:
    record = read_record(log, incident)
    own = whose in ("", record.incident.service)
    listed = record.matrix.rows if own else read_surroundings(log, record.incident).rows_of(whose)
    rows = [row for row in listed if environment in ("", row.environment)]
    found = [row for row in rows if row.gate == gate]
    if len(found) > 1:
        places = ", ".join(row.environment for row in found)
        raise UsageError(f"{gate} has a row for each of {places}", remedy="name one of them: --env")
    if not found:
        near = difflib.get_close_matches(gate, [row.gate for row in rows], n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise NotFoundError(
            f"the matrix of {incident} has no row {gate!r}{' of ' + whose if whose else ''}{hint}",
            remedy=f"see `amends incident show {incident}`",
        )
    return found[0]


def name_factor(
    log: Log, incident: str, factor: str, words: str, *, role: str, evidence: Sequence[str] = ()
) -> Fact:
    """Name a condition that contributed, by its word of the taxonomy and in the team's own words.

    An incident has as many as it needs. Raises ``UsageError`` for a word that is not in the taxonomy, for no
    words of one's own, and for evidence that is not in the incident's record.
    """
    if factor not in BY_WORD:
        near = difflib.get_close_matches(factor, BY_WORD, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"found the factor {factor[:60]!r}{hint}", where="factor",
            remedy=f"name one of: {', '.join(BY_WORD)} (docs/reference/contributing-factors.md)",
        )  # fmt: skip
    said = _said(words)
    known = {fact.id for fact in read_record(log, incident).facts} if evidence else set()
    for event in evidence:
        if event not in known:
            raise UsageError(f"event {event!r} is not in the record of {incident}", where="evidence")

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.FactorNamed(
            incident=incident, service=found.service, factor=factor, words=said, role=role,
            evidence=tuple(evidence),
        )  # fmt: skip
        return [("factor.named", told)]

    return write_on(log, incident, decide)[0]


def withdraw_factor(log: Log, incident: str, event: str, *, role: str, reason: str) -> Fact:
    """Take back a factor by the event that named it; both stay in the record. Raises ``NotFoundError``."""
    named = factors_of(log.stream(f"incident/{incident}"))
    found = next((one for one in named if one.event == event and not one.withdrawn), None)
    if found is None:
        raise NotFoundError(
            f"{incident} has no factor that event {event!r} names", remedy=f"amends incident show {incident}"
        )
    said = _said(reason)

    def decide(incident_: Incident) -> list[tuple[str, p.Payload]]:
        told = p.FactorNamed(
            incident=incident, service=incident_.service, factor=found.factor.word, words=said, role=role,
            withdraws=event,
        )  # fmt: skip
        return [("factor.withdrawn", told)]

    return write_on(log, incident, decide)[0]


def state_duration(
    log: Log, incident: str, *, begins: str, ends: str, seconds: float, precision: float = 60.0,
    source: str = "", role: str = "",
) -> Fact:  # fmt: skip
    """Keep how long something is said to have taken; where the milestones say otherwise, both are shown.

    Raises ``UsageError`` for unknown milestones, one and the same, and a length that is none.
    """
    names = get_args(MilestoneName)
    for name in (begins, ends):
        if name not in names:
            raise UsageError(f"found the milestone {name!r}; allowed are {', '.join(names)}")
    if begins == ends or not 0 <= seconds < 1e10:
        raise UsageError("a duration has a length, and goes from one milestone to another")

    def decide(found: Incident) -> list[tuple[str, p.Payload]]:
        told = p.DurationStated(
            incident=incident, service=found.service, begins=begins, ends=ends, seconds=seconds,
            precision=precision, source=plain(source), role=role,
        )  # fmt: skip
        return [("duration.stated", told)]

    return write_on(log, incident, decide)[0]


def _said(words: str) -> str:
    said = plain(words)
    if not said:
        raise UsageError("found no words", remedy="say it in a sentence of your own")
    if len(said) > _LONGEST:
        raise UsageError(
            f"found {len(said):,} characters; at most {_LONGEST:,} are kept", remedy="link to what is longer"
        )
    return said
