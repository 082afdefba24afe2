"""Carrying one deployment on in the process of a command, until it ends or is held."""

from __future__ import annotations

from collections.abc import Callable

from amends.errors import StoreUnavailableError
from amends.workflows.advance import advance
from amends.workflows.toolbox import Progress, Toolbox

_LONGEST_NAP = 1.0


def drive(
    tools: Toolbox, deployment: str, *, tell: Callable[[Progress], None] = lambda _: None, stay: bool = False
) -> Progress:  # fmt: skip
    """Advance until the deployment is finished, or is held by its gates or a person's decision.

    With ``stay``, what has traffic is not left while a person decides: it is watched on.
    """
    told = ""
    while True:
        progress = advance(tools, deployment)
        if progress.did != told:
            tell(progress)
            told = progress.did
        if progress.finished or (progress.held and not (stay and watched(tools, deployment))):
            return progress
        _nap(tools, progress)


def watched(tools: Toolbox, deployment: str) -> bool:
    """Whether the deployment, as this process saw it last, has traffic that is to be watched."""
    sight = tools.memory.get(deployment)
    return sight is not None and sight.deployment.watching


def _nap(tools: Toolbox, progress: Progress) -> None:
    due = progress.due
    seconds = _LONGEST_NAP if due is None else min(_LONGEST_NAP, tools.clock.real_seconds_until(due))
    if seconds <= 0:
        return
    try:
        tools.log.store.wait(tools.log.store.last_position(), seconds)
    except StoreUnavailableError:
        tools.clock.wait(_LONGEST_NAP)
