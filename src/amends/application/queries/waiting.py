"""What a deployment that is under way does or waits for, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amends.releases.deployment import Deployment, Phase
from amends.releases.strategy import Wait, next_action

_DOING = {
    Phase.GATING: "asks the gates",
    Phase.READY: "is about to start",
    Phase.STARTING: "starts the candidate beside the baseline",
    Phase.SHIFTING: "shifts traffic",
    Phase.PROMOTING: "promotes the candidate",
    Phase.RETREATING: "goes back to the previous release",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deployment with what it does now. ``person`` says that somebody has to decide."""

    deployment: Deployment
    sentence: str
    until: datetime | None = None
    person: bool = False


def waiting_deployment(deployment: Deployment, now: datetime) -> Waiting:
    """Return a deployment with what its strategy would do now."""
    step = next_action(deployment, now, gates_fresh=deployment.gates is not None)
    if isinstance(step, Wait):
        return Waiting(deployment, step.why, step.until, step.person)
    doing = _DOING.get(deployment.phase)
    if doing is None:
        doing = f"watches step {deployment.step} of {len(deployment.course.steps)}"
    return Waiting(deployment, doing)
