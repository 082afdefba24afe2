"""What a replay is put together from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amends.application.recording import named_release, record_replay
from amends.application.replays import Replayed, Services, record_replayed
from amends.config import Settings
from amends.errors import AmendsError, UsageError
from amends.gates.replay_plan import Replay

if TYPE_CHECKING:
    from amends.application.desk import Desk
    from amends.bootstrap import Workspace
    from amends.workflows.replaying import Told


def replay_plan(policy: str = "") -> Replay:
    """Return the part ``replay`` of the policy; its defaults where there is no file and none was named."""
    from amends.adapters.policyfile import load_policy

    path = Settings.read(os.environ, policy=policy).policy
    named = policy or os.environ.get("AMENDS_POLICY")
    return load_policy(path).policy.replay if named or path.exists() else Replay()


def replay_captures(
    folder: Path, services: Services, plan: Replay, *, sandbox: bool, most: int, seed: int | None, told: Told
) -> Replayed:
    """Read the captures, send them, compare the replies. Raises ``UsageError``, ``AmendsError``."""
    from amends.adapters.replaying.captures import read_folder
    from amends.adapters.replaying.sender import HttpSender, Pace
    from amends.prevention.replay.choosing import choose
    from amends.workflows.replaying import replay

    found = read_folder(folder)
    chosen = choose(found.requests, sandbox=sandbox, most=most)
    if not chosen.inputs:
        raise UsageError(
            f"none of {len(found.requests)} recorded requests may be sent: they change something",
            where=str(folder), remedy="declare with --sandbox that both services may be written to",
        )  # fmt: skip
    dealt = secrets.randbelow(2**32) if seed is None else seed
    pace = Pace(plan.rate)
    with ExitStack() as stack:

        def sender(url: str) -> HttpSender:
            return stack.enter_context(closing(HttpSender(
                url, pace, headers=services.headers, authority=services.authority, timeout=plan.timeout,
                jobs=plan.concurrency,
            )))  # fmt: skip

        twin = sender(services.twin) if services.twin else None
        ends = sender(services.baseline), sender(services.candidate)
        played = replay(chosen.inputs, *ends, plan, seed=dealt, twin=twin, told=told)
    names = tuple(os.path.relpath(one.name, folder) if folder.is_dir() else one.name for one in chosen.inputs)
    left_out = chosen.left_out + (
        (("is a call of a function, not a request", found.calls),) if found.calls else ()
    )
    return Replayed(played, names, dealt, left_out, found.refused)


@dataclass(frozen=True, slots=True)
class ReplayWindow:
    """Where what a replay came to is recorded."""

    workspace: Workspace
    desk: Desk

    def record(self, done: Replayed, release: str, baseline: str) -> str:
        """Record it as evidence about a release; return the event's id."""
        return record_replayed(self.desk, done, release, baseline).fact.id

    @contextmanager
    def failing(self, release: str, baseline: str) -> Iterator[None]:
        """Record that a replay could not run, too: an older pass would stand otherwise. Raises it again."""
        try:
            yield
        except UsageError:
            raise
        except AmendsError as error:
            record_replay(self.desk, release, decision="error", baseline=baseline, reason=error.message)
            raise

    def close(self) -> None:
        """Release the store."""
        self.workspace.close()


def replay_window(store: str, policy: str, service: str, *releases: str) -> ReplayWindow:
    """Open the log before anything is sent: an answer that cannot be kept is found out early.

    Raises ``UsageError`` also for a release that is not told apart from others by its name.
    """
    from amends.bootstrap import open_desk, open_workspace

    workspace = open_workspace(store=store, policy=policy)
    try:
        desk = open_desk(workspace, service=service).require_service()
        for release in releases:
            named_release(desk, release)
        return ReplayWindow(workspace, desk)
    except BaseException:
        workspace.close()
        raise


def replay_page(done: Replayed, services: Services) -> str:
    """Return the report as one HTML file that needs nothing else."""
    from amends.adapters.replaying.page import render_page

    return render_page(done, services)
