"""Asking the log about deployments and about what runs where."""

from __future__ import annotations

from dataclasses import dataclass

from amends.application.log import Log
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import resolve_release
from amends.releases.deployment import Deployment, fold_deployment
from amends.releases.standing import STANDING_KINDS, Standing, fold_standing

_WITHOUT_LOOKS = (
    "deployment.requested", "deployment.approved", "deployment.paused", "deployment.resumed",
    "deployment.aborted", "deployment.finished", "step.started", "step.concluded", "actuation.intended",
    "actuation.done", "gates.decided", "quarantine.set", "incident.detected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Places:
    """Where a service's releases run, and which release each name means."""

    service: str
    standings: dict[str, Standing]
    declared: tuple[Fact, ...]

    def ref(self, name: str) -> ReleaseRef:
        """Return the release of a name; one that nobody declared has its name alone."""
        found = resolve_release(self.declared, self.service, name)
        return found or ReleaseRef(self.service, name)

    def of(self, environment: str) -> Standing:
        """Return an environment's standing; an empty one where nothing is known."""
        return self.standings.get(environment) or Standing(self.service, environment)


def find_deployment(log: Log, deployment: str) -> Deployment:
    """Return a deployment as the whole log tells it.

    Raises
    ------
    NotFoundError
        With the ids of the latest ones.
    """
    tag = (f"deployment:{deployment}",)
    facts = log.facts(tags=tag, kinds=_WITHOUT_LOOKS)
    if not any(f.kind == "deployment.requested" for f in facts):
        recent = log.facts(kinds=("deployment.requested",), newest_first=True, limit=5)
        names = ", ".join(getattr(f.payload, "deployment", "") for f in recent) or "none yet"
        raise NotFoundError(
            f"found no deployment {deployment!r}; the latest are: {names}",
            remedy="see `amends deployment list`",
        )
    looks = log.facts(tags=tag, kinds=("watch.assessed",), newest_first=True, limit=1)
    return fold_deployment(sorted((*facts, *looks), key=lambda f: f.recorded.position))


def list_deployments(
    log: Log, *, service: str = "", environment: str = "", open_only: bool = False, limit: int = 20
) -> list[Deployment]:
    """Return deployments, the latest first."""
    tag = f"env:{service}/{environment}" if service and environment else f"service:{service}"
    tags = (tag,) if service else ()
    asked = log.facts(tags=tags, kinds=("deployment.requested",), newest_first=True)
    over = set(finished_ids(log, tags)) if open_only else set()
    found: list[Deployment] = []
    for fact in asked:
        said = fact.payload
        if not isinstance(said, p.DeploymentRequested) or said.deployment in over:
            continue
        if environment and said.environment != environment:
            continue
        found.append(find_deployment(log, said.deployment))
        if len(found) >= limit:
            break
    return found


def finished_ids(log: Log, tags: tuple[str, ...] = ()) -> list[str]:
    """Return the ids of finished deployments."""
    facts = log.facts(tags=tags, kinds=("deployment.finished",))
    return [f.payload.deployment for f in facts if isinstance(f.payload, p.DeploymentFinished)]


def places_of(log: Log, service: str) -> Places:
    """Return where a service's releases run now."""
    return _places(
        service, log.facts(tags=(f"service:{service}",), kinds=(*STANDING_KINDS, "artifact.packaged"))
    )


def lane_now(log: Log, service: str, environment: str) -> tuple[Places, int]:
    """Return a service's places and the exact version of one lane that they were folded from.

    Followers of a log may lag behind its writers; a stream read by itself does not. What is then appended on
    that version was decided on everything in the lane.
    """
    facts = log.facts(tags=(f"service:{service}",), kinds=(*STANDING_KINDS, "artifact.packaged"))
    lane = f"lane/{service}/{environment}"
    seen = max((f.recorded.seq for f in facts if f.recorded.stream == lane), default=0)
    tail = log.stream(lane, after=seen)
    return _places(service, [*facts, *tail]), tail[-1].recorded.seq if tail else seen


def _places(service: str, facts: list[Fact]) -> Places:
    declared = tuple(f for f in facts if isinstance(f.payload, p.ReleaseDeclared))
    names: dict[str, str] = {}

    def canonical(name: str) -> str:
        if name not in names:
            found = resolve_release(declared, service, name)
            names[name] = found.version if found else name
        return names[name]

    return Places(service, fold_standing(facts, canonical), declared)
