"""Beside each row of the escape matrix: what the team said about it, and what can be done next.

A move is an edge case, a test, a gate, data for a lower environment, or a record that lets the row say more
next time. Moves are offered and never taken by themselves; each is a command, and where there is one a link.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.escape import EscapeRow, EscapeState
from amends.incidents.incident import Incident

MoveKind = Literal["edge case", "test", "gate", "data", "record"]


@dataclass(frozen=True, slots=True)
class Move:
    """Something that can be done about a row. ``anchor`` is where on the incident's page, if it is there."""

    kind: MoveKind
    text: str
    command: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A team's words about a row, and what the row said when they were asked."""

    whose: str
    environment: str
    gate: str
    words: str
    role: str
    at: datetime
    event: str
    question: str
    state: str


@dataclass(frozen=True, slots=True)
class RowCard:
    """A row with everything that was said about it, oldest first, and the moves that it calls for."""

    row: EscapeRow
    answers: tuple[Answer, ...]
    moves: tuple[Move, ...]


def answers_of(facts: Iterable[Fact]) -> tuple[Answer, ...]:
    """Return what teams said about rows, in that order. All of it stays: nobody's words replace another's."""
    return tuple(
        Answer(told.whose, told.environment, told.gate, told.words, told.role, fact.occurred_at, fact.id,
               told.question, told.state)
        for fact in facts
        if isinstance(told := fact.payload, p.RowAnswered)
    )  # fmt: skip


def row_cards(
    incident: Incident, rows: Sequence[EscapeRow], answers: Sequence[Answer], failures: Sequence[Fact],
    *, whose: str = "",
) -> tuple[RowCard, ...]:  # fmt: skip
    """Put each row together with its answers and its moves. ``whose`` is another service with these gates."""
    said: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers:
        said.setdefault((answer.whose, answer.environment, answer.gate), []).append(answer)
    return tuple(
        RowCard(
            row, tuple(said.get((whose, row.environment, row.gate), ())),
            next_moves(incident, row, captured=bool(failures)),
        )
        for row in rows
    )  # fmt: skip


def next_moves(incident: Incident, row: EscapeRow, *, captured: bool) -> tuple[Move, ...]:
    """Return what can be done about a row. ``captured`` is whether a failing input is recorded."""
    match row.state:
        case EscapeState.NOT_IN_PLACE:
            return _new_gate(incident, row)
        case EscapeState.RAN_BLIND:
            return _sight(incident, row, captured)
        case EscapeState.SIGHT_UNKNOWN:
            return _records(incident, row, captured)
        case EscapeState.SAW_AND_PASSED:
            return (_test(incident, captured), _holding(incident, row))
        case EscapeState.NOT_RUN | EscapeState.UNDECIDED | EscapeState.ERROR:
            return _run(incident, row)
        case EscapeState.NOT_RECORDED:
            why = "Have amends read the policy, so that the next row can be computed"
            return (Move("record", why, f"amends gate {_release(incident)} --to {_place(row)}"),)
        case EscapeState.OVERRIDDEN | EscapeState.BYPASSED:
            return (_holding(incident, row),) if row.observing else (_price(),)


# How each kind of gate is written into a policy, as short as it can be.
_ENTRIES = {
    "review": "review: {approvals: 1}",
    "tests": "tests: {suites: [regression]}",
    "sign_off": "sign_off: {role: ROLE, environment: LOWER}",
    "soak": "soak: {environment: LOWER, for: 7d}",
    "window": 'window: {allow: ["Mon-Thu 09:00-16:00"]}',
    "watchers": "watchers: {role: on-call, at_least: 1}",
    "edge_cases": "edge_cases: {}",
    "replay": "replay: {}",
}
_LOOKS_BELOW = ("soak", "sign_off", "watch", "canary")


def _new_gate(incident: Incident, row: EscapeRow) -> tuple[Move, ...]:
    if row.kind == "watch":
        text = "Watch the next rollout: add “rollout” and “watch” to the policy"
        return (Move("gate", text, "amends policy explain"),)
    entry = _ENTRIES.get(row.kind, f"{row.kind}: {{}}")
    text = f"Propose such a gate, in observe mode at first, and see its price when it is proven: {entry}"
    gate = Move("gate", text, f"amends amendment propose {_q(incident.id)} --gate gate.yaml", "propose")
    return (_edge_case(incident), gate) if row.kind == "edge_cases" else (gate,)


def _sight(incident: Incident, row: EscapeRow, captured: bool) -> tuple[Move, ...]:
    found = (_edge_case(incident), _test(incident, captured))
    return (_data(incident, row), *found) if row.kind in _LOOKS_BELOW else found


def _records(incident: Incident, row: EscapeRow, captured: bool) -> tuple[Move, ...]:
    if row.kind == "tests":
        suite = f"amends record coverage {_release(incident)} --suite SUITE --inputs INPUTS.txt"
        return (Move("record", "Record what the suite exercises, so that its sight is known", suite),
                _test(incident, captured))  # fmt: skip
    if row.kind in _LOOKS_BELOW:
        return (_data(incident, row),)
    return (_edge_case(incident),)


def _run(incident: Incident, row: EscapeRow) -> tuple[Move, ...]:
    ask = f"amends gate {_release(incident)} --to {_place(row)}"
    found = [Move("record", "Ask the gates and see what this one waits for", ask)]
    if row.kind == "tests":
        record = f"amends record tests {_release(incident)} --suite SUITE report.xml"
        found.append(Move("record", "Have CI record its run for every release", record))
    return tuple(found)


def _test(incident: Incident, captured: bool) -> Move:
    if captured:
        write = f"amends test write --incident {_q(incident.id)}"
        return Move("test", "Write the captured input as a test, proven red and green", write, "inputs")
    failure = f"amends record failure {_release(incident)} --env {_q(incident.environment)} --input FILE"
    return Move("test", "Keep the failing input first: a test can be written from it",
                f"{failure} --incident {_q(incident.id)}")  # fmt: skip


def _edge_case(incident: Incident) -> Move:
    command = f"amends record edge-case NAME --words WORDS --incident {_q(incident.id)}"
    return Move("edge case", "Document the input as an edge case, so that every release meets it", command)


def _data(incident: Incident, row: EscapeRow) -> Move:
    text = "Bring such data to the lower environment: replay what production was asked, masked"
    if row.environment != incident.environment:
        text = f"Bring such data to {row.environment}: replay what production was asked, masked"
    asks = "amends replay --baseline URL --candidate URL --captures DIRECTORY"
    return Move("data", text, f"{asks} --release {_release(incident)}")


def _holding(incident: Incident, row: EscapeRow) -> Move:
    text = f"Propose {row.gate} with “mode: block”, so that its answer holds a release"
    return Move("gate", text, f"amends amendment propose {_q(incident.id)} --gate gate.yaml", "propose")


def _price() -> Move:
    text = "Price the gate on your own history: a way around it is easier to leave when it costs little"
    return Move("gate", text, "amends backtest price")


def _release(incident: Incident) -> str:
    return _q(incident.release) if incident.release else "RELEASE"


def _place(row: EscapeRow) -> str:
    return _q(row.environment) if row.environment else "ENVIRONMENT"


def _q(word: str) -> str:
    return shlex.quote(word)
