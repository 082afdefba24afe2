"""Intent, actuation, outcome: in this order, so that a crash between any two of them can be made good."""

from __future__ import annotations

from amends.errors import ActuationRefusedError, AmendsError, EventConflictError
from amends.events import payloads as p
from amends.releases.actuation import Action, Actuation
from amends.releases.confirmation import observed_data, unconfirmed
from amends.releases.deployment import Deployment, Intent
from amends.releases.strategy import Intend
from amends.workflows.sighting import note
from amends.workflows.toolbox import SOURCE, Sight, Toolbox, event_id


def intend(tools: Toolbox, sight: Sight, do: Intend) -> Sight:
    """Append an intent on exactly the version of the lane that it was decided on.

    Raises
    ------
    VersionConflictError, EventConflictError
        Something happened in the lane since; nothing was appended.
    """
    d = sight.deployment
    payload = p.ActuationIntended(
        deployment=d.id, service=d.service, environment=d.environment, action=do.action.value,
        step=do.step, weight=do.weight, reason=do.reason,
    )  # fmt: skip
    expected = sight.lane_seq
    fact = tools.log.record(
        "actuation.intended", payload, id=event_id(d.id, expected + 1, "intended"), source=SOURCE,
        expected=expected,
    )  # fmt: skip
    return note(tools, sight, fact)


def order_of(d: Deployment, intent: Intent) -> Actuation:
    """Return the order that an intent stands for.

    Its fencing token is twice the intent's place in the lane, and one more for a roll-back: a worker that is
    cut off from the log rolls back at the place that its intent would have had, and another may write an
    intent to shift traffic there meanwhile. The roll-back outranks it, and what comes later outranks both.
    """
    token = 2 * intent.token + (intent.action is Action.ROLL_BACK)
    return Actuation(
        action=intent.action, service=d.service, environment=d.environment, deployment=d.id,
        candidate=d.candidate, baseline=d.baseline, weight=intent.weight, token=token,
    )  # fmt: skip


def carry_out(tools: Toolbox, sight: Sight, intent: Intent) -> tuple[Sight, str]:
    """Carry out an intent and append what came of it; doing so again, by anyone, changes nothing more."""
    d = sight.deployment
    done = actuate(tools, d, intent)
    number = intent.failures + 1 if done.outcome == "failed" else ""
    identity = event_id(d.id, intent.token, done.outcome, number)
    try:
        fact = tools.log.record("actuation.done", done, id=identity, source=SOURCE)
    except EventConflictError:
        # Another process carried out the same order and said so first.
        return sight, f"{intent.action}: recorded by another process"
    detail = f": {done.detail.splitlines()[0]}" if done.detail and done.outcome != "done" else ""
    # Events of others may lie between: the lane is read on from its last known place by the next load.
    if fact.recorded.seq == sight.lane_seq + 1:
        sight = note(tools, sight, fact)
    return sight, f"{_described(intent)}: {done.outcome}{detail}"


def actuate(tools: Toolbox, d: Deployment, intent: Intent) -> p.ActuationDone:
    """Give an order to the deployer and return its outcome, confirmed by what was read back."""
    order = order_of(d, intent)
    outcome, detail, observed = "done", "", {}
    try:
        seen = tools.deployer_for(d).actuate(order)
        observed = observed_data(seen)
        problem = unconfirmed(order, seen)
        outcome, detail = ("failed", problem) if problem else ("done", seen.detail)
    except ActuationRefusedError as error:
        outcome, detail = "refused", str(error)
    except AmendsError as error:
        outcome, detail = "failed", str(error)
    return p.ActuationDone(
        deployment=d.id, service=d.service, environment=d.environment, action=intent.action.value,
        token=intent.token, outcome=outcome, observed=observed, detail=detail,  # type: ignore[arg-type]
    )  # fmt: skip


def _described(intent: Intent) -> str:
    if intent.action is Action.SHIFT:
        return f"shift to {intent.weight}%"
    return intent.action.value.replace("_", " ")
