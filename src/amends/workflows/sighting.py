"""Loading a deployment: its lane from where it was read last, its last look, and the few facts beside."""

from __future__ import annotations

from dataclasses import replace

from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.deployment import Deployment, Phase, begin
from amends.workflows.toolbox import Sight, Toolbox

_BESIDE = ("gates.decided", "quarantine.set", "incident.detected")
_BEFORE_START = (Phase.GATING, Phase.APPROVAL, Phase.READY)


def load(tools: Toolbox, deployment: str) -> Sight:
    """Return the present state of a deployment, reading on from what this process saw last.

    Raises
    ------
    NotFoundError
        The log has no such deployment.
    StoreUnavailableError
        The log cannot be read.
    """
    known = tools.memory.get(deployment)
    sight = _first(tools, deployment) if known is None else _more(tools, known)
    sight = replace(sight, deployment=_with_review(tools, sight.deployment))
    tools.memory[deployment] = sight
    return sight


def note(tools: Toolbox, sight: Sight, *facts: Fact) -> Sight:
    """Return (and remember) a sight after events that this process itself has appended to the lane."""
    state, lane_seq = sight.deployment, sight.lane_seq
    for fact in facts:
        state = state.apply(fact)
        if fact.recorded.stream == state.lane:
            lane_seq = max(lane_seq, fact.recorded.seq)
    after = replace(sight, deployment=state, lane_seq=lane_seq)
    tools.memory[state.id] = after
    return after


def _first(tools: Toolbox, deployment: str) -> Sight:
    tag = (f"deployment:{deployment}",)
    asked = tools.log.facts(tags=tag, kinds=("deployment.requested",), limit=1)
    if not asked or not isinstance(asked[0].payload, p.DeploymentRequested):
        raise NotFoundError(
            f"the log has no deployment {deployment}", remedy="see `amends deployment list` for their ids"
        )
    begun = begin(asked[0], asked[0].payload)
    lane = tools.log.stream(begun.lane, after=begun.seq)
    looks = tools.log.facts(tags=tag, kinds=("watch.assessed",), newest_first=True, limit=1)
    beside = tools.log.facts(tags=tag, kinds=_BESIDE)
    state = begun
    for fact in sorted((*lane, *looks, *beside), key=lambda f: f.recorded.position):
        state = state.apply(fact)
    return Sight(
        state,
        lane_seq=lane[-1].recorded.seq if lane else begun.seq,
        watch_seq=looks[0].recorded.seq if looks else 0,
        position=max((f.recorded.position for f in beside), default=0),
    )


def _more(tools: Toolbox, known: Sight) -> Sight:
    state = known.deployment
    lane = tools.log.stream(state.lane, after=known.lane_seq)
    looks = tools.log.stream(f"watch/{state.id}", after=known.watch_seq) if state.step else []
    beside: list[Fact] = []
    if state.phase in _BEFORE_START or state.retreat is not None or state.finished:
        tag = (f"deployment:{state.id}",)
        beside = tools.log.facts(tags=tag, kinds=_BESIDE, after=known.position)
    for fact in sorted((*lane, *looks, *beside), key=lambda f: f.recorded.position):
        state = state.apply(fact)
    return replace(
        known,
        deployment=state,
        lane_seq=lane[-1].recorded.seq if lane else known.lane_seq,
        watch_seq=looks[-1].recorded.seq if looks else known.watch_seq,
        position=max((f.recorded.position for f in beside), default=known.position),
    )


def _with_review(tools: Toolbox, d: Deployment) -> Deployment:
    if not (d.finished and d.incident) or d.reviewed:
        return d
    found = tools.log.facts(tags=(f"incident:{d.incident}",), kinds=("review.revised",), limit=1)
    return replace(d, reviewed=bool(found))
