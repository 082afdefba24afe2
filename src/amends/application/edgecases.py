"""Edge cases of a service: documenting them with the test that guards them, and retiring them."""

from __future__ import annotations

from amends.application.desk import NOW, Desk, Receipt, Stamp, record_once
from amends.errors import NotFoundError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.redaction import redact

_LONGEST_NAME = 100


def record_edge_case(
    desk: Desk, name: str, *, words: str, test: str = "", suite: str = "", incident: str = "", role: str = "",
    stamp: Stamp = NOW,
) -> Receipt:  # fmt: skip
    """Document an edge case, or say anew what it is and which test guards it. The last word counts.

    ``test`` selects the test as the amendments' do (``tests/test_x.py::test_y``), ``suite`` the suite that
    runs it. What was said last already is not recorded again. Raises ``UsageError`` for a name that is empty,
    too long or holds blanks, and for an edge case without words.
    """
    _check_name(name)
    if not words.strip():
        raise UsageError(
            f"the edge case {name} says nothing", remedy='say what it is: --words "an amount of zero"'
        )
    payload = p.EdgeCaseDocumented(
        service=desk.service, edge_case=name, words=redact(words.strip()), test=test.strip(),
        suite=suite.strip(), incident=incident, role=role,
    )  # fmt: skip
    notes: tuple[str, ...] = ()
    if not payload.test:
        notes += ("it names no test, so the gate edge_cases blocks until it does",)
    if incident and not desk.log.facts(tags=[f"incident:{incident}"], kinds=["incident.detected"], limit=1):
        notes += (f"the log has no incident {incident!r}",)
    return _once(desk, "edgecase.documented", payload, stamp, notes)


def retire_edge_case(desk: Desk, name: str, *, reason: str, role: str = "", stamp: Stamp = NOW) -> Receipt:
    """Say that an edge case no longer concerns the service.

    Raises ``UsageError`` without a reason, ``NotFoundError`` when nobody documented it.
    """
    _check_name(name)
    if not reason.strip():
        raise UsageError("an edge case is retired for a reason", remedy='say why: --reason "…"')
    if _last(desk, name) is None:
        found = desk.log.facts(tags=[f"service:{desk.service}"], kinds=["edgecase.documented"])
        names = sorted({f.payload.edge_case for f in found if isinstance(f.payload, p.EdgeCaseDocumented)})
        raise NotFoundError(
            f"{desk.service} has no edge case {name!r}; it has: {', '.join(names) or 'none'}",
            remedy="name one of them",
        )
    payload = p.EdgeCaseRetired(
        service=desk.service, edge_case=name, reason=redact(reason.strip()), role=role
    )
    return _once(desk, "edgecase.retired", payload, stamp, ())


def _once(
    desk: Desk, kind: str, payload: p.EdgeCaseDocumented | p.EdgeCaseRetired, stamp: Stamp,
    notes: tuple[str, ...],
) -> Receipt:  # fmt: skip
    last = _last(desk, payload.edge_case)
    if last is not None and last.payload == payload and not stamp.id and stamp.at is None:
        return Receipt(last, fresh=False, notes=notes)
    return record_once(desk.log, kind, payload, stamp, notes=notes)


def _last(desk: Desk, name: str) -> Fact | None:
    """Return the last word on an edge case, by when it was said."""
    said = desk.log.stream(f"edgecase/{desk.service}/{name}")
    return max(said, key=lambda fact: (fact.occurred_at, fact.recorded.seq), default=None)


def _check_name(name: str) -> None:
    remedy = "give it a short name without blanks, for example zero-amount"
    if not name or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"found a name of {len(name)} characters; allowed are 1 to {_LONGEST_NAME}", remedy=remedy
        )
    if any(sign.isspace() or not sign.isprintable() for sign in name):
        raise UsageError(f"found the name {name!r}, which holds blanks or control characters", remedy=remedy)
