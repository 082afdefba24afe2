"""What looks whether active guards still hold: the repository and the policies that this process reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from amends.errors import UsageError

if TYPE_CHECKING:
    from amends.application.holding import Gates
    from amends.application.ports import CodeHost
    from amends.bootstrap import Workspace
    from amends.workflows.toolbox import Progress


def guard_keeper(workspace: Workspace) -> Callable[[], Progress] | None:
    """Return what looks at guards, for ``Toolbox.check_guards``; ``None`` where ``AMENDS_CHECK_EVERY=off``.

    The repository is that of ``AMENDS_REPO``, or the one around the policy file: the policy's service's.
    Raises ``UsageError`` for an interval that is none.
    """
    said = workspace.settings.check_every.strip()
    if said == "off":
        return None
    from amends.workflows.holding import GuardKeeper

    def checkout_of(service: str) -> CodeHost | None:
        return open_checkout(workspace, service)

    def policies() -> Mapping[str, Gates]:
        from amends.bootstrap import policies_in_use

        return {service: loaded.policy.gates for service, loaded in policies_in_use(workspace).items()}

    return GuardKeeper(workspace.log, checkout_of, policies, _interval(said)).run


def open_checkout(workspace: Workspace, service: str) -> CodeHost | None:
    """Return the repository of a service, where this process reaches it."""
    from amends.adapters.codehost import GitHost
    from amends.adapters.policyfile.names import read_names

    settings = workspace.settings
    if read_names(settings.policy).service != service:
        return None
    place = (settings.repo or settings.policy.absolute().parent).absolute()
    if not any((folder / ".git").exists() for folder in (place, *place.parents)):
        return None
    return GitHost(place)


def _interval(said: str) -> timedelta:
    from amends.gates.shape import parse_duration

    try:
        seconds = float(parse_duration(said))
    except (ValueError, TypeError):
        seconds = 0.0
    if seconds < 60:
        raise UsageError(
            f"found the interval {said!r}; allowed are a minute or longer, such as 12h or 1d, and off",
            where="AMENDS_CHECK_EVERY", remedy="correct it, or leave it out: 1d",
        )  # fmt: skip
    return timedelta(seconds=seconds)
