"""Amendments: proposed, activated once they are proven, lapsed when their guard is gone, listed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from amends.amendments.amendment import Amendment, AmendmentState, fold_amendment, fold_amendments, may_move
from amends.amendments.selector import parse_selector
from amends.application.log import Log
from amends.application.ports import CodeHost
from amends.application.record import release_names, require_incident
from amends.errors import NotAllowedError, NotFoundError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact

_ATTEMPTS = 50

# Given a policy's text, an environment, a gate's entry and why: the text with that gate in it.
AddGate = Callable[[str, str, Mapping[str, Any], str], str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: a test by its command, or a gate by its policy entry.

    ``bad`` is the escaped release and ``good`` the fix, by any of their names; ``signature`` is the
    failure's, where the incident has none recorded. ``test_text`` is a test that is not in the repository
    yet, ``reduction`` how its input was made. For a gate, ``selector`` may name the test that stands for the
    evidence that did not exist then.
    """

    kind: Literal["test", "gate"]
    title: str = ""
    selector: str = ""
    test_text: str = ""
    gate: Mapping[str, Any] | None = None
    environment: str = ""
    bad: str = ""
    good: str = ""
    signature: p.Signature | None = None
    reduction: p.Reduction | None = None
    team: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Activation:
    """What activating means: ``diff`` is the change to ``path`` that carries it, ``text`` the file after it.

    ``diff`` is empty when the guard is in place already.
    """

    amendment: Amendment
    path: str
    diff: str
    text: str


def propose(log: Log, incident: str, proposal: Proposal) -> Amendment:
    """Propose an amendment and return it. Raises ``UsageError`` for a gate or test that cannot be read."""
    found = require_incident(log, incident)
    selector = parse_selector(proposal.selector) if proposal.selector else None
    if proposal.kind == "test" and selector is None:
        raise UsageError("which test?", remedy="give --test 'pytest path/to/test.py::test_name'")
    gate = dict(proposal.gate or {})
    kind = _gate_kind(gate) if proposal.kind == "gate" else ""
    for _ in range(_ATTEMPTS):
        name = _next_id(log)
        told = p.AmendmentProposed(
            amendment=name, incident=incident, service=found.service, kind=proposal.kind,
            title=proposal.title or (f"gate: {kind}" if kind else f"test: {proposal.selector}"),
            team=proposal.team or found.opened.team, role=proposal.role, selector=proposal.selector,
            test_path=selector.path if selector else "", test_text=proposal.test_text, gate=gate,
            environment=(proposal.environment or found.environment) if kind else "",
            bad=proposal.bad or found.release, good=proposal.good,
            signature=proposal.signature or _signature(log, incident), reduction=proposal.reduction,
        )  # fmt: skip
        try:
            log.record("amendment.proposed", told, expected=0)
        except VersionConflictError:
            continue
        return require_amendment(log, name)
    raise VersionConflictError("others took the next amendment's number first", remedy="try again")


def _gate_kind(gate: Mapping[str, Any]) -> str:
    """Check a gate's entry as the policy would. Raises ``UsageError`` with what is wrong."""
    from pydantic import ValidationError

    from amends.gates.entry import GateEntry, gate_kinds

    if not gate:
        raise UsageError("which gate?", remedy="give --gate FILE.yaml with one entry, as in amends.yaml")
    try:
        return GateEntry.model_validate(gate).kind
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'gate'}: {e['msg']}" for e in error.errors())
        raise UsageError(
            f"this is not a gate: {faults}; kinds are {', '.join(gate_kinds())}",
            remedy="write one entry as in amends.yaml, for example: tests: {suites: [regression]}",
        ) from None


def _signature(log: Log, incident: str) -> p.Signature:
    """Return the signature of the failure that was captured for the incident; empty without one.

    The first counts, and the first with an exception more: a status says where it failed, but not how.
    """
    found = require_incident(log, incident)
    names = release_names(log, found.service, found.release)
    tags = [f"incident:{incident}", *(f"release:{found.service}@{name}" for name in sorted(names))]
    known = [
        fact.payload.signature for fact in log.facts(tags=tags, kinds=["failure.captured"])
        if isinstance(fact.payload, p.FailureCaptured) and fact.payload.incident in ("", incident)
    ]  # fmt: skip
    return next((told for told in known if told.exception), known[0] if known else p.Signature())


def _next_id(log: Log) -> str:
    numbers = [0]
    for fact in log.facts(kinds=("amendment.proposed",)):
        tail = fact.recorded.stream.removeprefix("amendment/AM-")
        if tail.isdigit():
            numbers.append(int(tail))
    return f"AM-{max(numbers) + 1}"


def require_amendment(log: Log, amendment: str) -> Amendment:
    """Return an amendment. Raises ``NotFoundError``, naming the latest ones."""
    found = fold_amendment(log.stream(f"amendment/{amendment}"))
    if found is not None:
        return found
    recent = log.facts(kinds=("amendment.proposed",), newest_first=True, limit=5)
    names = ", ".join(fact.recorded.stream.removeprefix("amendment/") for fact in recent) or "none yet"
    raise NotFoundError(
        f"found no amendment {amendment!r}; the latest are: {names}", remedy="see `amends amendment list`"
    )


def list_amendments(
    log: Log, *, service: str = "", incident: str = "", state: str = "", limit: int = 200
) -> list[Amendment]:
    """Return amendments, the newest first. Raises ``UsageError`` for an unknown state."""
    states = [str(s) for s in AmendmentState]
    if state and state not in states:
        raise UsageError(f"found the state {state!r}; allowed are {', '.join(states)}")
    if incident:
        require_incident(log, incident)
    tags = [f"incident:{incident}"] if incident else ([f"service:{service}"] if service else [])
    proposed = log.facts(tags=tags, kinds=("amendment.proposed",), newest_first=True, limit=limit)
    tags = [f"amendment:{getattr(fact.payload, 'amendment', '')}" for fact in proposed]
    found = fold_amendments(log.facts(tags=tags)) if tags else ()
    return [a for a in reversed(found) if (not state or a.state == state)]


def plan_activation(
    log: Log, amendment: str, *, host: CodeHost | None = None, policy_text: str = "",
    policy_path: str = "amends.yaml", add_gate: AddGate | None = None,
) -> Activation:  # fmt: skip
    """Return the change that puts a proven guard in place; nothing is written.

    A gate goes into the policy's text through ``add_gate``. A test must be in the repository at HEAD, or its
    text must be part of the proposal. Raises ``NotAllowedError`` unless the amendment is proven.
    """
    found = require_amendment(log, amendment)
    if found.state is AmendmentState.ACTIVE:
        raise NotAllowedError(
            f"{amendment} is active already", remedy=f"see `amends amendment show {amendment}`"
        )
    if found.state is not AmendmentState.PROVEN:
        raise NotAllowedError(
            f"{amendment} is {found.state}; only what is proven becomes active",
            remedy=f"prove it first: amends amendment prove {amendment}",
        )
    if found.proposed.kind == "gate":
        if add_gate is None or not policy_text:
            raise UsageError("there is no policy to put the gate into", remedy="name it with --policy FILE")
        because = f"added after {found.incident}, proven by {found.id}"
        after = add_gate(policy_text, found.proposed.environment, found.proposed.gate, because)
        return Activation(found, policy_path, _diff(policy_path, policy_text, after), after)
    return _test_activation(found, host)


def _test_activation(found: Amendment, host: CodeHost | None) -> Activation:
    path, text = found.proposed.test_path, found.proposed.test_text
    if not path:
        return Activation(found, "", "", "")
    current = host.show("HEAD", path) if host is not None else None
    if current is not None and (not text or current == text):
        return Activation(found, path, "", current)
    if not text:
        raise NotAllowedError(
            f"the test {path} is not in the repository at HEAD",
            remedy="commit it (it may come with the fix), then activate",
        )
    return Activation(found, path, _diff(path, current or "", text), text)


def record_activation(log: Log, planned: Activation, *, role: str = "", policy: str = "") -> Fact:
    """Record that the guard is in place. ``policy`` is the digest of the policy that has the gate."""
    moved = p.AmendmentMoved(
        amendment=planned.amendment.id, incident=planned.amendment.incident,
        service=planned.amendment.proposed.service, role=role, diff=planned.diff, policy=policy,
        reason=f"in {planned.path}" if planned.path else "",
        guard=planned.text if planned.amendment.proposed.kind == "test" else "",
    )  # fmt: skip
    return _move(log, "amendment.activated", planned.amendment.id, moved)


def lapse(log: Log, amendment: str, *, reason: str, role: str = "") -> Fact:
    """Record that an active guard holds no more: deleted, skipped or weakened. It can be proven anew."""
    return _move(log, "amendment.lapsed", amendment, _moved(log, amendment, reason, role))


def accept_risk(log: Log, amendment: str, *, reason: str, until: datetime, role: str) -> Fact:
    """Record that a role lives without this guard until a date, and why. Raises ``UsageError``."""
    if not reason.strip() or not role.strip():
        raise UsageError("an accepted risk needs a reason and a role", remedy="give --reason and --role")
    if until <= log.clock.now():
        raise UsageError("an accepted risk ends in the future", remedy="give a later --until")
    return _move(log, "amendment.accepted", amendment, _moved(log, amendment, reason, role, until))


def _moved(
    log: Log, amendment: str, reason: str, role: str, until: datetime | None = None
) -> p.AmendmentMoved:
    found = require_amendment(log, amendment)
    return p.AmendmentMoved(
        amendment=amendment, incident=found.incident, service=found.proposed.service, reason=reason,
        role=role, until=until,
    )  # fmt: skip


def _move(log: Log, kind: str, amendment: str, moved: p.AmendmentMoved) -> Fact:
    for _ in range(_ATTEMPTS):
        found = require_amendment(log, amendment)
        if not may_move(found.state, kind):
            raise NotAllowedError(
                f"{amendment} is {found.state}; that cannot become {kind.partition('.')[2]}",
                remedy=f"see `amends amendment show {amendment}`",
            )
        try:
            return log.record(kind, moved, expected=found.version)
        except VersionConflictError:
            continue
    raise VersionConflictError(f"others keep writing to {amendment}", remedy="try again")


def _diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True),
        fromfile=f"a/{path}" if before else "/dev/null", tofile=f"b/{path}",
    )  # fmt: skip
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def amendment_data(found: Amendment) -> dict[str, Any]:
    """Return an amendment as JSON-able values, as ``amends amendment show --format json`` prints it."""
    import msgspec

    told = found.proposed
    data: dict[str, Any] = msgspec.to_builtins(
        {
            "amendment": found.id, "incident": found.incident, "service": told.service, "kind": told.kind,
            "title": told.title, "state": found.state, "reason": found.reason, "team": told.team,
            "selector": told.selector, "gate": told.gate, "environment": told.environment,
            "bad": told.bad, "good": told.good, "signature": told.signature,
            "proposed_at": found.proposed_at, "moved_at": found.moved_at, "until": found.until,
            "produced_later": found.produced_later, "price": found.price, "diff": found.diff,
            "runs": [
                {
                    "event": run.event, "at": run.at, "on": run.run.on, "release": run.run.release,
                    "commit": run.run.commit, "attempt": run.run.attempt, "outcome": run.run.outcome,
                    "signature": run.run.signature, "matches": run.run.matches, "note": run.run.note,
                    "produced_later": run.run.produced_later,
                }
                for run in found.runs
            ],
        }
    )  # fmt: skip
    return data
