"""Opens the search of a workspace's log."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from amends.application.searching import Search
from amends.config import Settings
from amends.errors import StoreUnavailableError

if TYPE_CHECKING:
    from amends.bootstrap import Workspace


def open_search(workspace: Workspace) -> Search:
    """Return the search of a log: its index lies in a file beside other state, or in memory.

    That of a log in memory is there, too; and where the file cannot be written, a search takes as long as
    reading the log.
    """
    from amends.adapters.search import FullTextIndex

    log, settings = workspace.log, workspace.settings
    if workspace.opened.kind == "memory":
        return Search(log, FullTextIndex())
    try:
        return Search(log, FullTextIndex(index_path(settings)))
    except StoreUnavailableError:
        return Search(log, FullTextIndex())


def index_path(settings: Settings) -> Path:
    """Return the file of the index of this store; other stores have others."""
    name = hashlib.sha256(str(settings.store).encode()).hexdigest()[:12]
    return settings.state_dir / f"search-{name}.db"
