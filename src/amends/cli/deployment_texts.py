"""How deployments are told in a terminal: one line for each thing that happened, JSON lines on request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import typer

from amends.application.deployments import find_deployment
from amends.application.forecasting import kept_forecast
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.events.event import format_time
from amends.releases.bypass import Bypass
from amends.releases.deployment import Deployment
from amends.watch.foretold import forecast_lines

_EXIT_BY_OUTCOME = {"promoted": 0, "rolled_back": 1, "aborted": 1, "refused": 1, "failed": 4}
_EXIT_WAITING = 3


class Teller:
    """Tells a person (or a program) what becomes of a deployment."""

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._told: dict[str, str] = {}

    def say(self, text: str) -> None:
        """Say something that only a person needs."""
        if not self._json:
            typer.echo(text)

    def asked(self, deployment: str, what: str) -> None:
        """Tell the id of what was asked for."""
        self._line({"deployment": deployment, "asked": what}, f"{deployment}: {what}")

    def step(self, deployment: str, did: str) -> None:
        """Tell what was done; a person is not told twice that a look or a retry gave the same."""
        topic = did.partition(":")[0]
        if not self._json and self._told.get(topic) == did:
            return
        self._told[topic] = did
        self._line({"deployment": deployment, "did": did}, f"  {did}")

    def end(self, log: Log, deployment: str, why: str = "", *, meant: str = "promoted") -> int:
        """Tell how it stands, and return the exit code for that: 0 where it ended as it was ``meant``."""
        d = find_deployment(log, deployment)
        code = 0 if d.outcome == meant else exit_code(d)
        if d.finished:
            text = f"{d.id}: {str(d.outcome).replace('_', ' ')}" + (f", {d.incident}" if d.incident else "")
        else:
            text = f"{d.id} waits" + (f": {why}" if why else "")
        self._line({**summary(d), "exit": code, "why": why or d.outcome_reason}, text)
        return code

    def follow(self, log: Log, deployment: str) -> None:
        """Tell each event of a deployment as it comes, until it is finished."""
        tag, position = (f"deployment:{deployment}",), 0
        while True:
            for fact in log.facts(tags=tag, after=position):
                position = fact.recorded.position
                self.step(deployment, sentence(fact))
                if fact.kind == "deployment.finished":
                    return
            log.store.wait(max(position, log.store.last_position()), 1.0)

    def _line(self, data: Mapping[str, Any], text: str) -> None:
        typer.echo(json.dumps(data) if self._json else text)


def exit_code(d: Deployment) -> int:
    """Return 0 promoted (a roll-back: done), 1 blocked or rolled back, 3 waiting, 4 failed."""
    if d.outcome is not None:
        return 0 if d.kind == "rollback" and d.outcome == "rolled_back" else _EXIT_BY_OUTCOME[d.outcome]
    if d.started_at is None and d.gates is not None and d.gates.decision in ("block", "error"):
        return 1 if d.gates.decision == "block" else 4
    return _EXIT_WAITING


def summary(d: Deployment) -> dict[str, Any]:
    """Return a deployment in plain values."""
    return {
        "deployment": d.id, "kind": d.kind, "service": d.service, "release": d.candidate.version,
        "previous": d.baseline.version if d.baseline else None, "environment": d.environment,
        "phase": d.phase.value, "step": d.step, "steps": len(d.course.steps), "weight": d.weight,
        "paused": d.paused or None, "outcome": d.outcome, "reason": d.outcome_reason or d.question or None,
        "incident": d.incident or None, "requested_at": _time(d.requested_at),
        "finished_at": _time(d.finished_at), "forecast": dict(d.forecast) or None,
    }  # fmt: skip


def row(d: Deployment) -> str:
    """Return a deployment in one line."""
    where = f"{d.candidate} → {d.environment}"
    state = str(d.outcome).replace("_", " ") if d.outcome else d.phase.value
    at = f" at {d.weight}%" if d.weight and not d.finished else ""
    more = f" ({d.incident})" if d.incident else " (paused)" if d.paused else ""
    return f"{d.id}  {d.requested_at:%Y-%m-%d %H:%M}  {where:40} {state}{at}{more}"


def bypass_summary(one: Bypass) -> dict[str, Any]:
    """Return a deployment that went around its gates in plain values."""
    return {
        "service": one.service, "release": one.release, "environment": one.environment,
        "at": format_time(one.at), "event": one.event, "reason": one.reason,
        "decision": one.decision or None, "deployment": one.deployment or None,
    }  # fmt: skip


def bypass_row(one: Bypass) -> str:
    """Return a deployment that went around its gates in one line."""
    what = f"{one.service}@{one.release} → {one.environment}"
    return f"{one.at:%Y-%m-%d %H:%M}  {what}: {one.reason} ({one.event})"


def page(d: Deployment) -> list[str]:
    """Return a deployment in some lines, with what it waits for."""
    lines = [
        row(d),
        f"  from {d.baseline.version if d.baseline else 'nothing'}, {d.kind}, asked {d.reason or ''}".rstrip(
            ", "
        ),
    ]
    if d.gates is not None:
        lines.append(f"  gates: {d.gates.decision} as of {d.gates.at:%Y-%m-%d %H:%M} UTC")
        lines += [f"    {g.decision:9} {g.gate}: {g.reason}" for g in d.gates.gates]
    if d.step:
        lines.append(f"  step {d.step} of {len(d.course.steps)}, until {_time(d.step_ends_at)}")
    if d.look is not None:
        lines.append(f"  watch, look {d.look.tick}: {d.look.verdict}, {d.look.reason}")
    for said, text in (("paused", d.paused), ("asks", d.question), ("ended", d.outcome_reason)):
        if text:
            lines.append(f"  {said}: {text}")
    if d.retreat is not None and not d.finished:
        lines.append(f"  rolls back: {d.retreat.reason}")
    if d.pending is not None:
        failed = f", failed {d.pending.failures} times: {d.pending.problem}" if d.pending.failures else ""
        lines.append(f"  under way: {d.pending.action.value} to {d.pending.weight}%{failed}")
    return lines + [f"  {line}" for line in forecast_page(d)]


def forecast_page(d: Deployment) -> list[str]:
    """Return what the watch was expected to find before the rollout began, as it is kept with it."""
    foreseen = kept_forecast(d.forecast)
    return forecast_lines(foreseen) if foreseen else []


def sentence(fact: Fact) -> str:
    """Return an event of a deployment in one line."""
    said = fact.payload
    at = f"{fact.occurred_at:%H:%M:%S}"
    if isinstance(said, p.WatchAssessed):
        return f"{at} watch {said.tick}: {said.verdict}, {said.reason}"
    if isinstance(said, p.ActuationIntended):
        return f"{at} {said.action} to {said.weight}%: {said.reason}"
    if isinstance(said, p.ActuationDone):
        return f"{at} {said.action}: {said.outcome}"
    if isinstance(said, p.GatesDecided):
        return f"{at} gates: {said.decision}"
    outcome = getattr(said, "outcome", "")
    reason = getattr(said, "reason", "")
    return f"{at} {fact.kind}" + (f" {outcome}" if outcome else "") + (f": {reason}" if reason else "")


def _time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None
