from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from amends.adapters.deployers.processes import (
    CommandTimeoutError,
    ProcessId,
    identify,
    is_alive,
    run_command,
    signal_group,
    spawn_detached,
)


def test_a_process_is_known_by_pid_and_start(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)
    assert not is_alive(ProcessId(me.pid, me.started - 60))
    assert not is_alive(None)


def test_a_detached_process_that_ended_is_not_alive_though_we_are_its_parent(tmp_path: Path) -> None:
    process = spawn_detached(["sleep", "600"], cwd=tmp_path, env=os.environ, output=tmp_path / "out")
    assert is_alive(process)
    assert os.getsid(process.pid) == process.pid
    signal_group(process.pid, signal.SIGKILL)
    while is_alive(process):
        time.sleep(0.01)


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    command = "echo begun; sleep 600 & echo $! > child.pid; wait"
    with pytest.raises(CommandTimeoutError) as ended:
        run_command(["sh", "-c", command], cwd=tmp_path, env=os.environ, timeout=0.5)
    assert ended.value.output == "begun"
    child = int((tmp_path / "child.pid").read_text())
    while (found := identify(child)) and is_alive(found):
        time.sleep(0.01)


def test_a_service_left_in_the_background_neither_holds_us_up_nor_is_ended(tmp_path: Path) -> None:
    command = "sleep 600 & echo $! > child.pid; echo started"
    done = run_command(["sh", "-c", command], cwd=tmp_path, env=os.environ, timeout=60)
    child = identify(int((tmp_path / "child.pid").read_text()))
    assert done.stdout == "started\n"
    assert is_alive(child)
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
