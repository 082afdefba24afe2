"""Deployments that went around the gates: seen in an environment without a pass before it.

Nothing here is an event: whether a deployment was a bypass follows from what was recorded, also later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact

BYPASS_KINDS = (
    "service.deployed", "service.upgraded", "gates.decided", "policy.adopted", "quarantine.set",
    "quarantine.lifted",
)  # fmt: skip
"""The kinds of event from which a bypass is told."""

Names = Callable[[str, str], Collection[str]]
"""Gives every name of a release, from a service and any one of them."""
Gated = Callable[[str], Collection[str]]
"""Gives the environments for which a policy's text sets gates."""


@dataclass(frozen=True, slots=True)
class Bypass:
    """A deployment without the gates' pass. ``event`` is what was seen, ``decision`` the gates' last answer.

    ``decision`` is empty where they were never asked, ``deployment`` where amends did not deploy.
    """

    service: str
    release: str
    environment: str
    at: datetime
    event: str
    reason: str
    decision: str = ""
    deployment: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    at: datetime
    decision: str
    held_by: str
    event: str
    deployment: str


@dataclass
class BypassLedger:
    """Keeps what is needed to tell bypasses, from facts in any order."""

    gated: Gated
    _policies: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    _answers: dict[tuple[str, str, str], list[_Answer]] = field(default_factory=dict)
    _quarantines: dict[tuple[str, str], list[tuple[datetime, bool]]] = field(default_factory=dict)
    _seen: list[Fact] = field(default_factory=list)
    _latest: dict[tuple[str, str], Fact] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        """Note a fact of ``BYPASS_KINDS``; others are ignored."""
        said = fact.payload
        match said:
            case p.PolicyAdopted() if fact.known_at is not None:
                self._policies.setdefault(said.service, []).append((fact.known_at, said.text))
            case p.GatesDecided():
                key = (said.service, said.environment, said.release)
                answer = _Answer(said.at, said.decision, _held_by(said), fact.id, said.deployment)
                self._answers.setdefault(key, []).append(answer)
            case p.QuarantineSet() | p.QuarantineLifted():
                lifted = isinstance(said, p.QuarantineLifted)
                self._quarantines.setdefault((said.service, said.release), []).append(
                    (fact.occurred_at, not lifted)
                )
            case p.ServiceDeployed():
                self._seen.append(fact)
                lane = (said.service, said.environment)
                known = self._latest.get(lane)
                if known is None or known.occurred_at <= fact.occurred_at:
                    self._latest[lane] = fact

    def all(self, names: Names) -> list[Bypass]:
        """Return every bypass, the latest first."""
        found = [bypass for fact in self._seen if (bypass := self.judge(fact, names))]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def latest(self, service: str, environment: str, names: Names) -> Bypass | None:
        """Return the bypass that the last deployment to an environment was, if it was one."""
        fact = self._latest.get((service, environment))
        return self.judge(fact, names) if fact else None

    def judge(self, fact: Fact, names: Names) -> Bypass | None:
        """Return a deployment as a bypass; ``None`` when it passed, or no policy then set gates there."""
        said = fact.payload
        assert isinstance(said, p.ServiceDeployed)
        at = fact.occurred_at
        if said.environment not in self._environments(said.service, at):
            return None
        own = {said.release, *names(said.service, said.release)}
        last = self._last_answer(said, own, at)
        reason = self._why(said, own, last, at)
        if not reason:
            return None
        return Bypass(
            said.service, said.release, said.environment, at, fact.id, reason,
            decision=last.event if last else "", deployment=said.deployment,
        )  # fmt: skip

    def _environments(self, service: str, at: datetime) -> Collection[str]:
        known = [one for one in self._policies.get(service, ()) if one[0] <= at]
        return self.gated(max(known, key=lambda one: one[0])[1]) if known else ()

    def _last_answer(self, said: p.ServiceDeployed, own: Collection[str], at: datetime) -> _Answer | None:
        found = [
            answer
            for name in own
            for answer in self._answers.get((said.service, said.environment, name), ())
            if answer.at <= at
        ]
        if said.deployment:  # asked again while it is under way, the gates may well say something else
            found = [one for one in found if one.deployment == said.deployment] or found
            passes = [one for one in found if one.deployment and one.decision == "pass"]
            found = passes or found
        return max(found, key=lambda answer: answer.at, default=None)

    def _why(self, said: p.ServiceDeployed, own: Collection[str], last: _Answer | None, at: datetime) -> str:
        met = f"{said.release} met {said.environment}"
        if last is None:
            return f"{met} without a decision of its gates"
        if last.decision != "pass":
            held = f" ({last.held_by})" if last.held_by else ""
            return f"{met} though its gates last said {last.decision}{held}"
        moves = [move for name in own for move in self._quarantines.get((said.service, name), ())]
        since = max((move for move in moves if last.at < move[0] <= at), default=None)
        return f"{met} though it was quarantined after its gates let it pass" if since and since[1] else ""


def _held_by(said: p.GatesDecided) -> str:
    held = [g for g in said.gates if g.mode == "block" and g.decision != "pass" and not g.overridden_by]
    return ", ".join(g.gate for g in held)
