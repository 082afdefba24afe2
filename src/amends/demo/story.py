"""Telling the story from its first scene to its last, and leaving nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from amends.bootstrap import StoryClock, open_workspace, stop_local_services
from amends.demo.narration import Narrator
from amends.demo.running import end_running
from amends.demo.scenes import SCENES
from amends.demo.script import Script
from amends.demo.stage import Stage
from amends.errors import UsageError

_BEGINS = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)


def tell(
    console: Console, *, store: str = "", root: Path | None = None, script: Script | None = None
) -> Stage:
    """Play every scene; return the stage, with the server still running.

    ``store`` may name another log (it should be empty); ``root`` the folder to play in. Call ``clear`` when
    done. Raises ``StoryError`` when a step did not really happen.
    """
    place = _empty(root) if root else Path(tempfile.mkdtemp(prefix="amends-demo-"))
    clock = StoryClock.start(place / "clock.json", at=_BEGINS)
    where = store or str(place / "log.db")
    workspace = open_workspace(store=where, policy=str(place / "shop" / "amends.yaml"), source="/amends/demo")
    workspace = replace(workspace, clock=clock, log=replace(workspace.log, clock=clock))
    stage = Stage(place, workspace, clock, Narrator(console), script or Script())
    try:
        for scene in SCENES:
            scene(stage)
    except BaseException:
        clear(stage, keep_files=root is not None)
        raise
    return stage


def clear(stage: Stage, *, keep_files: bool = False) -> None:
    """Stop every process of the story; remove its folder unless it is to be kept."""
    for process in reversed(list(stage.running)):
        stage.stop(process)
    stop_local_services(stage.root / "state")
    stage.workspace.close()
    if not keep_files:
        shutil.rmtree(stage.root, ignore_errors=True)


def stop(root: Path) -> list[str]:
    """Stop what a kept story left running in its folder; return what it was. The files stay.

    Doing it again finds nothing more to stop. Raises ``UsageError`` when no story was told there.
    """
    place = Path(os.path.abspath(root))  # noqa: PTH100 - as above
    return [*end_running(place), *stop_local_services(place / "state")]


def _empty(root: Path) -> Path:
    if root.exists() and any(root.iterdir()):
        raise UsageError(
            "the demo plays in an empty folder, and this one is not", where=str(root),
            remedy="name a folder that does not exist yet",
        )  # fmt: skip
    root.mkdir(parents=True, exist_ok=True)
    return Path(os.path.abspath(root))  # noqa: PTH100 - links are kept as the user wrote them
