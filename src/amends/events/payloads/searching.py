"""Runs of a search that other machines make: what is asked of them, and what they found."""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Payload
from amends.events.payloads.incidents import Signature


class TrialAsked(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A command is to be run on one commit, by any worker that agreed to run such commands.

    ``files`` are paths with texts, written into the worktree before; ``timeout`` is in seconds. ``trial`` is
    unique in the log.
    """

    search: str
    trial: str
    commit: str
    command: str
    files: tuple[tuple[str, str], ...] = ()
    setup: tuple[str, ...] = ()
    timeout: float = 300.0
    hang_is_failure: bool = False
    expected: Signature = Signature()


class TrialDone(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What a run came to. ``files`` are the project's own in the failure's traceback.

    ``remarks`` are what the worktree noted, for example that submodules are not checked out.
    """

    search: str
    trial: str
    outcome: Literal["red", "green", "untestable"]
    signatures: tuple[Signature, ...] = ()
    files: tuple[str, ...] = ()
    note: str = ""
    remarks: tuple[str, ...] = ()


class SearchEnded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A search has its verdict or was ended: what it still asked for is not wanted any more."""

    search: str
