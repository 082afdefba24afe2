"""What the workflow of a deployment works with, and what this process remembers between two calls."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from amends.application.log import Log
from amends.application.ports import Clock, Deployer, MetricSource, Spool
from amends.events.payloads import GateRow
from amends.releases.deployment import Deployment
from amends.verdicts import Decision
from amends.watch.state import WatchState

SOURCE = "/amends/rollout"
"""The source of everything that ``advance`` records: one for all processes, so that ids meet in the store."""


class GateAnswer(Protocol):
    """What asking the gates gave."""

    @property
    def decision(self) -> Decision: ...

    @property
    def rows(self) -> Sequence[GateRow]: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A deployment as this process saw it last.

    ``lane_seq`` and ``watch_seq`` are the versions of its streams that it was folded from: what is appended
    next expects them. ``position`` is the place in the log up to which facts outside its lane are folded.
    ``watch`` is the state of a watch that could not be recorded yet; ``cut_off`` says that the deployment was
    rolled back while the log could not be reached.
    """

    deployment: Deployment
    lane_seq: int
    watch_seq: int = 0
    position: int = 0
    watch: WatchState | None = None
    cut_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """Everything that ``advance`` needs.

    Parameters
    ----------
    deployer_for, metrics_for:
        Give the deployer and the metric source that a deployment's plan names.
    decide_gates:
        Ask the gates of the deployment's policy about its release as of a moment; with ``record`` true the
        decision goes into the log, tagged with the deployment.
    open_incident:
        Open (or find) the incident of a deployment that was rolled back; returns its id.
    draft_review:
        Draft the review of an incident.
    spool:
        Where a roll-back is noted that could not be written to the log.
    tell_people:
        Do all telling that is due (rules, digests, the outbox) and say what came of it (nothing, if nothing
        did) and when to be called again; ``None`` where nobody declared whom to tell.
    check_guards:
        Look whether active guards still hold, where that is due, and say when to be called again; ``None``
        where it is turned off.
    memory:
        What was seen last. Losing it costs a read; it holds nothing that the log does not, except while the
        log cannot be reached.
    """

    log: Log
    deployer_for: Callable[[Deployment], Deployer]
    metrics_for: Callable[[Deployment], MetricSource]
    decide_gates: Callable[[Deployment, datetime, bool], GateAnswer]
    open_incident: Callable[[Deployment], str]
    draft_review: Callable[[str], object]
    spool: Spool
    tell_people: Callable[[], Progress] | None = None
    check_guards: Callable[[], Progress] | None = None
    memory: dict[str, Sight] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return self.log.clock


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of ``advance`` came to.

    ``due`` is when to call again at the latest (``None``: when something happens). ``finished`` means that
    nothing is left to do, also not afterwards. ``held`` names what it waits for before it can go on, if that
    is not just time.
    """

    due: datetime | None
    finished: bool
    did: str
    held: Literal["", "gates", "person"] = ""


def event_id(deployment: str, *parts: object) -> str:
    """Return the id of an event that may exist once only, whoever writes it, however often."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["amends", deployment, *map(str, parts)])))
