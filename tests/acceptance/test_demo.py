"""The demo fails when a part of the loop is broken: what it shows really happens.

That it succeeds when nothing is broken is shown by `make demo` itself, which CI runs headless.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from amends.bootstrap import open_workspace
from amends.demo.narration import StoryError
from amends.demo.repository import BAD
from amends.demo.script import Script
from amends.demo.story import clear, tell
from amends.events.event import format_time
from amends.watch.replaying import replay_watch
from amends.workflows.watchexport import export_watch, recording_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def play(script: Script, root: Path) -> str:
    """Tell the story with a broken part; return why it broke off."""
    with pytest.raises(StoryError) as broken:
        clear(tell(Console(file=io.StringIO()), root=root / "story", script=script))
    return str(broken.value)


def without_a_watch(policy: str) -> str:
    """Ask for evidence that no rollout can give, and let everything else through."""
    blind = policy.replace("alpha: 0.01", "alpha: 1.0e-200").replace("extend", "promote")
    assert blind.count("limit:") == 1
    return "\n".join(line for line in blind.splitlines() if "limit:" not in line) + "\n"


def test_without_a_watch_the_bad_release_stays(tmp_path: Path) -> None:
    assert "was not rolled back" in play(Script(edit_policy=without_a_watch), tmp_path)


def test_a_fix_that_mends_nothing_proves_nothing(tmp_path: Path) -> None:
    broken_off = play(Script(fix=BAD), tmp_path)
    assert "test write" in broken_off
    assert "not green" in broken_off
    watch_again(tmp_path / "story" / "log.db")


def watch_again(log: Path) -> None:
    """Replay the watch that rolled back: real processes, real scrapes, the same evidence at every look."""
    workspace = open_workspace(store=str(log), reading=True)
    try:
        looks = [fact.payload for fact in workspace.log.facts(kinds=("watch.assessed",))]
        again = replay_watch(recording_of(list(export_watch(workspace.log, looks[-1].deployment))))
    finally:
        workspace.close()
    told = [(format_time(tick.at), tick.log_evidence, tick.verdict) for tick in again.ticks]
    assert told == [(look.state["at"], look.log_evidence, look.verdict) for look in looks]
    assert (again.decision, again.reason) == ("rollback", looks[-1].reason)


def test_a_gate_that_would_not_have_blocked_it_is_not_proven(tmp_path: Path) -> None:
    assert "amendment prove AM-2" in play(Script(gate="tests: {suites: [unit]}\nmode: block\n"), tmp_path)
