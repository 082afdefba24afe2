"""A kept demo can be ended by another process, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amends.cli.demo import app
from amends.demo.running import identify, note_running
from amends.demo.story import stop
from amends.errors import UsageError

_SLEEP = "import time; print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a story left: one that ends when asked, one of somebody else's."""
    made = [
        subprocess.Popen([sys.executable, "-c", _SLEEP], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in made:
        assert process.stdout is not None
        process.stdout.readline()
    yield made
    for process in made:
        process.kill()
        process.communicate()


def test_only_what_the_story_started_is_ended(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    own, other = (
        identify(name, process.pid) for name, process in zip(("server", "traffic"), started, strict=True)
    )
    assert own
    assert other
    # The pid of the second was given to somebody else since it was noted.
    note_running(tmp_path, (own, replace(other, started=other.started - 60)))
    assert stop(tmp_path) == ["server"]
    assert started[1].poll() is None
    assert identify("server", own.pid) is None
    assert stop(tmp_path) == []


def test_the_command_says_what_it_stopped(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    found = identify("server", started[0].pid)
    assert found
    note_running(tmp_path, (found,))
    said = CliRunner().invoke(app, ["--stop", str(tmp_path)])
    assert (said.exit_code, "Stopped: server." in said.stdout) == (0, True)
    assert "Nothing of this demo runs" in CliRunner().invoke(app, ["--stop", str(tmp_path)]).stdout


def test_a_folder_without_a_demo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no demo"):
        stop(tmp_path)
    (tmp_path / "running.json").write_text("{")
    with pytest.raises(UsageError, match="no demo"):
        stop(tmp_path)
