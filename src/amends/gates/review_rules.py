"""The parts ``incidents`` and ``review`` of a policy: what opens an incident by itself, and how its review is
published.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from amends.gates.shape import Duration, Strict

DAY = 86_400.0


class ReviewRules(Strict):
    """How the review of an incident is published: `amends review`.

    Roles, never persons. Without ``reviewers``, one role other than the writer's has to agree with a review
    that was submitted.
    """

    reviewers: list[str] = Field(default_factory=list, description="roles that have to agree, each of them")
    settle: Duration = Field(
        default=2 * DAY,
        description="how long after it was published its action items may change without a reason",
    )


class IncidentRules(Strict):
    """What opens an incident by itself, beside rollbacks and alerts."""

    bypass: Literal["open", "flag"] = Field(
        default="open",
        description="whether a deployment that went around the gates of the last environment opens an "
        "incident, or is only flagged",
    )
    bypass_severity: str = Field(
        default="low", pattern=r"^\S{0,40}$", description="the severity of such an incident"
    )
