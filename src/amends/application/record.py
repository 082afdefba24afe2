"""Gathers from the log everything that concerns one incident, and reads it with the pure core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amends.application.log import Facts
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.escape import EscapeMatrix, PlannedGate, escape_matrix
from amends.incidents.impact import Statement, impact_of
from amends.incidents.incident import Incident, facts_in_order, fold_incident
from amends.incidents.milestones import Duration, Milestone, durations_of, exposure_began, milestones_of
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


def read_record(log: Facts, incident: str) -> IncidentRecord:
    """Return the record of an incident. Raises ``NotFoundError``, naming incidents there are."""
    folded = require_incident(log, incident)
    folded = replace(folded, names=release_names(log, folded.service, folded.release))
    folded = replace(folded, deployments=_deployments(log, folded))
    facts = _concerning(log, folded)
    milestones = milestones_of(folded, facts)
    policy = _policy_in_force(log, folded, facts)
    planned = _planned(policy[0], in_force=policy[1]) if policy else ()
    shown = (*facts, policy[0]) if policy else facts
    return IncidentRecord(
        incident=folded, facts=tuple(facts_in_order(shown)), milestones=milestones,
        durations=durations_of(milestones), timeline=timeline_of(shown, pivot_of(milestones, facts)),
        matrix=escape_matrix(folded, facts, planned, RECOGNISER), impact=impact_of(folded, facts),
    )  # fmt: skip


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


def _concerning(log: Facts, incident: Incident) -> tuple[Fact, ...]:
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
    return not other or other == incident.id


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


def _planned(policy: Fact, *, in_force: bool) -> tuple[PlannedGate, ...]:
    """Read the gates of a recorded policy; of one that cannot be read there are none to show."""
    from pydantic import ValidationError
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from amends.gates.policy import Policy

    assert isinstance(policy.payload, p.PolicyAdopted)
    try:
        read = Policy.model_validate(YAML(typ="safe").load(policy.payload.text))
    except (ValidationError, YAMLError, TypeError, ValueError):
        return ()
    return tuple(_planned_gates(read, in_force))


def _planned_gates(policy: Any, in_force: bool) -> Iterable[PlannedGate]:
    for environment in policy.gates:
        for label, entry in zip(policy.labels(environment), policy.gates[environment], strict=True):
            suites = tuple(getattr(entry.gate, "suites", ()))
            yield PlannedGate(label, entry.kind, environment, entry.mode, suites, in_force)
