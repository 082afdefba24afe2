"""What tells people: ``notices.yaml``, and the couriers of its channels."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amends.application.notices.office import Office
    from amends.bootstrap import Workspace
    from amends.workflows.toolbox import Progress


def open_office(workspace: Workspace) -> Office:
    """Return where notices are made. Raises ``UsageError`` when ``notices.yaml`` cannot be read as such."""
    from amends.adapters.couriers.opening import courier_of
    from amends.adapters.noticesfile import load_notices
    from amends.application.notices.office import Office
    from amends.application.notices.statements import published

    path, log = workspace.settings.notices, workspace.log
    policy = load_notices(path)
    return Office(
        log, policy, workspace.opened.people,
        lambda name: courier_of(name, policy, os.environ, path.parent, lambda: published(log)),
    )  # fmt: skip


def notifier(workspace: Workspace) -> Callable[[], Progress] | None:
    """Return what does all telling that is due, for ``Toolbox.tell_people``; ``None`` where nothing is
    declared, so that nobody is told by surprise.
    """
    if not workspace.settings.notices.exists():
        return None
    from amends.workflows.notifying import Notifier
    from amends.workflows.toolbox import Progress

    found = Notifier(open_office(workspace))

    def run() -> Progress:
        done = found.run()
        said = [f"told {done.told}, handed over {done.sent}"] if done.told or done.sent else []
        return Progress(done.again_at, False, "; ".join([*said, *done.failed]))

    return run


def write_status_pages(workspace: Workspace) -> list[str]:
    """Write the files of every declared status page anew; return their folders."""
    from amends.adapters.couriers.statuspage import StatusPageCourier
    from amends.adapters.noticesfile import load_notices
    from amends.application.notices.statements import published
    from amends.errors import UsageError

    path = workspace.settings.notices
    policy = load_notices(path)
    folders = []
    for channel in policy.channels.values():
        if channel.status_page:
            folder = path.parent / channel.status_page.folder
            page = StatusPageCourier(
                channel.status_page, folder, policy.organisation, lambda: published(workspace.log)
            )
            try:
                page.write()
            except OSError as error:
                raise UsageError(
                    f"the status page cannot be written: {error.strerror or error}", where=str(folder),
                    remedy="check the folder and its permissions",
                ) from None  # fmt: skip
            folders.append(str(folder))
    return folders
