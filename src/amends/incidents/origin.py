"""Which service's release began an incident: its own, or one of a service that it needs.

Three kinds of sign, from the strongest: a watch found a release worse than the one beside it, at the same
time and under the same traffic; somebody rolled a release back; a release came shortly before. The strongest
sign counts. Where two releases show the same, or none does, nothing is guessed and the answer stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.wording import say_seconds, short

LOOKBACK = timedelta(hours=24)
"""How long before the detection a release counts as one that may have begun it."""
GRACE = timedelta(hours=1)
"""How late something may be noticed: a release without traffic for longer than this began nothing."""


class Sign(IntEnum):
    """What points at a release; more is stronger."""

    ORDER = 1  # it came shortly before
    ROLLED_BACK = 2  # somebody rolled it back, which is their judgement
    WATCHED = 3  # a watch found it worse than the release beside it


@dataclass(frozen=True, slots=True)
class Suspect:
    """A release that met traffic before the detection. ``distance`` is 0 for the incident's own service."""

    service: str
    environment: str
    release: str
    relation: Literal["itself", "upstream"]
    at: datetime
    sign: Sign
    reason: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What can be said of where it began. ``begun`` is ``None`` where that is open."""

    begun: Suspect | None
    sentence: str
    suspects: tuple[Suspect, ...]

    @property
    def upstream(self) -> bool:
        """Whether a release of another service began it."""
        return self.begun is not None and self.begun.relation == "upstream"

    @property
    def shown(self) -> bool:
        """Whether more than the order of time says so."""
        return self.begun is not None and self.begun.sign > Sign.ORDER


def suspects_of(
    service: str, environment: str, relation: Literal["itself", "upstream"], lane: Iterable[Fact],
    detected: datetime,
) -> list[Suspect]:  # fmt: skip
    """Return the releases of a service that met traffic in the time before the detection.

    ``lane`` are the facts of the service in that environment, with the looks of its watches, in order. What
    they say later counts too: a watch may find a release worse after somebody noticed.
    """
    lane = list(lane)
    began: dict[str, Fact] = {}
    releases = _releases(lane)
    for fact in lane:
        release = _meets_traffic(fact.payload, releases)
        if release and detected - LOOKBACK <= fact.occurred_at <= detected:
            began.setdefault(release, fact)
    return [
        _suspect(service, environment, relation, release, fact, lane, releases, detected)
        for release, fact in began.items()
        if not _gone(release, fact, lane, releases, detected)
    ]


def _releases(lane: Sequence[Fact]) -> dict[str, str]:
    """Return which release each deployment brings; one that takes back brings nothing new."""
    return {
        f.payload.deployment: f.payload.release for f in lane
        if isinstance(f.payload, p.DeploymentRequested) and f.payload.kind == "rollout"
    }  # fmt: skip


def _meets_traffic(told: object, releases: dict[str, str]) -> str:
    if isinstance(told, p.ServiceDeployed):
        return told.release
    if isinstance(told, p.StepStarted) and told.weight > 0:
        return releases.get(told.deployment, "")
    if isinstance(told, p.ActuationDone) and told.outcome == "done" and told.action in ("shift", "promote"):
        return releases.get(told.deployment, "")
    return ""


def _gone(
    release: str, began: Fact, lane: Sequence[Fact], releases: dict[str, str], detected: datetime
) -> bool:  # fmt: skip
    """Return whether a release had long lost its traffic by then: taken back, or replaced by another one."""
    gone = False
    for fact in lane:
        if fact.id == began.id or not began.occurred_at <= fact.occurred_at <= detected:
            continue
        if _meets_traffic(fact.payload, releases) == release:
            gone = False
        elif fact.occurred_at <= detected - GRACE:
            gone = gone or _loses_traffic(fact.payload, release, releases)
    return gone


def _loses_traffic(told: object, release: str, releases: dict[str, str]) -> bool:
    if isinstance(told, p.ServiceRolledBack):
        return told.release == release or (not told.release and told.restored != release)
    if isinstance(told, p.ActuationDone) and told.outcome == "done" and told.action == "roll_back":
        return releases.get(told.deployment) == release
    return isinstance(told, p.ServiceDeployed) and told.release != release


def _suspect(
    service: str, environment: str, relation: Literal["itself", "upstream"], release: str, first: Fact,
    lane: Sequence[Fact], releases: dict[str, str], detected: datetime,
) -> Suspect:  # fmt: skip
    before = (detected - first.occurred_at).total_seconds()
    name = f"{service} {short(release)}"
    sign, event = Sign.ORDER, ""
    reason = f"{name} met the traffic of {environment} {say_seconds(before)} before it was detected"
    for fact in lane:
        told = fact.payload
        if isinstance(told, p.WatchAssessed) and told.verdict == "roll_back":
            if releases.get(told.deployment) == release:
                sign, event = Sign.WATCHED, fact.id
                reason = f"the watch of {service} found {short(release)} worse than the release beside it"
                break
        elif isinstance(told, p.ServiceRolledBack) and told.release == release:
            sign, event, reason = Sign.ROLLED_BACK, fact.id, f"{name} was rolled back in {environment}"
    events = (first.id, event) if event else (first.id,)
    return Suspect(service, environment, release, relation, first.occurred_at, sign, reason, events)


def origin_of(service: str, suspects: Sequence[Suspect]) -> Origin:
    """Return what began it, by the strongest sign that only one release shows."""
    found = tuple(sorted(suspects, key=lambda s: (-s.sign, s.relation, s.at, s.service)))
    if not found:
        hours = f"{LOOKBACK.total_seconds() / 3600:.0f} h"
        lane = f"no release of {service} or of what it needs"
        return Origin(None, f"Open: {lane} is recorded in the {hours} before it was detected.", ())
    best = [one for one in found if one.sign is found[0].sign]
    # A watch compares two releases under one traffic, so what comes from upstream meets both alike.
    own = [one for one in best if one.relation == "itself" and one.sign is Sign.WATCHED]
    best = own if len(own) == 1 else best
    if len(best) > 1:
        names = " and ".join(f"{one.service} {short(one.release)}" for one in best)
        return Origin(None, f"Open: the record shows the same of {names}.", found)
    return Origin(best[0], _sentence(service, best[0]), found)


def _sentence(service: str, one: Suspect) -> str:
    what = f"{one.service} {short(one.release)}"
    where = f"upstream, {what}" if one.relation == "upstream" else f"{what} itself"
    if one.sign is Sign.WATCHED:
        return f"It began {where}: {one.reason}."
    if one.sign is Sign.ROLLED_BACK:
        return f"It seems to have begun {where}: {one.reason}, which is the judgement of whoever did it."
    only = "no other release of it" if one.relation == "itself" else f"{service} had no release of its own"
    return f"Perhaps it began {where}, by the order of time alone: {one.reason}, and {only} in that time."
