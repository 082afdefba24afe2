"""A first draft of a review in Markdown, made from the record alone.

It describes; it does not judge. Roles and teams are named, no person is. Every statement cites the events it
rests on (``[e3]``; the list at the end gives their ids). There is no "root cause": several conditions come
together, and the team writes down which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.condensing import condense
from amends.incidents.escape import EscapeMatrix, EscapeRow, EscapeState
from amends.incidents.factors import NamedFactor
from amends.incidents.impact import Statement
from amends.incidents.incident import Incident
from amends.incidents.milestones import Duration, Milestone
from amends.incidents.nextmoves import Answer
from amends.incidents.timeline import Knowledge, Line
from amends.incidents.wording import say_range, say_time, short
from amends.reviews.agenda import Agenda
from amends.reviews.agreed import Cited, Told, Work, answer_lines, factor_lines, told_lines

EVENT_PAGE = "/log/events/"  # where a citation leads when the review is read in the browser


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a draft is made from."""

    incident: Incident
    facts: Sequence[Fact]
    timeline: Sequence[Line]
    matrix: EscapeMatrix
    milestones: Sequence[Milestone]
    durations: Sequence[Duration]
    impact: Sequence[Statement]
    agenda: Agenda = field(default_factory=Agenda)
    answers: Sequence[Answer] = ()
    factors: Sequence[NamedFactor] = ()
    work: Sequence[Work] = ()
    told: Sequence[Told] = ()


@dataclass
class _Citations:
    """Numbers events in the order in which they are first cited."""

    numbers: dict[str, int] = field(default_factory=dict)
    last: int = 0

    def __post_init__(self) -> None:
        self.last = max(self.numbers.values(), default=0)

    def cite(self, events: Iterable[str]) -> str:
        marks = [f"[e{self._number(event)}]" for event in events if event]
        return f" {' '.join(marks)}" if marks else ""

    def _number(self, event: str) -> int:
        if event not in self.numbers:
            self.last += 1
            self.numbers[event] = self.last
        return self.numbers[event]


def draft_markdown(record: Record, numbers: Mapping[str, int] | None = None, *, full: bool = False) -> str:
    """Write the draft. The same record gives the same text.

    ``numbers`` are the events that an earlier text cites, and by which number: they keep it, and new ones
    are numbered on. Runs of the same automatic entry are one line of the timeline that cites them all,
    unless ``full``.
    """
    notes = _Citations(dict(numbers or {}))
    incident = record.incident
    parts = [
        f"# {incident.id}: {_line(incident.opened.summary)}\n",
        "*Drafted from the record. People edit it from here; the draft stays in the history.*\n",
        "## Summary\n", *_summary(record, notes),
        "## Impact\n", *_impact(record, notes),
        "## Timeline\n", *_timeline(record, notes, full),
        "## How it got past each gate\n", *_matrix(record, notes),
        "## Overrides and bypasses since the last review\n", *_agenda(record, notes),
        "## Milestones\n", *_milestones(record, notes),
        "## What went well\n", *_went_well(record, notes),
        "## Contributing conditions\n",
        *_conditions(record, notes),
        "## Open questions\n", *_questions(record, notes),
        "## Action items\n", *_actions(record, notes),
        "## Who has been told\n", *_told(record, notes),
        "## Evidence\n", *_evidence(record, notes),
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def _summary(record: Record, notes: _Citations) -> list[str]:
    incident, named = record.incident, {m.name: m for m in record.milestones}
    release = (
        f"Release {short(incident.release)}" if incident.release else "A release whose name is not recorded"
    )
    sentences = [
        f"{release} of {incident.service} met {incident.environment}{_since(named['started'])}."
        f"{notes.cite(named['started'].events[:1])}",
        f"{_line(record.matrix.caught)}{notes.cite(record.matrix.caught_events)}",
    ]
    mitigated = named["mitigated"]
    if mitigated.at and incident.opened.previous:
        back, when = short(incident.opened.previous), say_time(mitigated.at)
        sentences.append(
            f"{incident.environment} was back on {back} at {when}.{notes.cite(mitigated.events)}"
        )
    if incident.opened.team:
        sentences.append(f"The service belongs to {incident.opened.team}.{notes.cite((incident.event,))}")
    return ["\n".join(sentences) + "\n"]


def _since(started: Milestone) -> str:
    return f" at {say_time(started.low)}" if started.low else ""


def _impact(record: Record, notes: _Citations) -> list[str]:
    if not record.impact:
        return ["Not recorded: nobody counted. How many people met it, and how is that known?\n"]
    return ["\n".join(f"- {_line(s.text)}{notes.cite(s.events)}" for s in record.impact) + "\n"]


_MARKS = {
    Knowledge.THEN: "", Knowledge.LATER: " *(learned later)*", Knowledge.AFTER: "",
    Knowledge.UNDATED: " *(nobody stated when this was known)*",
}  # fmt: skip


def _timeline(record: Record, notes: _Citations, full: bool) -> list[str]:
    lines = [
        f"- {say_time(line.at)}: {_line(line.text)}{_MARKS[line.knowledge]}{notes.cite(line.events)}"
        for line in condense(record.timeline, full=full)
    ]
    return ["\n".join(lines) + "\n"] if lines else ["Nothing is recorded.\n"]


def _matrix(record: Record, notes: _Citations) -> list[str]:
    rows = ["| gate | state | what the record shows |", "|---|---|---|"]
    for row in record.matrix.rows:
        watching = ", observing" if row.observing else ""
        gate = _name(record.incident, row)
        rows.append(
            f"| {gate} | **{row.state}**{watching} | {_cell(row.reason)}{notes.cite(row.events[:4])} |"
        )
    text = "\n".join(rows) + "\n"
    if record.matrix.bypassed:
        text = "The release was deployed without a pass of its gates.\n\n" + text
    return [text]


def _agenda(record: Record, notes: _Citations) -> list[str]:
    agenda = record.agenda
    if not agenda.topics:
        return [f"None is recorded {agenda.began}.\n"]
    lines = [
        f"- {say_time(topic.at)}, {topic.kind}{' of this release' if topic.own else ''}: {_line(topic.text)}."
        f"{notes.cite((topic.event,))} *{topic.question}*"
        for topic in agenda.topics
    ]
    return [f"On the agenda {agenda.began}:\n", "\n".join(lines) + "\n"]


def _name(incident: Incident, row: EscapeRow) -> str:
    place = f" ({row.environment})" if row.environment != incident.environment else ""
    return _cell(f"{row.gate}{place}")


def _milestones(record: Record, notes: _Citations) -> list[str]:
    rows = ["| milestone | when | source |", "|---|---|---|"]
    for m in record.milestones:
        rows.append(f"| {m.name.replace('_', ' ')} | {_when(m)} | {_cell(m.source)}{notes.cite(m.events)} |")
    rows += ["", "| duration | formula | value |", "|---|---|---|"]
    for d in record.durations:
        value = say_range(d.low, d.high)
        if d.missing:
            value = f"open: {' and '.join(name.replace('_', ' ') for name in d.missing)} not recorded"
        rows.append(f"| {d.name} | {d.formula.replace('_', ' ')} | {value} |")
    return ["\n".join(rows) + "\n"]


def _when(m: Milestone) -> str:
    if m.at:
        return say_time(m.at)
    if m.earliest and m.latest:
        return f"between {say_time(m.earliest)} and {say_time(m.latest)}"
    if m.latest:
        return f"before {say_time(m.latest)}"
    return f"after {say_time(m.earliest)}" if m.earliest else "not recorded"


def _went_well(record: Record, notes: _Citations) -> list[str]:
    found = [*_recovery(record, notes), *_records(record, notes)]
    if not found:
        return ["To be written by the team: what helped?\n"]
    return ["\n".join(f"- {line}" for line in found) + "\n"]


def _recovery(record: Record, notes: _Citations) -> list[str]:
    named = {d.name: d for d in record.durations}
    mitigate = named["time to mitigate"]
    lines = []
    if any(f.kind == "watch.assessed" and f.id in record.matrix.caught_events for f in record.facts):
        lines.append(f"The watch found it.{notes.cite(record.matrix.caught_events)}")
    if mitigate.high is not None:
        took = say_range(mitigate.low, mitigate.high)
        lines.append(
            f"From detection to mitigation it took {took} ({mitigate.formula}).{notes.cite(mitigate.events)}"
        )
    return lines


def _records(record: Record, notes: _Citations) -> list[str]:
    lines = []
    for fact in record.facts:
        if isinstance(fact.payload, p.FailureCaptured):
            lines.append(
                f"The failing input was captured, so that it can become a test.{notes.cite((fact.id,))}"
            )
            break
    for fact in record.facts:
        if isinstance(fact.payload, p.QuarantineSet) and record.incident.escaped(fact.payload.release):
            lines.append(
                f"The release was quarantined, so that it could not come back.{notes.cite((fact.id,))}"
            )
            break
    return lines


def _conditions(record: Record, notes: _Citations) -> list[str]:
    asked = (
        "Several conditions usually come together. Describe each, with what made it sensible at the time.\n"
    )
    return [asked, *_listed(factor_lines(record.factors), notes)]


def _told(record: Record, notes: _Citations) -> list[str]:
    return _listed(told_lines(record.told), notes) or [
        f"Nobody, as far as the record shows: `amends notice show {record.incident.id}`\n"
    ]


def _listed(lines: Iterable[Cited], notes: _Citations) -> list[str]:
    found = [f"- {_line(text)}{notes.cite(events)}" for text, events in lines]
    return ["\n".join(found) + "\n"] if found else []


def _questions(record: Record, notes: _Citations) -> list[str]:
    answered = {(one.environment, one.gate) for one in record.answers}
    lines = [
        f"- **{_name(record.incident, row)}** ({row.state}): {row.question}"
        for row in record.matrix.rows
        # Where no policy is recorded every row would ask the same; one question below asks it once.
        if row.question
        and row.state is not EscapeState.NOT_RECORDED
        and (row.environment, row.gate) not in answered
    ]
    if any(row.state is EscapeState.NOT_RECORDED for row in record.matrix.rows):
        lines.append("- Which policy applied to this release, and where can that be looked up?")
    answers = _listed(answer_lines(record.answers), notes)
    return [*(["\n".join(lines) + "\n"] if lines else []), *(["Answered:\n", *answers] if answers else [])]


def _actions(record: Record, notes: _Citations) -> list[str]:
    rows = [
        f"| {_cell(one.title)}{notes.cite(one.events[-1:])} | {_cell(one.owner)} | "
        f"{f'{one.due:%Y-%m-%d}' if one.due else ''} | {_guard(one.guard)} | {one.state} |"
        for one in record.work
    ] or ["| | | | | |"]
    head = "| action | owner (team or role) | due | amendment | state |\n|---|---|---|---|---|\n"
    table = head + "\n".join(rows) + "\n"
    suggestions = _listed(_suggestions(record), notes)
    return (
        [table, "Suggestions from the matrix, to take or leave:\n", *suggestions] if suggestions else [table]
    )


def _guard(amendment: str) -> str:
    return f"[{_cell(amendment)}](/amendments/{quote(amendment, safe='')})" if amendment else ""


def _suggestions(record: Record) -> list[tuple[str, tuple[str, ...]]]:
    propose = f"amends amendment propose {record.incident.id}"
    found: list[tuple[str, tuple[str, ...]]] = []
    captured = [f for f in record.facts if isinstance(f.payload, p.FailureCaptured)]
    kinds = {f.payload.kind for f in record.facts if isinstance(f.payload, p.AmendmentProposed)}
    if captured and "test" not in kinds:
        text = f"Have the captured input made a test: `amends test write --incident {record.incident.id}`"
        found.append((text, (captured[0].id,)))
    if captured and "gate" not in kinds:
        text = f"Make that test a gate for the next release: `{propose} --gate FILE.yaml`"
        found.append((text, ()))
    if not captured:
        text = "Capture the failure, so that it can become a test: `amends record failure --incident"
        found.append((f"{text} {record.incident.id}`", ()))
    blind = [row for row in record.matrix.rows if row.state is EscapeState.RAN_BLIND]
    found += [(f"Give the gate {row.gate} the input that it never met", row.events[:2]) for row in blind]
    unknown = [
        row for row in record.matrix.rows if row.state is EscapeState.SIGHT_UNKNOWN and row.kind == "tests"
    ]
    found += [
        (f"Record what {row.gate} exercises, so that its sight is known", row.events[:1]) for row in unknown
    ]
    return found


def _evidence(record: Record, notes: _Citations) -> list[str]:
    kinds = {fact.id: (fact.kind, say_time(fact.occurred_at)) for fact in record.facts}
    shown, targets = [], []
    for event, number in notes.numbers.items():
        kind, when = kinds.get(event, ("event", ""))
        shown.append(f"- e{number}: `{event}` {kind}{f', {when}' if when else ''}")
        targets.append(f"[e{number}]: {EVENT_PAGE}{quote(event, safe='')}")
    return ["\n".join(shown) + "\n", "\n".join(targets)]


def _line(text: str) -> str:
    """Bring text to one line; what others wrote must not become a heading or a table of ours."""
    return " ".join(text.split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
