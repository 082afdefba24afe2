"""Asking for deployments and steering them. What is asked here, ``workflows.advance`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from amends.application.deployments import Places, find_deployment, lane_now
from amends.application.forecasting import forecast_deployment
from amends.application.log import Log
from amends.errors import BlockedError, NotAllowedError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.releases.actuation import ReleaseRef
from amends.releases.course import Course
from amends.releases.deployment import Deployment, Phase
from amends.releases.standing import Standing
from amends.releases.strategy import outcome_of

if TYPE_CHECKING:
    from amends.gates.policy import LoadedPolicy

_ATTEMPTS = 20
SOURCE = "/amends/rollout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks to have deployed, with the policy that it shall follow to its end.

    ``plan`` is the policy's snapshot: ``rollout``, ``watch``, ``deploy``, ``team`` and ``tier``; ``policy``
    its digest.
    """

    release: ReleaseRef
    environment: str
    environments: Sequence[str]
    plan: Mapping[str, Any]
    policy: str
    role: str = ""
    reason: str = ""


def course_of(plan: Mapping[str, Any]) -> Course:
    """Return the course that a policy's ``rollout`` and ``watch`` describe."""
    rollout, watch = plan.get("rollout") or {}, plan.get("watch") or {}
    steps = [
        {"weight": step["weight"], "seconds": step.get("for", step.get("seconds"))}
        for step in rollout.get("steps", [])
    ]
    said: dict[str, Any] = {"steps": steps, "approval": bool(rollout.get("approval", False))}
    for name in ("interval", "on_inconclusive"):
        if name in watch:
            said[name] = watch[name]
    return Course.of({"course": said})


def _course_for(wish: Wish) -> Course:
    course = course_of(wish.plan)
    stepped = (wish.plan.get("rollout") or {}).get("environments") or wish.environments[-1:]
    return course if wish.environment in stepped else replace(course, steps=(), approval=False)


def adopt_policy(log: Log, loaded: LoadedPolicy) -> None:
    """Keep a policy's text in the log under its digest, for whoever carries a deployment on."""
    service = loaded.policy.service
    if adopted_policy(log, service, loaded.digest) is not None:
        return
    adopted = p.PolicyAdopted(
        service=service, digest=loaded.digest, text=loaded.text, path=loaded.path,
        calendars=dict(loaded.calendars),
    )  # fmt: skip
    log.record("policy.adopted", adopted)


def adopted_policy(log: Log, service: str, digest: str) -> p.PolicyAdopted | None:
    """Return a policy as the log keeps it, or ``None``."""
    for fact in reversed(log.stream(f"policy/{service}")):
        if isinstance(fact.payload, p.PolicyAdopted) and fact.payload.digest == digest:
            return fact.payload
    return None


def can_actuate(plan: Mapping[str, Any]) -> bool:
    """Whether the plan names a deployer; otherwise amends only records what it is told."""
    deploy = plan.get("deploy") or {}
    return bool(deploy.get("process") or deploy.get("command"))


def request_deployment(log: Log, wish: Wish) -> str:
    """Record that a release is to be brought to an environment; return the deployment's id.

    A release that is on its way there is not asked for twice: its deployment's id is returned. A deployment
    that has touched nothing yet yields to another release, or to the same one under another policy; it ends
    as refused.

    Raises
    ------
    BlockedError
        The release is quarantined; the message names the incident.
    NotAllowedError
        Another release is on its way there and has been started, a roll-back is, the release runs there
        already, or the policy names no deployer.
    UsageError
        The policy knows no such environment.
    """
    _check_wish(wish)
    service, environment = wish.release.service, wish.environment
    for _ in range(_ATTEMPTS):
        places, version = lane_now(log, service, environment)
        standing = places.of(environment)
        _check_quarantine(wish, standing)
        underway = find_deployment(log, standing.open) if standing.open else None
        if underway is not None and _is_the_wish(underway, wish):
            return underway.id
        _check_standing(wish, standing, underway)
        previous = places.ref(standing.release) if standing.release else None
        course = _course_for(wish)
        foreseen = forecast_deployment(log, service, environment, wish.plan, course) if previous else {}
        identity = _new_id(log)
        asked = p.DeploymentRequested(
            deployment=identity, service=service, release=wish.release.version, environment=environment,
            plan={**wish.plan, "course": course.to_data()}, policy=wish.policy, forecast=foreseen,
            commit=wish.release.commit, digest=wish.release.digest, role=wish.role, reason=wish.reason,
            **_previous(previous),
        )  # fmt: skip
        items: list[tuple[str, p.Payload, str]] = [("deployment.requested", asked, "")]
        if underway is not None:
            why = f"superseded before it began by {identity}, which brings {wish.release}"
            items.insert(0, ("deployment.finished", _overtaken(underway, "refused", why), ""))
        try:
            log.record_together(items, expected=version)
        except VersionConflictError:
            continue
        return identity
    raise _too_busy(service, environment)


def request_rollback(
    log: Log, service: str, environment: str, *, reason: str, to: str = "", role: str = "",
    plan: Mapping[str, Any] | None = None, policy: str = "", identity: str = "",
    away_from: ReleaseRef | None = None,
) -> str:  # fmt: skip
    """Record that an environment is to go back; return the id of the deployment that does it.

    No gate is asked, and a deployment that is under way ends here, whatever it is doing: the roll-back's
    fencing token is newer. A roll-back to the same release that is under way already, asked for or decided by
    a watch, is returned as it is.

    Parameters
    ----------
    to:
        The release to go back to; the last good one before the present, if not given.
    plan, policy:
        What names the deployer; those of the lane's latest deployment, if not given.
    identity:
        Names this wish, so that asking twice is the same as once.
    away_from:
        The release to leave, where the log says that another one runs; with ``to``.

    Raises
    ------
    NotAllowedError
        Nothing runs there, there is nothing to go back to, or no plan names a deployer.
    """
    if not reason.strip():
        raise UsageError("a roll-back has no reason", remedy="say in a few words what you see: --reason '…'")
    deployment = f"rb-{identity[:10]}" if identity else _new_id(log)
    for _ in range(_ATTEMPTS):
        places, version = lane_now(log, service, environment)
        standing = places.of(environment)
        latest = find_deployment(log, standing.latest) if standing.latest else None
        underway = latest if latest is not None and standing.open == latest.id else None
        if latest is not None and deployment == latest.id:
            return deployment
        bad, good = (
            (away_from, places.ref(to)) if away_from else _whence_and_whither(places, standing, underway, to)
        )
        if underway is not None and _goes_back_to(underway, good):
            return underway.id
        asked = p.DeploymentRequested(
            deployment=deployment, service=service, release=bad.version, environment=environment,
            plan=dict(_plan_for(plan, latest, service)), policy=policy or (latest.policy if latest else ""),
            commit=bad.commit, digest=bad.digest, role=role, reason=reason, kind="rollback",
            **_previous(good),
        )  # fmt: skip
        items: list[tuple[str, p.Payload, str]] = [("deployment.requested", asked, "")]
        if underway is not None:
            why = f"overtaken by the roll-back {deployment}"
            items.insert(0, ("deployment.finished", _overtaken(underway, "aborted", why), ""))
        try:
            log.record_together(items, expected=version)
        except VersionConflictError:
            continue
        return deployment
    raise _too_busy(service, environment)


Word = Literal["approved", "paused", "resumed", "aborted"]


def steer(
    log: Log, deployment: str, word: Word, *, role: str = "", by: str = "", reason: str = ""
) -> Deployment:  # fmt: skip
    """Record a person's word about a deployment; return it as it is afterwards.

    ``by`` is a pseudonym, never a name.

    Raises
    ------
    NotFoundError
        There is no such deployment.
    NotAllowedError
        The word means nothing in its present phase; the message says what it waits for.
    """
    d = find_deployment(log, deployment)
    problem = _objection(d, word)
    if problem:
        raise NotAllowedError(
            f"{deployment} cannot be {word}: {problem}", remedy=f"see `amends deployment show {deployment}`"
        )
    said = p.DeploymentSteered(
        deployment=d.id, service=d.service, environment=d.environment, role=role, by=by, reason=reason
    )
    log.record(f"deployment.{word}", said)
    return find_deployment(log, deployment)


def _objection(d: Deployment, word: Word) -> str:
    if d.finished:
        return f"it is finished ({d.outcome})"
    if d.retreat is not None:
        return f"it is rolling back ({d.retreat.reason})"
    waits = d.phase is Phase.ASKING or (d.started_at is None and d.course.approval and not d.approvals)
    objections = {
        "approved": "" if waits else "nothing in it waits for an approval",
        "paused": "it is paused already" if d.paused else "",
        "resumed": "" if d.paused else "it is not paused",
        "aborted": "",
    }
    return objections[word]


def _check_wish(wish: Wish) -> None:
    if wish.environment not in wish.environments:
        raise UsageError(
            f"{wish.release.service} has no environment {wish.environment!r}; "
            f"the policy has {', '.join(wish.environments)}",
            remedy="name one of them with --to, or add it to `environments` in the policy",
        )
    if not can_actuate(wish.plan):
        raise NotAllowedError(
            "the policy names no deployer, so amends only records what your pipeline tells it",
            remedy="add `deploy: {process: …}` or `deploy: {command: …}` to the policy, or deploy with your "
            "own tool and run `amends record deployed`",
        )


def _is_the_wish(underway: Deployment, wish: Wish) -> bool:
    if underway.retreat is not None or underway.candidate.version != wish.release.version:
        return False
    return underway.started_at is not None or underway.policy == wish.policy


def _check_quarantine(wish: Wish, standing: Standing) -> None:
    held = standing.quarantines.get(wish.release.version)
    if held is not None:
        raise BlockedError(
            f"{wish.release} is quarantined since {held.since:%Y-%m-%d %H:%M} UTC: {held.reason}"
            + (f" ({held.incident})" if held.incident else ""),
            remedy=f"see `amends incident show {held.incident}`; deploy a release with the fix"
            if held.incident
            else "deploy a release with the fix",
        )


def _check_standing(wish: Wish, standing: Standing, underway: Deployment | None) -> None:
    if underway is not None and (underway.kind == "rollback" or underway.started_at is not None):
        raise NotAllowedError(
            f"{standing.open} is under way in {standing.environment} (with {standing.open_release}); "
            "one deployment at a time moves there",
            remedy=f"wait for it (`amends deployment show {standing.open}`), or "
            f"`amends deployment abort {standing.open}`",
        )
    if standing.release == wish.release.version:
        raise NotAllowedError(
            f"{wish.release} runs in {standing.environment} already", remedy="deploy another release"
        )


def _whence_and_whither(
    places: Places, standing: Standing, underway: Deployment | None, to: str
) -> tuple[ReleaseRef, ReleaseRef | None]:  # fmt: skip
    if underway is not None and underway.started_at is not None:
        good = places.ref(to) if to else underway.baseline
        return underway.candidate, good
    if underway is not None and underway.kind == "rollback":
        return underway.candidate, places.ref(to) if to else underway.baseline
    if not standing.release:
        raise NotAllowedError(
            f"the log knows of nothing that runs in {standing.service}/{standing.environment}",
            remedy="tell it with `amends record deployed`, then roll back",
        )
    name = to or standing.previous_good()
    if not name:
        raise NotAllowedError(
            f"the log knows of no good release of {standing.service} before {standing.release} "
            f"in {standing.environment}",
            remedy="name the release to go back to with --to",
        )
    bad, good = places.ref(standing.release), places.ref(name)
    if bad.version == good.version:
        raise NotAllowedError(f"{good} is what runs there now", remedy="name another release with --to")
    return bad, good


def _goes_back_to(underway: Deployment, good: ReleaseRef | None) -> bool:
    going = underway.retreat is not None and outcome_of(underway) == "rolled_back"
    return going and underway.baseline == good


def _plan_for(plan: Mapping[str, Any] | None, latest: Deployment | None, service: str) -> Mapping[str, Any]:
    for candidate in (latest.plan if latest else None, plan):
        if candidate is not None and can_actuate(candidate):
            return candidate
    raise NotAllowedError(
        f"no plan in the log or the policy names a deployer for {service}",
        remedy="roll back with your own tool, then run `amends record rolled-back`",
    )


def _previous(ref: ReleaseRef | None) -> dict[str, Any]:
    if ref is None:
        return {}
    return {"previous": ref.version, "previous_commit": ref.commit, "previous_digest": ref.digest}


def _overtaken(d: Deployment, outcome: Literal["aborted", "refused"], why: str) -> p.DeploymentFinished:
    return p.DeploymentFinished(
        deployment=d.id, service=d.service, environment=d.environment, release=d.candidate.version,
        outcome=outcome, reason=why,
    )  # fmt: skip


def _new_id(log: Log) -> str:
    return f"dep-{log.new_id().replace('-', '')[:10]}"


def _too_busy(service: str, environment: str) -> VersionConflictError:
    return VersionConflictError(
        f"others kept writing in the lane of {service}/{environment}", remedy="try again"
    )
