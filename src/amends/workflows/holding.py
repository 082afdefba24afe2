"""Whether active guards still hold, looked at again and again while a server or worker runs.

A proof that stopped holding reopens its amendment. *Stopped* is what counts: a checkout that lags behind, or
never had the guard, shows nothing about it, and is said to be unknown. No code of the repository is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from amends.amendments.amendment import Amendment, AmendmentState
from amends.amendments.holding import Finding
from amends.amendments.selector import parse_selector
from amends.application.amending import list_amendments
from amends.application.holding import Gates, Held, hold_guards, lapse_guards
from amends.application.log import Log
from amends.application.ports import CodeHost
from amends.errors import AmendsError, EventConflictError, StoreUnavailableError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.workflows.toolbox import Progress

LOOK = timedelta(minutes=15)
"""How often it is looked whether the repository's head moved."""
GRACE = timedelta(hours=1)
"""So much longer a process without the checkout leaves the look to one that has it."""


@dataclass
class GuardKeeper:
    """Looks at the active guards of every service of a log, when that is due.

    Parameters
    ----------
    checkout_of:
        Gives the repository of a service, where this process reaches it.
    policies:
        Give the gates in use by service.
    every:
        How often guards are looked at, beside each time that the head of their repository moved.
    """

    log: Log
    checkout_of: Callable[[str], CodeHost | None]
    policies: Callable[[], Mapping[str, Gates]]
    every: timedelta
    _begun: datetime | None = None

    def run(self) -> Progress:
        """Look at what is due; say what lapsed, and when to be called again."""
        now = self.log.clock.now()
        self._begun = self._begun or now
        active = list_amendments(self.log, state=str(AmendmentState.ACTIVE), limit=10_000)
        by_service: dict[str, set[str]] = {}
        for one in active:
            by_service.setdefault(one.proposed.service, set()).add(one.id)
        said = [
            word for service, names in sorted(by_service.items()) if (word := self._one(service, names, now))
        ]
        return Progress(now + min(LOOK, self.every), False, "; ".join(said))

    def _one(self, service: str, names: set[str], now: datetime) -> str:
        try:
            return self._look(service, names, now)
        except StoreUnavailableError:
            raise
        except AmendsError as error:  # one service's checkout or policy keeps no other from being looked at
            return f"guards of {service}: {error.message}"

    def _look(self, service: str, names: set[str], now: datetime) -> str:
        stream = f"guards/{service}"
        version = self.log.store.version(stream)
        past = [f for f in self.log.stream(stream, after=max(0, version - 50)) if f.payload is not None]
        host, head = self._head(service)
        if not self._is_due(names, host, head, past, now):
            return ""
        found = self._found(service, host, head, past)
        lapsed = lapse_guards(self.log, found)
        guards = tuple(
            p.GuardHeld(amendment=one.amendment.id, holding=one.finding.holding, reason=one.finding.reason)
            for one in found
        )
        # Where another process was quicker, its look counts.
        with suppress(VersionConflictError, EventConflictError):
            said = p.GuardsChecked(service=service, revision=head, guards=guards)
            self.log.record("guards.checked", said, expected=version)
        ids = ", ".join(str(getattr(fact.payload, "amendment", "")) for fact in lapsed)
        return f"reopened {ids}: no longer guarded" if lapsed else ""

    def _head(self, service: str) -> tuple[CodeHost | None, str]:
        host = self.checkout_of(service)
        return (host, host.resolve("HEAD")) if host else (None, "")

    def _is_due(
        self, names: set[str], host: CodeHost | None, head: str, past: Sequence[Fact], now: datetime
    ) -> bool:
        """Whether to look: daily, at a head that moved, at a new guard. Without a checkout, or with one that
        lags behind what was read last, that is left to another process for a while.
        """
        last = past[-1] if past else None
        said = last.payload if last else None
        if last is None or not isinstance(said, p.GuardsChecked):
            return host is not None or now >= (self._begun or now) + GRACE
        lags = host is None or (bool(said.revision) and not _contains(host, head, said.revision))
        if lags:
            return now >= last.occurred_at + self.every + GRACE
        fresh = names - {one.amendment for one in said.guards}
        return bool(fresh) or said.revision != head or now >= last.occurred_at + self.every

    def _found(self, service: str, host: CodeHost | None, head: str, past: Sequence[Fact]) -> list[Held]:
        policies = self.policies()
        found = hold_guards(self.log, service=service, host=host, revision=head or "HEAD", policies=policies)
        if not any(one.finding.lapses for one in found):
            return found
        elsewhere = {one.amendment.id: one for one in hold_guards(self.log, service=service)}
        return [
            one if not one.finding.lapses or _was_there(one.amendment, past, host, head)
            else _unseen(one, elsewhere.get(one.amendment.id))
            for one in found
        ]  # fmt: skip


def _held_at(past: Sequence[Fact], one: Amendment) -> set[str]:
    """Return the commits at which an amendment was seen to hold since it became active."""
    return {
        fact.payload.revision
        for fact in past
        if isinstance(fact.payload, p.GuardsChecked)
        and (one.moved_at is None or fact.occurred_at >= one.moved_at)
        and any(guard.amendment == one.id and guard.holding == "holds" for guard in fact.payload.guards)
    }


def _was_there(one: Amendment, past: Sequence[Fact], host: CodeHost | None, head: str) -> bool:
    """Whether what is read now follows on something that held: then it is lost, not yet to come."""
    commits = _held_at(past, one)
    if one.proposed.kind == "gate":
        return bool(commits)
    if host is None:
        return True  # a suite's run says it
    path = parse_selector(one.proposed.selector).path
    proven = {run.run.commit for run in one.runs if run.run.on == "good"} - {""}
    return any(_contains(host, head, commit) for commit in commits - {""}) or any(
        _contains(host, head, commit) and host.show(commit, path) is not None for commit in proven
    )


def _contains(host: CodeHost, head: str, commit: str) -> bool:
    try:
        return host.contains(head, commit)
    except AmendsError:  # a commit of another clone
        return False


def _unseen(one: Held, elsewhere: Held | None) -> Held:
    if elsewhere is not None and elsewhere.finding.holding != "unknown":
        return elsewhere
    reason = f"it has not been seen to hold here yet, so what is read may lag behind ({one.finding.reason})"
    return replace(one, finding=Finding("unknown", reason))
