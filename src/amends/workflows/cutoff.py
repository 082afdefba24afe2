"""What a process may do while it cannot reach the log: watch on, and roll back what is provably worse.

The roll-back carries the token that its intent would have had. Intent and outcome are noted on this machine's
disk, each before what follows it, and reported once the log is there again. If others went on meanwhile, the
roll-back is ordered anew on top of what they did: in doubt the candidate gets no traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from amends.application.deploying import request_rollback
from amends.errors import EventConflictError, NotFoundError, StoreUnavailableError, VersionConflictError
from amends.events import payloads as p
from amends.events.event import format_time, parse_time
from amends.releases.actuation import Action
from amends.releases.deployment import Deployment, Intent
from amends.workflows.actuating import actuate
from amends.workflows.sighting import load
from amends.workflows.toolbox import SOURCE, Progress, Sight, Toolbox, event_id
from amends.workflows.watching import Looked, take_look

_LOOK_FOR_THE_LOG = timedelta(seconds=2)
_REPORTS_IN_A_ROW = 10


def carry_on_cut_off(tools: Toolbox, deployment: str, error: StoreUnavailableError) -> Progress:
    """Do what can be done for a deployment without the log; it is looked for again in two seconds."""
    sight = tools.memory.get(deployment)
    again = tools.clock.now() + _LOOK_FOR_THE_LOG
    if sight is None or sight.deployment.finished:
        return Progress(again, False, f"the log cannot be reached: {error.message}")
    d = sight.deployment
    if sight.cut_off:
        return Progress(again, False, "rolled back without the log; waits to report it")
    if d.retreat is not None and d.started_at is not None and not d.rolled_back:
        return roll_back_cut_off(tools, sight, None)
    if not d.watching or tools.clock.now() < _next_look(sight):
        return Progress(again, False, f"the log cannot be reached: {error.message}")
    looked = take_look(tools, sight)
    sight = replace(sight, watch=looked.state)
    tools.memory[d.id] = sight
    if looked.roll_back:
        return roll_back_cut_off(tools, sight, looked)
    return Progress(again, False, f"watches on without the log: {looked.payload.reason}")


def roll_back_cut_off(tools: Toolbox, sight: Sight, looked: Looked | None) -> Progress:
    """Roll back without the log, noting it on this machine's disk before and after."""
    d = sight.deployment
    at = tools.clock.now()
    intended = d.pending if d.pending is not None and d.pending.action is Action.ROLL_BACK else None
    reason = looked.payload.reason if looked else (d.retreat.reason if d.retreat else "")
    intent = intended or Intent(Action.ROLL_BACK, sight.lane_seq + 1, d.step, 0, reason, at)
    if intended is None:
        _note(tools, _intent_entry(d, intent, looked))
    done = actuate(tools, d, intent)
    again = tools.clock.now() + _LOOK_FOR_THE_LOG
    if done.outcome == "refused":
        tools.memory[d.id] = replace(sight, cut_off=True)
        return Progress(again, False, "the deployer has seen a newer order than this process knows of")
    if done.outcome == "failed":
        return Progress(again, False, f"roll back failed and is tried without end: {done.detail}")
    if intended is None:
        _note(tools, _outcome_entry(d, intent, done, tools.clock.now()))
    tools.memory[d.id] = replace(sight, cut_off=True)
    return Progress(again, False, f"rolled back without the log: {reason}")


def report_spool(tools: Toolbox) -> None:
    """Report to the log what was done without it; nothing happens when nothing was.

    Raises
    ------
    StoreUnavailableError
        The log still cannot be reached; the notes are kept.
    """
    entries = tools.spool.entries()
    for intent in [e for e in entries if e.get("kind") == "intent"]:
        outcome = next((e for e in entries if e.get("kind") == "outcome" and _same(e, intent)), None)
        _report_one(tools, intent, outcome)
        tools.spool.remove([str(e["id"]) for e in (intent, outcome) if e is not None])
        tools.memory.pop(str(intent["deployment"]), None)


def _next_look(sight: Sight) -> datetime:
    d = sight.deployment
    assert d.step_started_at is not None
    last = max(
        d.step_started_at,
        d.look.at if d.look else d.step_started_at,
        sight.watch.at if sight.watch else d.step_started_at,
    )
    return last + timedelta(seconds=d.course.interval)


def _note(tools: Toolbox, entry: Mapping[str, Any]) -> None:
    # A full disk must not keep traffic on a release that is provably worse; the watch finds the candidate
    # gone when the log returns, and records that.
    try:
        if entry["id"] not in {e.get("id") for e in tools.spool.entries()}:
            tools.spool.write(entry)
    except StoreUnavailableError:
        return


def _intent_entry(d: Deployment, intent: Intent, looked: Looked | None) -> dict[str, Any]:
    look = {"payload": msgspec.to_builtins(looked.payload), "at": format_time(looked.at)} if looked else None
    return {
        "id": event_id(d.id, intent.token, "spooled intent"), "kind": "intent", "deployment": d.id,
        "token": intent.token, "step": intent.step, "reason": intent.reason, "at": format_time(intent.at),
        "look": look,
    }  # fmt: skip


def _outcome_entry(d: Deployment, intent: Intent, done: p.ActuationDone, at: datetime) -> dict[str, Any]:
    return {
        "id": event_id(d.id, intent.token, "spooled outcome"), "kind": "outcome", "deployment": d.id,
        "token": intent.token, "at": format_time(at), "done": msgspec.to_builtins(done),
    }  # fmt: skip


def _same(outcome: Mapping[str, Any], intent: Mapping[str, Any]) -> bool:
    return all(outcome.get(key) == intent.get(key) for key in ("deployment", "token"))


def _report_one(tools: Toolbox, entry: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> None:
    tools.memory.pop(str(entry["deployment"]), None)
    for _ in range(_REPORTS_IN_A_ROW):
        try:
            d = load(tools, str(entry["deployment"])).deployment
        except NotFoundError:
            return
        token = int(entry["token"])
        try:
            if d.finished:
                _report_to_finished(tools, d, entry)
            elif _is_reported(d.pending, token):
                _report_outcome(tools, outcome)
            elif not _underway(d):
                _report_look(tools, d, entry)
                sight = load(tools, d.id)
                _report_intent(tools, sight, entry)
                if sight.lane_seq + 1 == token:
                    _report_outcome(tools, outcome)
        except (VersionConflictError, EventConflictError):
            continue
        return


def _is_reported(pending: Intent | None, token: int) -> bool:
    """Whether the intent stands in the log already, and not another one at its place."""
    return pending is not None and pending.token == token and pending.action is Action.ROLL_BACK


def _underway(d: Deployment) -> bool:
    """Whether somebody's roll-back is in the log already: theirs is newer, and it ends the same way."""
    return d.rolled_back or (d.pending is not None and d.pending.action is Action.ROLL_BACK)


def _report_to_finished(tools: Toolbox, d: Deployment, entry: Mapping[str, Any]) -> None:
    if d.outcome == "promoted":
        # Somebody promoted what this machine had rolled back: bring the log and the world together again.
        request_rollback(
            tools.log, d.service, d.environment, reason=f"rolled back while cut off: {entry['reason']}",
            plan=d.plan, policy=d.policy, role="amends", identity=event_id(d.id, "cut off"),
        )  # fmt: skip


def _report_look(tools: Toolbox, d: Deployment, entry: Mapping[str, Any]) -> None:
    look = entry.get("look")
    if not look:
        return
    tick = d.look.tick + 1 if d.look else 1
    payload = msgspec.structs.replace(msgspec.convert(look["payload"], p.WatchAssessed), tick=tick)
    identity = event_id(d.id, entry["token"], "spooled look")
    _once(lambda: tools.log.record(
        "watch.assessed", payload, id=identity, source=SOURCE, at=parse_time(look["at"])
    ))  # fmt: skip


def _report_intent(tools: Toolbox, sight: Sight, entry: Mapping[str, Any]) -> None:
    d = sight.deployment
    payload = p.ActuationIntended(
        deployment=d.id, service=d.service, environment=d.environment, action="roll_back",
        step=int(entry["step"]), weight=0, reason=str(entry["reason"]),
    )  # fmt: skip
    tools.log.record(
        "actuation.intended", payload, id=event_id(d.id, sight.lane_seq + 1, "intended"), source=SOURCE,
        at=parse_time(str(entry["at"])), expected=sight.lane_seq,
    )  # fmt: skip


def _report_outcome(tools: Toolbox, outcome: Mapping[str, Any] | None) -> None:
    if outcome is None:
        return
    done = msgspec.convert(outcome["done"], p.ActuationDone)
    identity = event_id(done.deployment, done.token, done.outcome, "")
    _once(lambda: tools.log.record(
        "actuation.done", done, id=identity, source=SOURCE, at=parse_time(str(outcome["at"]))
    ))  # fmt: skip


def _once(record: Callable[[], object]) -> None:
    try:
        record()
    except EventConflictError:
        return  # said before, perhaps by a report that was interrupted
