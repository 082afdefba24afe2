"""What a deployment does next: a pure function of its state and the time.

It decides; ``workflows.advance`` does. Safety comes first in its order: a retreat goes before everything, and
a pause or a question to a person stops the shifting, never the watching.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from amends.releases.actuation import Action
from amends.releases.deployment import Cause, Deployment, Intent, Outcome, Phase
from amends.releases.wording import promotion_reason


@dataclass(frozen=True, slots=True)
class EvaluateGates:
    """Ask the gates now."""


@dataclass(frozen=True, slots=True)
class Intend:
    """Append the intent of an actuation, then carry it out."""

    action: Action
    step: int
    weight: int
    reason: str


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Carry out an intent of the log that has no outcome yet, under its own token."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class StartStep:
    """Say that a step's time runs."""

    step: int
    weight: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Take a look at both arms now."""


@dataclass(frozen=True, slots=True)
class ConcludeStep:
    """A step's time is over and its last look taken: may the candidate go on?"""

    step: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Keep the release from being deployed again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Say how it ended, and what runs now."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """Open the incident of a rollback, confirmed or not."""


@dataclass(frozen=True, slots=True)
class DraftReview:
    """Draft the review of its incident."""

    incident: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until`` (``None``: until something happens, ``person``: by somebody)."""

    until: datetime | None
    why: str
    person: bool = False


Do = (
    EvaluateGates | Intend | CarryOut | StartStep | Watch | ConcludeStep | Quarantine | Finish | OpenIncident
    | DraftReview | Wait
)  # fmt: skip

_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 60.0


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after this many failures in a row: 2, 4, 8, … at most 60 s."""
    return timedelta(seconds=min(_FIRST_PAUSE * 2 ** min(failures - 1, 8), _LONGEST_PAUSE))


def next_try(d: Deployment) -> datetime | None:
    """Return when an order that failed or was refused is given again; ``None`` when none was."""
    if d.pending is not None:
        failed = d.pending.failed_at
        return None if failed is None else failed + pause_after(d.pending.failures)
    return d.refused_at + pause_after(d.refusals) if d.refused_at is not None and d.refusals else None


def next_action(d: Deployment, now: datetime, *, gates_fresh: bool = False) -> Do:
    """Return what to do now.

    ``gates_fresh`` says that the gates were asked in this very run: a start never relies on an answer from
    before (a window may have closed while a person was asked).
    """
    if d.finished:
        return _after_the_end(d)
    if d.retreat is not None:
        return _retreat(d, now)
    if d.pending is not None:
        return _again(d, d.pending, now)
    until = next_try(d)
    if until is not None and now < until:
        return _look_or(d, now, Wait(until, "the deployer has seen a newer order; decides anew"))
    return _proceed(d, now, gates_fresh)


def outcome_of(d: Deployment) -> Outcome:
    """Return how a retreat is called once it is done.

    What never had traffic has only failed to start; nothing in production suffered.
    """
    cause = d.retreat.cause if d.retreat else Cause.WORSE
    if cause is Cause.ABORTED:
        return "aborted"
    return "failed" if cause is Cause.FAILED and not d.served else "rolled_back"


def next_look(d: Deployment) -> datetime:
    """Return when the watch looks next: each interval, and at the very end of a step."""
    assert d.step_started_at is not None
    assert d.step_ends_at is not None
    last = d.step_started_at
    if d.look is not None and d.look.at > last:
        last = d.look.at
    due = last + timedelta(seconds=d.course.interval)
    return due if _seen_to_the_end(d) else min(due, d.step_ends_at)


def _after_the_end(d: Deployment) -> Do:
    # A retreat that another roll-back overtook has ended as aborted, and may have left an incident.
    if d.outcome != "rolled_back" and not (d.quarantined and d.incident):
        return Wait(None, f"finished: {d.outcome}")
    left = _aftermath(d, d.outcome_reason)
    if left is not None:
        return left
    if not d.reviewed:
        return DraftReview(d.incident)
    return Wait(None, f"finished: {str(d.outcome).replace('_', ' ')}, see {d.incident}")


def _aftermath(d: Deployment, reason: str) -> Quarantine | OpenIncident | None:
    if not d.quarantined:
        return Quarantine(reason)
    return None if d.incident else OpenIncident()


def _retreat(d: Deployment, now: datetime) -> Do:
    assert d.retreat is not None
    reason = d.retreat.reason
    if d.started_at is None and d.kind == "rollout":
        return Finish("aborted", reason)
    if d.rolled_back:
        outcome = outcome_of(d)
        if outcome == "rolled_back" and not d.quarantined:
            return Quarantine(reason)
        return Finish(outcome, reason)
    do = _roll_back(d, now)
    if isinstance(do, Wait) and outcome_of(d) == "rolled_back":
        # It may go on serving for long: people and gates have to know before it is gone.
        return _aftermath(d, reason) or do
    return do


def _roll_back(d: Deployment, now: datetime) -> Do:
    assert d.retreat is not None
    if d.pending is not None and d.pending.action is Action.ROLL_BACK:
        return _again(d, d.pending, now)
    until = next_try(d)
    if d.pending is None and until is not None and now < until:
        return Wait(until, "the roll-back was refused as stale; tries anew")
    return Intend(Action.ROLL_BACK, d.step, 0, d.retreat.reason)


def _again(d: Deployment, intent: Intent, now: datetime) -> Do:
    until = next_try(d)
    if until is None or now >= until:
        return CarryOut(intent)
    tries = "without end" if intent.action is Action.ROLL_BACK else f"{d.course.attempts} times"
    wait = Wait(
        until, f"{intent.action} failed {intent.failures} time(s), is tried {tries}: {intent.problem}"
    )
    return wait if intent.action is Action.ROLL_BACK else _look_or(d, now, wait)


def _proceed(d: Deployment, now: datetime, gates_fresh: bool) -> Do:
    if d.paused and not _half_way(d):
        return _look_or(d, now, Wait(None, f"paused: {d.paused}", person=True))
    match d.phase:
        case Phase.GATING:
            return _waiting_for_gates(d) if gates_fresh else EvaluateGates()
        case Phase.APPROVAL:
            return Wait(None, "waits for a person's approval", person=True)
        case Phase.READY | Phase.STARTING:
            # STARTING without a pending intent: the start was refused, someone newer acted
            start = Intend(Action.START, 0, 0, "the gates passed")
            return start if gates_fresh else EvaluateGates()
        case Phase.ASKING:
            return _look_or(d, now, Wait(None, f"waits for a person: {d.question}", person=True))
        case Phase.STEPPING:
            return _in_step(d, now)
        case Phase.PROMOTING:
            return _promote(d)
        case _:
            return _shift(d)


def _waiting_for_gates(d: Deployment) -> Wait:
    if d.gates is None:
        return Wait(None, "the gates have not answered")
    open_rows = [
        g for g in d.gates.gates if g.mode == "block" and g.decision != "pass" and not g.overridden_by
    ]
    until = min((g.until for g in open_rows if g.until is not None), default=None)
    why = "; ".join(f"{g.gate}: {g.reason}" for g in open_rows) or "no gate answered"
    return Wait(until, f"gates {d.gates.decision}: {why}")


def _half_way(d: Deployment) -> bool:
    """Whether traffic was shifted and only the log has yet to say what that means."""
    if d.done is None:
        return False
    if d.phase is Phase.PROMOTING:
        return d.done.action is Action.PROMOTE
    return d.phase is Phase.SHIFTING and d.done.action is Action.SHIFT and d.done.step == d.step + 1


def _shift(d: Deployment) -> Do:
    step = d.course.steps[d.step]
    if _half_way(d):
        return StartStep(d.step + 1, step.weight, step.seconds)
    return Intend(Action.SHIFT, d.step + 1, step.weight, f"step {d.step + 1} of {len(d.course.steps)}")


def _promote(d: Deployment) -> Do:
    if _half_way(d):
        return Finish("promoted", promotion_reason(d))
    return Intend(Action.PROMOTE, d.step, 100, "every step is through")


def _in_step(d: Deployment, now: datetime) -> Do:
    if _seen_to_the_end(d):
        return ConcludeStep(d.step)
    return _look_or(d, now, Wait(None, f"watches step {d.step} of {len(d.course.steps)}"))


def _seen_to_the_end(d: Deployment) -> bool:
    if d.look is None or d.step_ends_at is None:
        return False
    return d.look.step == d.step and d.look.at >= d.step_ends_at


def _look_or(d: Deployment, now: datetime, otherwise: Wait) -> Do:
    if not d.watching:
        return otherwise
    due = next_look(d)
    if now >= due:
        return Watch()
    until = due if otherwise.until is None else min(due, otherwise.until)
    return Wait(until, otherwise.why, otherwise.person)
