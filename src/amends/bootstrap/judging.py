"""What answers the controllers of other systems: the policy of each service and its metric source."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from amends.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from amends.bootstrap import Workspace
    from amends.workflows.outside import Judged, Question


def open_judge(workspace: Workspace) -> Callable[[Question], Judged]:
    """Return what judges a controller's rollout by the policy of its service.

    The policy is the one in use now; a watch that is under way goes on by the one it began with. Connections
    to metric sources are kept from question to question.
    """
    from amends.bootstrap import policies_in_use
    from amends.bootstrap.carrying import toolbox
    from amends.workflows.outside import judge

    tools = toolbox(workspace, watching_only=True)

    def answer(asked: Question) -> Judged:
        known = policies_in_use(workspace)
        loaded = known.get(asked.service)
        if loaded is None:
            names = ", ".join(sorted(known)) or "none"
            raise NotFoundError(
                f"no policy of a service {asked.service!r} is known here; known: {names}",
                remedy="name the service as its policy does, or give the server its policy: --policy FILE",
            )
        allowed = loaded.policy.environments
        if asked.environment not in allowed:
            raise UsageError(
                f"the policy of {asked.service} has no environment {asked.environment!r}; "
                f"allowed: {', '.join(allowed)}",
                remedy="name one of them as `environment`",
            )
        return judge(tools, asked, loaded.policy.snapshot(), loaded.digest)

    return answer
