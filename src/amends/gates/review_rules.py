"""The part ``review`` of a policy: who has to agree with the review of an incident, and how it settles."""

from __future__ import annotations

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
