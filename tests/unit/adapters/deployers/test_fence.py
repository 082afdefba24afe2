from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amends.adapters.deployers.fence import TokenRegister, one_at_a_time, place, slug
from amends.errors import ActuationFailedError, ActuationRefusedError


def test_the_highest_token_never_falls(tmp_path: Path) -> None:
    register = TokenRegister(tmp_path, "x")
    assert register.highest() == 0
    for token in (9, 10, 10):
        register.accept(token)
    with pytest.raises(ActuationRefusedError, match=r"token 9 .* token 10"):
        register.accept(9)
    assert TokenRegister(tmp_path, "x").highest() == 10


def test_a_writer_that_was_paused_cannot_lower_the_token(tmp_path: Path) -> None:
    """What a writer does that passed its check before a newer one came: it writes its own file, late."""
    register = TokenRegister(tmp_path, "x")
    register.accept(10)
    (tmp_path / "tokens" / "7").touch()
    assert register.highest() == 10


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../../etc", "-rf", "a b", "ü", "x" * 300])
def test_no_name_leaves_the_state_directory(tmp_path: Path, name: str) -> None:
    path = place(tmp_path, name, name)
    assert path.is_relative_to(tmp_path)
    assert len(path.relative_to(tmp_path).parts) == 2
    assert ".." not in path.parts


def test_different_names_have_different_places() -> None:
    names = ["a/b", "a b", "a-b", "a_b", "A-b", ".a", "a"]
    slugs = [slug(n) for n in names]
    assert len(set(slugs)) == len(names)
    assert [slug(s) for s in slugs] == slugs


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ActuationFailedError, match="state directory"):
        place(tmp_path / "file", "shop", "production")


def test_the_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with one_at_a_time(tmp_path, lambda: None):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_who_waits_gives_up_when_it_is_overtaken(tmp_path: Path) -> None:
    def overtaken() -> None:
        raise ActuationRefusedError("overtaken")

    with (
        one_at_a_time(tmp_path, lambda: None),
        pytest.raises(ActuationRefusedError),
        one_at_a_time(tmp_path, overtaken),
    ):
        pass


HOLD = """
import sys, time
from pathlib import Path
from amends.adapters.deployers.fence import one_at_a_time
from amends.adapters.deployers.processes import run_command
with one_at_a_time(Path(sys.argv[1]), lambda: None) as lock:
    run_command(["sh", "-c", "echo $$ > command.pid; exec sleep 600"], cwd=Path(sys.argv[1]), env={},
                timeout=600, on_start=lambda p: (lock.running(p), print("held", flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_the_lock_of_a_stopped_or_killed_holder_is_taken_over_and_its_command_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, number)
        if number == signal.SIGKILL:
            holder.wait()
        with one_at_a_time(tmp_path, lambda: None):
            pid = (tmp_path / "command.pid").read_text().strip()
            assert not runs(pid)
    finally:
        holder.kill()
        holder.communicate()


def runs(pid: str) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True)
    return done.stdout.strip()[:1] not in ("", "Z")
