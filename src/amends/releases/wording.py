"""How a deployment's end is told: the reason that its last event carries, and what its incident says."""

from __future__ import annotations

from typing import Literal

from amends.releases.deployment import Deployment


def promotion_reason(d: Deployment) -> str:
    """Return why it is promoted: what each step went on by, or plainly that nobody watched."""
    if not d.course.steps:
        return f"promoted without a watch: the rollout has no steps in {d.environment}"
    if len(d.grounds) == 1:
        why = d.grounds[0][1]
    else:
        why = "; ".join(f"step {step}: {ground.rstrip('.')}" for step, ground in d.grounds)
    steps = "1 step" if len(d.course.steps) == 1 else f"{len(d.course.steps)} steps"
    if not _compares(d):
        return f"promoted after {steps} without a watch, for the policy names no metric: {why}"
    return f"promoted after {steps}: {why}"


def watch_of(d: Deployment) -> Literal["passed", "inconclusive", "none"]:
    """Return what a promotion rests on: a watch that saw it to be well, one that could not tell, or none."""
    if not d.course.steps or not _compares(d):
        return "none"
    return "inconclusive" if d.unseen else "passed"


def _compares(d: Deployment) -> bool:
    return bool((d.plan.get("watch") or {}).get("metrics"))


def retreat_in_a_sentence(d: Deployment) -> str:
    """Return what its incident says happened, as of now."""
    reason = d.outcome_reason or (d.retreat.reason if d.retreat else "")
    if d.rolled_back:
        return f"{d.candidate} was rolled back in {d.environment}: {reason}"
    return (
        f"{d.candidate} is to be rolled back in {d.environment}: {reason}. "
        "When this was opened, the roll-back was not confirmed yet: it may still have traffic."
    )
