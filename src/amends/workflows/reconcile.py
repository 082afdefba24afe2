"""Whether what a finished deployment left behind still holds in the world.

A process that was stopped in the middle of an order that its deployer cannot fence (a command on some far
platform, another machine's) may finish it long after a roll-back. So it is looked at whenever a deployment
has come to its end, the overtaken one of a woken process too, and when a loop begins.
"""

from __future__ import annotations

from amends.application.deploying import can_actuate, request_rollback
from amends.application.deployments import find_deployment, lane_now
from amends.errors import AmendsError
from amends.releases.actuation import Observation
from amends.releases.deployment import Deployment
from amends.workflows.toolbox import Toolbox, event_id


def reconcile(tools: Toolbox, deployment: str) -> str:
    """Compare what runs with how the last deployment in a deployment's lane ended; say what differs.

    A release that was rolled back and has traffic again is rolled back again. Any other difference is only
    told: somebody may have meant it.
    """
    d = find_deployment(tools.log, deployment)
    standing = lane_now(tools.log, d.service, d.environment)[0].of(d.environment)
    if standing.latest not in ("", d.id):
        d = find_deployment(tools.log, standing.latest)
    if not d.finished or not can_actuate(d.plan):
        return ""
    try:
        seen = tools.deployer_for(d).observe(d.service, d.environment)
    except AmendsError as error:
        return f"what runs in {d.service}/{d.environment} could not be observed: {error.message}"
    if d.outcome == "promoted":
        return _other_than_promoted(d, seen)
    share = seen.weights.get(d.candidate.version, 0)
    if not d.rolled_back or not share or d.baseline is None:
        return ""
    again = request_rollback(
        tools.log, d.service, d.environment, role="amends", away_from=d.candidate, to=d.baseline.version,
        reason=f"{d.candidate} was rolled back by {d.id} and is found with {share}% of the traffic",
        identity=event_id(d.id, "found again"),
    )  # fmt: skip
    return f"{d.candidate} has {share}% of the traffic after its roll-back; {again} rolls it back again"


def _other_than_promoted(d: Deployment, seen: Observation) -> str:
    share = seen.weights.get(d.candidate.version, 0)
    if not seen.weights or share == 100:
        return ""
    return f"{d.candidate} was promoted in {d.environment} and has {share}% of the traffic; nothing was done"
