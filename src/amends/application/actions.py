"""Action items: added after an incident, changed, done with evidence, and shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amends.amendments.amendment import Amendment, AmendmentState, fold_amendments
from amends.application.amending import require_amendment
from amends.application.approving import read_progress
from amends.application.log import Log
from amends.application.record import require_incident
from amends.errors import NotAllowedError, NotFoundError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.reviews.actions import (
    Action,
    Guard,
    Owner,
    Priority,
    as_of,
    fold_action,
    fold_actions,
    may_move,
)

_ATTEMPTS = 50
_WORDS = {
    "begun": "is in progress", "done": "is done", "dropped": "is dropped", "accepted": "is an accepted risk",
    "reopened": "is open again",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an action item is to be, or what of it is to change; empty fields say nothing."""

    title: str = ""
    team: str = ""
    owner_role: str = ""
    due: datetime | None = None
    priority: Priority | None = None
    guard: str = ""

    def owner(self) -> tuple[str, Owner] | None:
        """Return the owner and its kind. Raises ``UsageError`` where both kinds are given."""
        if self.team.strip() and self.owner_role.strip():
            raise UsageError("an action item has one owner", remedy="give a team or a role, not both")
        if self.team.strip():
            return self.team.strip(), "team"
        return (self.owner_role.strip(), "role") if self.owner_role.strip() else None


def add_action(log: Log, incident: str, wanted: Wanted, *, role: str = "") -> Action:
    """Add an action item. Raises ``UsageError`` without a title or an owner, ``NotFoundError``."""
    found = require_incident(log, incident)
    guard = require_amendment(log, wanted.guard) if wanted.guard else None
    title = wanted.title.strip() or (guard.proposed.title if guard else "")
    owner = wanted.owner() or ((found.opened.team, "team") if found.opened.team else None)
    if not title:
        raise UsageError("what is to be done?", remedy="say it in a sentence, or name an amendment")
    if owner is None:
        raise UsageError("whose is it?", remedy="give --team TEAM or --owner-role ROLE, never a person")
    for _ in range(_ATTEMPTS):
        name = _next_id(log)
        told = p.ActionAdded(
            action=name, incident=incident, service=found.service, title=title, owner=owner[0],
            owner_kind=owner[1], due=wanted.due, priority=wanted.priority or "medium", guard=wanted.guard,
            role=role,
        )  # fmt: skip
        try:
            log.record("action.added", told, expected=0)
        except VersionConflictError:
            continue
        return require_action(log, name)
    raise VersionConflictError("others took the next item's number first", remedy="try again")


def _next_id(log: Log) -> str:
    numbers = [0]
    for fact in log.facts(kinds=("action.added",)):
        tail = fact.recorded.stream.removeprefix("action/ACT-")
        if tail.isdigit():
            numbers.append(int(tail))
    return f"ACT-{max(numbers) + 1}"


def change_action(log: Log, action: str, wanted: Wanted, *, role: str = "", reason: str = "") -> Action:
    """Change some of an action item's fields.

    Once the review has settled its items are fixed: a change then needs a reason, which stays in the record.
    """
    found = require_action(log, action)
    owner = wanted.owner() or ("", "")
    if wanted.guard:
        require_amendment(log, wanted.guard)
    settles = read_progress(log, found.incident).settles_at
    if settles is not None and settles <= log.clock.now() and not reason.strip():
        raise NotAllowedError(
            f"{action} is fixed: the review of {found.incident} settled at {settles:%Y-%m-%d %H:%M} UTC",
            remedy="say why it changes: --reason TEXT",
        )
    told = p.ActionChanged(
        action=action, incident=found.incident, service=found.service, title=wanted.title.strip(),
        owner=owner[0], owner_kind=owner[1], due=wanted.due, priority=wanted.priority or "",
        guard=wanted.guard, role=role, reason=reason.strip(),
    )  # fmt: skip
    log.record("action.changed", told)
    return require_action(log, action)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a role says about an action item. ``evidence`` shows that it works; ``until`` ends a risk."""

    role: str = ""
    reason: str = ""
    evidence: str = ""
    until: datetime | None = None


def move_action(log: Log, action: str, word: str, said: Moved) -> Action:
    """Begin an action item, or say that it is done, dropped, an accepted risk, or open again.

    Raises
    ------
    UsageError
        A word that is needed is missing: evidence for what is done, a reason for what is dropped, a reason, a
        role and a future end for a risk.
    NotAllowedError
        Its state does not allow it, or it stands for an amendment, whose proof alone makes it done.
    """
    _check_words(word, said, log.clock.now())
    for _ in range(_ATTEMPTS):
        found = require_action(log, action)
        _check_guard(log, found, word)
        stored = fold_action(log.stream(f"action/{action}"))
        state = found.state if word != "reopened" or stored is None else stored.state
        if not may_move(state, f"action.{word}"):
            raise NotAllowedError(
                f"{action} is {found.state}; that cannot become {_WORDS[word].removeprefix('is ')}",
                remedy=f"see `amends action show {action}`",
            )
        told = p.ActionMoved(
            action=action, incident=found.incident, service=found.service, role=said.role.strip(),
            reason=said.reason.strip(), evidence=said.evidence.strip(), until=said.until,
        )  # fmt: skip
        items: list[tuple[str, p.Payload, str]] = [(f"action.{word}", told, "")]
        if stored is not None and not may_move(stored.state, f"action.{word}"):
            again = p.ActionMoved(
                action=action, incident=found.incident, service=found.service, reason=found.reason
            )
            items.insert(0, ("action.reopened", again, ""))
        try:
            log.record_together(items, expected=found.version)
        except VersionConflictError:
            continue
        return require_action(log, action)
    raise VersionConflictError(f"others keep writing to {action}", remedy="try again")


def _check_words(word: str, said: Moved, now: datetime) -> None:
    if word not in _WORDS:
        raise UsageError(f"found the move {word!r}; allowed are {', '.join(_WORDS)}")
    if word == "done" and not said.evidence.strip():
        raise UsageError(
            "what shows that it works?", remedy="give --evidence: a run, a measurement, a link; not a promise"
        )
    if word in ("dropped", "accepted") and not (said.reason.strip() and said.role.strip()):
        raise UsageError(f"what {_WORDS[word]} needs a reason and a role", remedy="give --reason and --role")
    if word == "accepted" and (said.until is None or said.until <= now):
        raise UsageError("an accepted risk ends in the future", remedy="give a later --until")


def _check_guard(log: Log, found: Action, word: str) -> None:
    if word != "done" or not found.guard:
        return
    guard = require_amendment(log, found.guard)
    if guard.state is not AmendmentState.ACTIVE:
        raise NotAllowedError(
            f"{found.id} stands for {guard.id}, which is {guard.state}: its proof makes it done, not a word",
            remedy=f"amends amendment show {guard.id}",
        )


def require_action(log: Log, action: str) -> Action:
    """Return an action item as it stands now. Raises ``NotFoundError``, naming the latest ones."""
    found = fold_action(log.stream(f"action/{action}"))
    if found is not None:
        return _as_of_now(log, [found])[0]
    recent = log.facts(kinds=("action.added",), newest_first=True, limit=5)
    names = ", ".join(fact.recorded.stream.removeprefix("action/") for fact in recent) or "none yet"
    raise NotFoundError(
        f"found no action item {action!r}; the latest are: {names}", remedy="see `amends action list`"
    )


def list_actions(
    log: Log, *, incident: str = "", service: str = "", owner: str = "", left: bool = False
) -> list[Action]:
    """Return action items as they stand now: what is late first, then by date, priority and number."""
    if incident:
        require_incident(log, incident)
    tags = [f"incident:{incident}"] if incident else ([f"service:{service}"] if service else [])
    kinds = [f"action.{word}" for word in ("added", "changed", *_WORDS)]
    found = _as_of_now(log, fold_actions(log.facts(tags=tags, kinds=kinds)))
    shown = [
        one for one in found
        if (not owner or one.owner.casefold() == owner.casefold()) and (one.left or not left)
    ]  # fmt: skip
    order = {"high": 0, "medium": 1, "low": 2}
    return sorted(
        shown,
        key=lambda one: (
            not one.left, one.due is None, one.due or one.added_at, order[one.priority], len(one.id), one.id,
        ),
    )  # fmt: skip


def _as_of_now(log: Log, found: Iterable[Action]) -> list[Action]:
    actions = list(found)
    guards = {one.id: _guard(one) for one in amendments_named(log, {one.guard for one in actions} - {""})}
    now = log.clock.now()
    return [as_of(one, guards, now) for one in actions]


def amendments_named(log: Log, names: Collection[str]) -> tuple[Amendment, ...]:
    """Return the amendments with these ids."""
    return tuple(
        one for name in sorted(names) for one in fold_amendments(log.stream(f"amendment/{name}"))
    )  # fmt: skip


def _guard(one: Amendment) -> Guard:
    return Guard(one.id, one.state, one.reason, one.moved_at, one.until)


def action_data(found: Action, now: datetime) -> dict[str, Any]:
    """Return an action item as JSON-able values, as ``amends action show --format json`` prints it."""
    import msgspec

    data: dict[str, Any] = msgspec.to_builtins(
        {
            "action": found.id, "incident": found.incident, "service": found.service, "title": found.title,
            "state": found.state, "owner": found.owner, "owner_kind": found.owner_kind, "due": found.due,
            "late": found.late(now), "priority": found.priority, "amendment": found.guard or None,
            "reason": found.reason, "evidence": found.evidence, "until": found.until,
            "added_at": found.added_at, "moved_at": found.moved_at, "moved_by": found.moved_by,
            "events": list(found.events),
        }
    )  # fmt: skip
    return data
