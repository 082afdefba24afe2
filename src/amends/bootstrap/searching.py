"""What a search for a culprit works with: notes of its runs, and the log where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from amends.config import Settings

if TYPE_CHECKING:
    from amends.application.log import Log
    from amends.application.ports import Clock, Spool


def open_search_notes(repo: Path, search: str, state: Path | None, *, fresh: bool) -> tuple[Path, Spool]:
    """Return where the runs of a search are noted, and the notes.

    Without ``state`` that is inside the repository's own git directory, where git leaves it out of the
    user's tree. ``fresh`` forgets what is there.
    """
    from amends.adapters.codehost import GitHost
    from amends.adapters.spool import FileSpool

    place = state or GitHost(repo).root / "amends" / f"culprit-{search}.jsonl"
    if fresh:
        place.unlink(missing_ok=True)
    return place, FileSpool(place)


def repository_top(repo: Path) -> Path:
    """Return the top folder of the working tree around a folder."""
    from amends.adapters.codehost import GitHost

    return GitHost(repo).top()


def search_clock() -> Clock:
    """Return the clock of this process."""
    from amends.bootstrap import open_clock

    return open_clock(Settings.read(os.environ))


@contextmanager
def open_existing_log(store: str) -> Iterator[Log | None]:
    """Open the log that an option or the environment names; ``None`` where none is named and none is there.

    Raises ``StoreUnavailableError`` when the one that was named is not there.
    """
    from amends.bootstrap import open_workspace

    settings = Settings.read(os.environ, store=store)
    if not settings.named and not Path(settings.store).exists():
        yield None
        return
    workspace = open_workspace(store=store, reading=True)
    try:
        yield workspace.log
    finally:
        workspace.close()
