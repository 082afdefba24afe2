"""Gathers from the log everything that concerns one incident, and reads it with the pure core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amends.application.dependencies import read_policy
from amends.application.log import Facts
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.contradictions import Contradiction, contradictions_of
from amends.incidents.escape import EscapeMatrix, PlannedGate, escape_matrix
from amends.incidents.factors import NamedFactor, factors_of
from amends.incidents.impact import Statement, impact_of
from amends.incidents.incident import Incident, facts_in_order, fold_incident
from amends.incidents.milestones import Duration, Milestone, durations_of, exposure_began, milestones_of
from amends.incidents.nextmoves import Answer, answers_of
from amends.incidents.sight import Recogniser
from amends.incidents.timeline import Line, pivot_of, timeline_of
from amends.prevention import signature
from amends.releases.catalogue import bare_name, candidates, releases_of

RECOGNISER = Recogniser(
    signature.signatures_of, signature.matches, signature.same_path, signature.describe
)  # fmt: skip
_LANE_KINDS = ("service.rolledback",)


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident with everything that the log says about it."""

    incident: Incident
    facts: tuple[Fact, ...]
    milestones: tuple[Milestone, ...]
    durations: tuple[Duration, ...]
    timeline: tuple[Line, ...]
    matrix: EscapeMatrix
    impact: tuple[Statement, ...]
    contradictions: tuple[Contradiction, ...] = ()
    answers: tuple[Answer, ...] = ()
    factors: tuple[NamedFactor, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentGist:
    """What measures need of an incident: no timeline, no words. ``policy`` is the one that held for it."""

    incident: Incident
    facts: tuple[Fact, ...]
    milestones: tuple[Milestone, ...]
    durations: tuple[Duration, ...]
    matrix: EscapeMatrix
    policy: Fact | None = None


def read_gist(log: Facts, incident: str) -> IncidentGist:
    """Return the gist of an incident. Raises ``NotFoundError``, naming incidents there are."""
    folded, facts = gathered(log, require_incident(log, incident))
    milestones = milestones_of(folded, facts)
    policy = _policy_in_force(log, folded, facts)
    planned = _planned(policy[0], in_force=policy[1]) if policy else ()
    return IncidentGist(
        folded, facts, milestones, durations_of(milestones),
        escape_matrix(folded, facts, planned, RECOGNISER), policy[0] if policy else None,
    )  # fmt: skip


def read_record(log: Facts, incident: str) -> IncidentRecord:
    """Return the record of an incident. Raises ``NotFoundError``, naming incidents there are."""
    gist = read_gist(log, incident)
    folded, facts, milestones = gist.incident, gist.facts, gist.milestones
    shown = (*facts, gist.policy) if gist.policy else facts
    return IncidentRecord(
        incident=folded, facts=tuple(facts_in_order(shown)), milestones=milestones,
        durations=gist.durations, timeline=timeline_of(shown, pivot_of(milestones, facts)),
        matrix=gist.matrix, impact=impact_of(folded, facts),
        contradictions=contradictions_of(folded.id, milestones, facts), answers=answers_of(facts),
        factors=factors_of(facts),
    )  # fmt: skip


def gathered(log: Facts, incident: Incident) -> tuple[Incident, tuple[Fact, ...]]:
    """Return an incident with all names of its release, and every fact that concerns it.

    What splits moved away is left out, what they moved here is in it, and what is recorded of incidents that
    were merged into it is, too.
    """
    whole = named(log, incident)
    merged = _absorbed(log, whole.id)
    taken = _taken(log, whole)
    whole = replace(whole, family=frozenset(merged), taken=frozenset(fact.id for fact in taken))
    facts = [*concerning(log, whole), *taken]
    for one in merged.values():
        facts += concerning(log, replace(one, family=whole.own - {one.id}))
    away = whole.given.union(*(one.given for one in merged.values())) - whole.taken
    return whole, tuple(facts_in_order(fact for fact in facts if fact.id not in away))


def named(log: Facts, incident: Incident) -> Incident:
    """Return an incident with all names of its release, and the deployments that it is about."""
    known = replace(incident, names=release_names(log, incident.service, incident.release))
    return replace(known, deployments=_deployments(log, known))


def _absorbed(log: Facts, incident: str) -> dict[str, Incident]:
    """Return the incidents that are merged into this one, also by way of others, by their ids."""
    found: dict[str, Incident] = {}
    queue = [incident]
    while queue:
        target = queue.pop()
        for fact in log.facts(tags=[f"incident:{target}"], kinds=["incident.merged"]):
            name = getattr(fact.payload, "incident", "")
            one = fold_incident(log.stream(f"incident/{name}"))
            if one is None or one.merged_into != target or name in found or name == incident:
                continue
            found[name] = named(log, one)
            queue.append(name)
    return found


def _taken(log: Facts, incident: Incident) -> list[Fact]:
    """Return the facts that a split moved here from the incident of which this one was a part."""
    if not incident.opened.split_from:
        return []
    origin = f"incident:{incident.opened.split_from}"
    wanted: set[str] = set()
    for fact in log.facts(tags=[f"incident:{incident.id}"], kinds=["incident.split"]):
        if isinstance(fact.payload, p.IncidentSplit) and fact.payload.other == incident.id:
            wanted |= set(fact.payload.events)
    return [fact for fact in log.facts(tags=[origin]) if fact.id in wanted] if wanted else []


def require_incident(log: Facts, incident: str) -> Incident:
    """Return an incident. Raises ``NotFoundError``, naming the latest ones."""
    found = fold_incident(log.stream(f"incident/{incident}"))
    if found is not None:
        return found
    recent = log.facts(kinds=("incident.detected",))[:-6:-1]
    names = ", ".join(fact.recorded.stream.removeprefix("incident/") for fact in recent) or "none yet"
    raise NotFoundError(
        f"found no incident {incident!r}; the latest are: {names}", remedy="see `amends incident list`"
    )


def release_names(log: Facts, service: str, release: str) -> frozenset[str]:
    """Return every name of a release: what it was called here, and its version, commit and digest."""
    if not release:
        return frozenset()
    # A version is found by its tag; only another name needs to be compared with everything declared.
    exact = bare_name(service, release)
    declared = log.facts(tags=[f"release:{service}@{exact}"], kinds=["artifact.packaged"])
    if not any(isinstance(f.payload, p.ReleaseDeclared) and f.payload.version == exact for f in declared):
        declared = log.facts(tags=[f"service:{service}"], kinds=["artifact.packaged"])
    found = candidates(releases_of(declared, service), service, release)
    return frozenset({release, *(name for one in found for name in one.aliases)})


def _deployments(log: Facts, incident: Incident) -> frozenset[str]:
    """Return the deployments that the incident is about: its own, and the one that brought the release.

    They differ when a release was rolled back by order, some time after it had been promoted.
    """
    tags = [f"release:{incident.service}@{name}" for name in sorted(incident.names)]
    asked = log.facts(tags=tags, kinds=["deployment.requested"]) if tags else []
    brought = [
        f.payload.deployment for f in asked
        if isinstance(f.payload, p.DeploymentRequested)
        and f.payload.kind == "rollout"
        and f.payload.environment == incident.environment
        and f.occurred_at <= incident.detected_at
    ]  # fmt: skip
    return frozenset({incident.opened.deployment, *brought[-1:]} - {""})


def concerning(log: Facts, incident: Incident) -> tuple[Fact, ...]:
    """Return the facts of an incident whose names and deployments are known, and of its release."""
    service = incident.service
    tags = [f"incident:{incident.id}", *(f"release:{service}@{name}" for name in sorted(incident.names))]
    tags += [f"deployment:{name}" for name in sorted(incident.deployments)]
    facts = [fact for fact in log.facts(tags=tags) if _is_of(fact, incident)]
    changes = sorted({change for fact in facts for change in getattr(fact.payload, "changes", ())})
    if changes:
        facts += log.facts(tags=[f"change:{service}/{change}" for change in changes])
    lane = log.facts(tags=[f"env:{service}/{incident.environment}"], kinds=_LANE_KINDS)
    # A rollback heard from another tool names only what was restored, so the release's tag misses it.
    facts += [
        f for f in lane
        if isinstance(f.payload, p.ServiceRolledBack) and not f.payload.release
        and (not incident.opened.previous or f.payload.restored == incident.opened.previous)
    ]  # fmt: skip
    return tuple(facts_in_order(facts))


def _is_of(fact: Fact, incident: Incident) -> bool:
    """Leave out other incidents of the same release, and deployments that are another incident's."""
    told: Any = fact.payload
    if told is None:
        return False
    other = getattr(told, "incident", "")
    return not other or other in incident.own or getattr(told, "other", "") == incident.id


def _policy_in_force(log: Facts, incident: Incident, facts: Sequence[Fact]) -> tuple[Fact, bool] | None:
    """Return the policy that held for the escaped release, and whether anybody recorded its use then.

    The one that its decision or deployment names; or else the last that was known before it was deployed; or
    else one that was read from the release's own files when the incident was opened.
    """
    adopted = log.facts(tags=[f"service:{incident.service}"], kinds=["policy.adopted"])
    named = {
        digest
        for fact in facts
        if isinstance(fact.payload, p.GatesDecided | p.DeploymentRequested)
        and fact.payload.environment == incident.environment
        and fact.occurred_at <= incident.detected_at
        and (digest := fact.payload.policy)
    }
    for fact in reversed(adopted):
        if isinstance(fact.payload, p.PolicyAdopted) and fact.payload.digest in named:
            return fact, True
    began, _ = exposure_began(incident, facts)
    moment = began or incident.detected_at
    known = [fact for fact in adopted if fact.known_at is not None and fact.known_at <= moment]
    if known:
        return known[-1], True
    stated = [fact for fact in adopted if fact.known_at is None and fact.id == f"policy-of:{incident.id}"]
    return (stated[-1], False) if stated else None


def gates_in_force(log: Facts, incident: Incident, facts: Sequence[Fact]) -> tuple[PlannedGate, ...]:
    """Return the gates of the policy that held for the escaped release; none where that is not known."""
    found = _policy_in_force(log, incident, facts)
    return _planned(found[0], in_force=found[1]) if found else ()


def _planned(policy: Fact, *, in_force: bool) -> tuple[PlannedGate, ...]:
    """Read the gates of a recorded policy; of one that cannot be read there are none to show."""
    assert isinstance(policy.payload, p.PolicyAdopted)
    read = read_policy(policy.payload.text)
    return tuple(_planned_gates(read, in_force)) if read else ()


def _planned_gates(policy: Any, in_force: bool) -> Iterable[PlannedGate]:
    for environment in policy.gates:
        for label, entry in zip(policy.labels(environment), policy.gates[environment], strict=True):
            suites = tuple(getattr(entry.gate, "suites", ()))
            yield PlannedGate(label, entry.kind, environment, entry.mode, suites, in_force)
