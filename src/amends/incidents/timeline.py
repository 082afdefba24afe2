"""The timeline of an incident: one line an event, each citing it, the same for the same facts.

What was known at the time is told apart from what was learned later, by ``known_at``: a fact that happened
before the pivot (the rollback, or else the detection) and became known after it was not there to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.caselines import CASE_SENTENCES
from amends.incidents.incident import facts_in_order
from amends.incidents.milestones import Milestone
from amends.incidents.wording import say_seconds, short


class Knowledge(StrEnum):
    """What can be said of a line's place in what people knew."""

    THEN = "known then"  # happened and known by the pivot
    LATER = "learned later"  # happened by the pivot, known after it
    AFTER = "afterwards"  # happened after the pivot
    UNDATED = "not dated"  # nobody stated when it was known


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``event`` is the cited event's id, ``kind`` its short name."""

    at: datetime
    text: str
    event: str
    kind: str
    knowledge: Knowledge
    known_at: datetime | None


def timeline_of(facts: Iterable[Fact], pivot: datetime | None) -> tuple[Line, ...]:
    """Return the timeline's lines by when they happened.

    ``pivot`` is when the rollback (or, without one, the detection) was known; ``None`` when neither was
    recorded: then every dated line is *known then*.
    """
    ordered = facts_in_order(facts)
    lines = [
        Line(fact.occurred_at, text, fact.id, fact.kind, _knowledge(fact, pivot), fact.known_at)
        for fact, text in _tell(ordered)
    ]
    lines += [line for fact in ordered for line in _stated_when_opened(fact)]
    return tuple(sorted(lines, key=lambda line: line.at))


def sentence_of(fact: Fact) -> str:
    """Return what a timeline says of one fact; empty for a kind of which it says nothing."""
    return next((text for _, text in _tell([fact])), "")


def pivot_of(milestones: Iterable[Milestone], facts: Iterable[Fact]) -> datetime | None:
    """Return the moment that parts what was known from what was learned later.

    When the mitigation was known; without one, when the detection was; ``None`` where neither is recorded.
    """
    named = {milestone.name: milestone for milestone in milestones}
    facts = list(facts)
    known = {fact.id: fact.known_at for fact in facts if fact.kind != "incident.detected"}
    for name in ("mitigated", "detected"):
        milestone = named.get(name)
        if milestone and milestone.high:
            times = () if milestone.stated else (known.get(event) for event in milestone.events)
            with_it = [] if milestone.stated else _recorded_with(facts, milestone)
            moments: list[datetime] = [milestone.high, *(at for at in [*times, *with_it] if at)]
            return max(moments)
    return None


def _recorded_with(facts: Iterable[Fact], milestone: Milestone) -> list[datetime | None]:
    """Return when the quarantine and the incident that a recorded rollback brings were known: with it."""
    kinds = ("quarantine.set", "incident.detected")
    return [f.known_at for f in facts if f.kind in kinds and f.occurred_at == milestone.at]


def _stated_when_opened(fact: Fact) -> list[Line]:
    """Tell the times that whoever opened the incident stated; nobody says when they were known."""
    told = fact.payload
    if not isinstance(told, p.IncidentOpened) or told.deployment or told.opened_by == "rollback":
        return []  # of a deployment or a rollback the log holds its own events
    stated = (
        (told.deployed_at, f"Release {short(told.release)} deployed to {told.environment}, as stated later"),
        (told.rolled_back_at, f"{told.environment} rolled back from {short(told.release)}, as stated later"),
    )
    return [Line(at, text, fact.id, fact.kind, Knowledge.UNDATED, None) for at, text in stated if at]


def _knowledge(fact: Fact, pivot: datetime | None) -> Knowledge:
    if fact.known_at is None:
        return Knowledge.UNDATED
    if pivot is None:
        return Knowledge.THEN
    if fact.occurred_at > pivot:
        return Knowledge.AFTER
    return Knowledge.THEN if fact.known_at <= pivot else Knowledge.LATER


def _tell(facts: list[Fact]) -> Iterator[tuple[Fact, str]]:
    """Yield each fact that has something to say, leaving out repetitions of the same answer."""
    last: dict[tuple[str, ...], Any] = {}
    for fact in facts:
        told = fact.payload
        tell = _SENTENCES.get(type(told))
        if tell is None:
            continue
        key, answer = _repeats(told)
        if key and last.get(key) == answer:
            continue
        last[key] = answer
        text = tell(fact, told)
        if text:
            yield fact, text


def _repeats(told: Any) -> tuple[tuple[str, ...], Any]:
    """Return under which key an answer repeats itself: a watch looks often, a gate is asked often."""
    if isinstance(told, p.WatchAssessed):
        return ("watch", told.deployment), (told.step, told.verdict)
    if isinstance(told, p.GatesDecided):
        rows = tuple((row.gate, row.decision) for row in told.gates)
        return ("gates", told.release, told.environment), (told.decision, rows)
    return (), None


def _merged(_: Fact, told: Any) -> str:
    title = f": {told.title}" if told.title else ""
    team = f" by {told.team}" if told.team else ""
    return f"Change {short(told.change)} merged{team}{title}"


def _reviewed(_: Fact, told: Any) -> str:
    verdict = {"approved": "approved", "changes_requested": "sent back", "commented": "commented on"}
    team = f" for {told.team}" if told.team else ""
    return f"Change {short(told.change)} {verdict[told.verdict]}{team}"


def _declared(_: Fact, told: Any) -> str:
    count = f" with {len(told.changes)} changes" if len(told.changes) != 1 else " with 1 change"
    return f"Release {told.version} of {told.service} made{count if told.changes else ''}"


def _suite(_: Fact, told: Any) -> str:
    words = ("passed", "failed", "errors", "skipped")
    counts = ", ".join(f"{getattr(told, word)} {word}" for word in words if getattr(told, word))
    return f"Suite {told.suite} in {told.environment}: {told.outcome}{f' ({counts})' if counts else ''}"


def _exercise(_: Fact, told: Any) -> str:
    counts = f"{len(told.covered.keys() | told.missed.keys())} files, {len(told.inputs)} inputs"
    return f"What suite {told.suite} exercised was recorded: {counts}"


def _signed(_: Fact, told: Any) -> str:
    place = f" in {told.environment}" if told.environment else ""
    return f"{told.role} {'signed off' if told.granted else 'refused'} release {short(told.release)}{place}"


def _override(_: Fact, told: Any) -> str:
    gates = ", ".join(told.gates) or "every gate"
    return f"Override of {gates} in {told.environment}, approved by {told.approver_role}: {told.reason}"


def _gates(_: Fact, told: Any) -> str:
    for_release = f"Gates for {told.environment}, release {short(told.release)}: {told.decision}"
    parts = [
        f"{row.gate} {row.decision}{' (observing)' if row.mode == 'observe' else ''}" for row in told.gates
    ]
    return f"{for_release} ({', '.join(parts)})" if parts else for_release


def _policy(_: Fact, told: Any) -> str:
    return f"Policy {told.digest[:12]} first used"


def _deployed(_: Fact, told: Any) -> str:
    before = f", replacing {short(told.previous)}" if told.previous else ""
    return f"Release {short(told.release)} took over {told.environment}{before}"


def _rolled_back(_: Fact, told: Any) -> str:
    why = f": {told.reason}" if told.reason else ""
    release = f" from {short(told.release)}" if told.release else ""
    return f"{told.environment} rolled back{release} to {short(told.restored)}{why}"


def _quarantined(fact: Fact, told: Any) -> str:
    word = "quarantined" if fact.kind == "quarantine.set" else "released from quarantine"
    return f"Release {short(told.release)} {word}: {told.reason}"


def _requested(_: Fact, told: Any) -> str:
    what = "Rollback to" if told.kind == "rollback" else "Deployment of"
    return f"{what} release {short(told.release)} in {told.environment} requested"


def _steered(fact: Fact, told: Any) -> str:
    role = f" by {told.role}" if told.role else ""
    why = f": {told.reason}" if told.reason else ""
    return f"Deployment {fact.kind.partition('.')[2]}{role}{why}"


def _step(_: Fact, told: Any) -> str:
    return f"Step {told.step}: {told.weight}% of the traffic, watched for {say_seconds(told.seconds)}"


def _concluded(_: Fact, told: Any) -> str:
    return f"Step {told.step} ended: {told.outcome.replace('_', ' ')}: {told.reason}"


def _intended(_: Fact, told: Any) -> str:
    why = f": {told.reason}" if told.reason else ""
    return f"Order to {_order(told)} given{why}"


def _done(_: Fact, told: Any) -> str:
    action = told.action.replace("_", " ")
    detail = f": {told.detail}" if told.outcome != "done" and told.detail else ""
    return f"Order to {action} {told.outcome}{detail}"


def _order(told: Any) -> str:
    action = str(told.action).replace("_", " ")
    return f"{action} to {told.weight}%" if told.action == "shift" else action


def _watch(_: Fact, told: Any) -> str:
    return f"Watch at step {told.step}: {told.verdict.replace('_', ' ')}: {told.reason}"


def _finished(_: Fact, told: Any) -> str:
    return f"Deployment of {short(told.release)} {told.outcome.replace('_', ' ')}: {told.reason}"


def _captured(_: Fact, told: Any) -> str:
    sign = told.signature
    what = sign.exception or (f"status {sign.status}" if sign.status else "failure")
    where = f" in {sign.frame}" if sign.frame else (f" on {sign.path}" if sign.path else "")
    return f"Failure captured in {told.environment}: {what}{where}"


def _opened(_: Fact, told: Any) -> str:
    return f"Incident {told.incident} opened by {_OPENERS[told.opened_by]}: {told.summary}"


_OPENERS = {"rollback": "a rollback", "alert": "an alert", "bypass": "a bypass", "person": "a person"}


def _moved(fact: Fact, told: Any) -> str:
    role = f" by {told.role}" if told.role else ""
    why = f": {told.reason}" if told.reason else ""
    if told.other:
        merged = fact.kind == "incident.merged"
        return f"{told.incident} merged into {told.other}{role}{why}" if merged else ""
    return f"Incident {fact.kind.partition('.')[2]}{role}{why}"


def _milestone(_: Fact, told: Any) -> str:
    role = f" by {told.role}" if told.role else (f" by {told.source}" if told.source else "")
    return f"Milestone “{told.milestone.replace('_', ' ')}” stated{role}"


def _note(_: Fact, told: Any) -> str:
    source = f" ({told.source})" if told.source else ""
    return f"{told.role}: {told.text}{source}" if told.role else f"{told.text}{source}"


def _imported(_: Fact, told: Any) -> str:
    against = sum(excerpt.about == "contradiction" for excerpt in told.excerpts)
    odd = f"; it contradicts itself in {against} places" if against > 1 else ""
    odd = "; it contradicts itself in one place" if against == 1 else odd
    return f"Post-mortem {told.file} imported: {told.lines} lines of a timeline{odd}"


def _edge_case(_: Fact, told: Any) -> str:
    test = f", tested by {told.test}" if told.test else ", with no test yet"
    return f"Edge case {told.edge_case} documented{test}: {told.words}"


def _retired(_: Fact, told: Any) -> str:
    return f"Edge case {told.edge_case} retired: {told.reason}"


def _replayed(_: Fact, told: Any) -> str:
    why = f": {told.reason}" if told.reason else ""
    count = f"{told.differences} of {told.requests} replies differ"
    return f"Replay on {told.release}: {told.decision}, {count}{why}"


def _published(_: Fact, told: Any) -> str:
    return f"Review published, revision {told.revision}"


def _proposed(_: Fact, told: Any) -> str:
    return f"Amendment {told.amendment} proposed ({told.kind}): {told.title}"


def _judged(fact: Fact, told: Any) -> str:
    word = {"proven": "proven", "disproven": "disproven", "unreplayable": "not replayable"}
    return f"Amendment {told.amendment} {word[fact.kind.partition('.')[2]]}: {told.reason}"


def _amended(fact: Fact, told: Any) -> str:
    word = {"activated": "active", "lapsed": "lapsed"}.get(fact.kind.partition(".")[2], "accepted as a risk")
    return f"Amendment {told.amendment} {word}{f': {told.reason}' if told.reason else ''}"


_SENTENCES: dict[type[Any], Callable[[Fact, Any], str]] = {
    p.ChangeMerged: _merged,
    p.ChangeReviewed: _reviewed,
    p.ReleaseDeclared: _declared,
    p.SuiteFinished: _suite,
    p.ExerciseRecorded: _exercise,
    p.EdgeCaseDocumented: _edge_case,
    p.EdgeCaseRetired: _retired,
    p.ReplayFinished: _replayed,
    p.SignedOff: _signed,
    p.OverrideGranted: _override,
    p.GatesDecided: _gates,
    p.PolicyAdopted: _policy,
    p.ServiceDeployed: _deployed,
    p.ServiceRolledBack: _rolled_back,
    p.QuarantineSet: _quarantined,
    p.QuarantineLifted: _quarantined,
    p.DeploymentRequested: _requested,
    p.DeploymentSteered: _steered,
    p.StepStarted: _step,
    p.StepConcluded: _concluded,
    p.ActuationIntended: _intended,
    p.ActuationDone: _done,
    p.WatchAssessed: _watch,
    p.DeploymentFinished: _finished,
    p.FailureCaptured: _captured,
    p.IncidentOpened: _opened,
    p.IncidentMoved: _moved,
    p.MilestoneSet: _milestone,
    p.NoteTaken: _note,
    p.PostmortemImported: _imported,
    p.ReviewPublished: _published,
    p.AmendmentProposed: _proposed,
    p.AmendmentJudged: _judged,
    p.AmendmentMoved: _amended,
    **CASE_SENTENCES,
}
