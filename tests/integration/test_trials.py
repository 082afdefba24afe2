"""A search whose runs are made by workers on its log, real processes: divided, taken over, wound up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from amends.bootstrap import open_workspace
from amends.events import payloads as p
from tests.repositories import Repo

CHANGES, DEFECT = 12, 8
CHECK = "import price, time\ntime.sleep({pause})\nassert price.total(3) == 9\n"
RIGHT, WRONG = "def total(n):\n    return n * n\n", "def total(n):\n    return n * n + 1\n"


def history(path: Path, pause: float = 0) -> Repo:
    made = Repo(path)
    made.commit("version 1", **{"price.py": RIGHT, "check.py": CHECK.format(pause=pause), "notes.txt": "0\n"})
    made.git("tag", "v1")
    for number in range(1, CHANGES + 1):
        files = {"notes.txt": f"{number}\n"} | ({"price.py": WRONG} if number == DEFECT else {})
        made.commit(f"change {number}", **files)
        made.git("tag", f"c{number}")
    return made


@contextmanager
def worker(clone: Path, store: str, state: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a worker that makes trials; it is killed in the end if it still runs."""
    env = {**os.environ, "AMENDS_STATE": str(state), "TMPDIR": str(state)}
    state.mkdir(exist_ok=True)
    words = [sys.executable, "-u", "-m", "amends", "worker", "--trials", str(clone), "--store", store]
    with subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert "makes the runs" in process.stdout.readline()
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def search(repo: Repo, store: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [
            sys.executable, "-m", "amends", "culprit", "--good", "v1", "--on-workers", "--store", store,
            "--format", "json", "--fresh", *words, "--", "python", "check.py",
        ],
        cwd=repo.path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def asked_and_done(store: str) -> tuple[set[str], list[str], int]:
    workspace = open_workspace(store=store)
    try:
        told = [f.payload for f in workspace.log.facts(kinds=["trial.asked", "trial.done", "search.ended"])]
    finally:
        workspace.close()
    return (
        {one.trial for one in told if isinstance(one, p.TrialAsked)},
        [one.trial for one in told if isinstance(one, p.TrialDone)],
        sum(isinstance(one, p.SearchEnded) for one in told),
    )


def test_a_worker_on_a_file_makes_the_runs_and_ends_what_it_runs_when_it_is_stopped(tmp_path: Path) -> None:
    repo, store = history(tmp_path / "repo"), str(tmp_path / "log.db")
    with worker(repo.path, store, tmp_path / "worker") as process:
        code, told = search(repo, store, "--jobs", "2")
        assert (code, told["verdict"]) == (0, "culprit")
        assert told["culprit"] == repo.git("rev-parse", f"c{DEFECT}")
        asked, done, ended = asked_and_done(store)
        assert ended == 1
        assert set(done) <= asked
        assert len(done) == len(set(done)) >= told["runs"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert "/tree" not in repo.git("worktree", "list")


def test_a_clone_without_the_commit_leaves_the_run_to_others(tmp_path: Path) -> None:
    repo, store = history(tmp_path / "repo"), str(tmp_path / "log.db")
    other = Repo(tmp_path / "other")
    other.commit("something else", **{"a.txt": "1\n"})
    with worker(other.path, store, tmp_path / "one") as lost, worker(repo.path, store, tmp_path / "two"):
        assert search(repo, store)[0] == 0
        assert lost.stdout
        assert "this clone has not the commit" in lost.stdout.readline()


@pytest.mark.timeout(300)
def test_what_a_killed_worker_held_another_takes_over(tmp_path: Path, postgres_database: str) -> None:
    repo = history(tmp_path / "repo", pause=0.5)
    with (
        worker(repo.path, postgres_database, tmp_path / "one") as first,
        worker(repo.path, postgres_database, tmp_path / "two"),
        subprocess.Popen(
            [
                sys.executable, "-m", "amends", "culprit", "--good", "v1", "--on-workers", "--jobs", "2",
                "--store", postgres_database, "--format", "json", "--", "python", "check.py",
            ],
            cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as searching,
    ):  # fmt: skip
        assert first.stdout
        assert " on " in first.stdout.readline()  # it has begun a run
        os.killpg(first.pid, signal.SIGKILL)
        out, problem = searching.communicate(timeout=200)
        assert searching.returncode == 0, problem
        assert json.loads(out)["culprit"] == repo.git("rev-parse", f"c{DEFECT}")
    for _ in range(50):
        asked, done, ended = asked_and_done(postgres_database)
        if ended:
            break
        time.sleep(0.1)
    assert len(done) == len(set(done))
    assert set(done) <= asked
