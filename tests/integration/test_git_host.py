"""The git code host, on real repositories."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from amends.adapters.codehost import GitHost
from amends.adapters.codehost.running import OUTPUT_LIMIT
from amends.errors import NotFoundError, UsageError
from tests.repositories import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.commit("first", a="1\n")
    made.git("tag", "v1.0")
    return made


@pytest.fixture
def host(repo: Repo, tmp_path: Path) -> GitHost:
    return GitHost(repo.path, state=tmp_path / "state")


def test_commits_come_oldest_first_with_paths_lines_and_message(repo: Repo, host: GitHost) -> None:
    repo.commit("second\n\nwhy\n\nReviewed-by: Bo <bo@example.com>", **{"src__käse.py": "x\ny\n", "a": "2\n"})
    repo.commit("third | odd\x01 title", b="")
    second, third = host.commits("v1.0", "main")
    assert (second.title, second.lines, second.author) == ("second", 4, "ana@example.com")
    assert set(second.paths) == {"a", "src/käse.py"}
    assert "Reviewed-by: Bo <bo@example.com>" in second.body
    assert second.committed_at.isoformat() == "2026-03-02T09:00:00+00:00"
    assert third.parents == (second.sha,)
    assert third.paths == ("b",)
    assert len(host.commits("", "main")) == 3


def test_a_merge_brings_its_paths_once(repo: Repo, host: GitHost) -> None:
    repo.git("switch", "-qc", "side")
    repo.commit("on the side", side="1\n")
    repo.git("switch", "-q", "main")
    repo.commit("on main", main="1\n")
    repo.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    repo.commit("after it", after="1\n")
    every = {c.title: c.paths for c in host.commits("v1.0", "main")}
    assert every == {"on the side": ("side",), "on main": ("main",), "merge side": (), "after it": ("after",)}
    first = {c.title: c.paths for c in host.commits("v1.0", "main", first_parent=True)}
    assert first == {"on main": ("main",), "merge side": ("side",), "after it": ("after",)}


def test_a_merge_has_the_files_that_it_resolved_itself(repo: Repo, host: GitHost) -> None:
    repo.git("switch", "-qc", "side")
    repo.commit("on the side", a="side\n", side="1\n")
    repo.git("switch", "-q", "main")
    repo.commit("on main", a="main\n")
    repo.git("merge", "-q", "--no-commit", "-X", "ours", "side")
    merged = repo.commit("merge side", a="both\n")
    repo.commit("after it", b="1\n")
    every = {c.sha: (c.paths, c.lines) for c in host.commits("v1.0", "main")}
    assert every[merged] == (("a",), 2)
    assert list(every.values())[-1] == (("b",), 1)


def test_owners_are_those_of_the_revision(repo: Repo, host: GitHost) -> None:
    repo.commit("owners", CODEOWNERS="* @org/all\n/pay/ @org/pay @ana\n")
    repo.git("tag", "v1.1")
    repo.commit("new owners", **{".github__CODEOWNERS": "* @org/new\n"})
    assert host.owners("v1.0", "pay/x.py") == ()
    assert host.owners("v1.1", "pay/x.py") == ("@org/pay", "@ana")
    assert host.owners("main", "pay/x.py") == ("@org/new",)


def test_broken_codeowners_names_the_file(repo: Repo, host: GitHost) -> None:
    repo.commit("owners", CODEOWNERS="/[a @org/all\n")
    with pytest.raises(UsageError, match="CODEOWNERS at"):
        host.owners("main", "a")


def test_an_unknown_revision_names_the_nearest(host: GitHost) -> None:
    with pytest.raises(NotFoundError, match=r"nearest: v1\.0"):
        host.resolve("v1.1")
    with pytest.raises(NotFoundError):
        host.resolve("--help")


def test_tags(repo: Repo, host: GitHost) -> None:
    repo.commit("next")
    repo.git("tag", "v1.1")
    assert host.tags_at("main") == ("v1.1",)
    assert host.previous_tag("main") == "v1.0"
    assert host.previous_tag("v1.0") == ""


def test_no_repository_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not inside a git repository"):
        GitHost(tmp_path)


def test_missing_git_is_said_plainly(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="git was not found"):
        GitHost(repo.path)


def test_a_shallow_clone_that_cuts_the_range_is_refused(repo: Repo, tmp_path: Path) -> None:
    for number in range(4):
        repo.commit(f"c{number}")
    repo.git("clone", "-q", "--depth", "3", repo.path.as_uri(), str(tmp_path / "shallow"))
    shallow = GitHost(tmp_path / "shallow")
    assert len(shallow.commits("HEAD~1", "HEAD")) == 1
    with pytest.raises(UsageError, match="shallow"):
        shallow.commits("", "HEAD")
    with pytest.raises(NotFoundError, match="--unshallow"):
        shallow.commits("v1.0", "HEAD")


def test_a_worktree_leaves_the_users_tree_as_it_was(repo: Repo, host: GitHost, tmp_path: Path) -> None:
    hook = repo.path / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    repo.commit("second", a="2\n", src__mod="")
    (repo.path / "a").write_text("being edited\n")
    (repo.path / "new").write_text("untracked\n")
    repo.git("add", "new")
    before = (repo.git("status", "--porcelain"), repo.git("for-each-ref"), repo.git("stash", "list"))
    with host.worktree("v1.0") as tree:
        assert (tree.path / "a").read_text() == "1\n"
        tree.write("tests/t.py", "print(1)")
        assert tree.run(["python", "tests/t.py"], timeout=60).output == "1\n"
    assert not tree.path.exists()
    assert (repo.git("status", "--porcelain"), repo.git("for-each-ref"), repo.git("stash", "list")) == before
    assert (repo.path / "a").read_text() == "being edited\n"
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert not (tmp_path / "hooked").exists()


def test_a_worktree_imports_its_own_code(repo: Repo, host: GitHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere/venv")
    monkeypatch.setenv("AMENDS_TOKEN", "secret")
    repo.commit("lay out", **{"src__shop__mod.py": "WHERE = 'src'\n", "top.py": ""})
    show = "import os, sys, shop.mod, top; print(shop.mod.WHERE, sys.executable); print(sorted(os.environ))"
    with host.worktree("main") as tree:
        answer = tree.run(["python", "-c", show], timeout=60)
        assert answer.output.splitlines()[0] == f"src {sys.executable}"
        assert "VIRTUAL_ENV" not in answer.output
        assert "AMENDS_TOKEN" not in answer.output
        assert not list(tree.path.rglob("__pycache__"))


@pytest.mark.slow
def test_setup_runs_in_an_environment_of_its_own_and_says_why_it_failed(
    host: GitHost, tmp_path: Path
) -> None:
    setup = ["python", "-c", "import sys; print('prefix', sys.prefix); raise SystemExit(3)"]
    with pytest.raises(UsageError, match=rf"exit code 3:\nprefix {tmp_path}/state/.*/venv"):
        host.worktree("v1.0", setup=setup)


def test_a_timeout_ends_the_whole_group(host: GitHost) -> None:
    child = (
        "import subprocess, time; p = subprocess.Popen(['sleep', '60']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    with host.worktree("v1.0") as tree:
        answer = tree.run(["python", "-c", child], timeout=1.5)
    assert answer.timed_out
    pid = int(answer.output)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_long_output_keeps_head_and_tail(host: GitHost) -> None:
    with host.worktree("v1.0") as tree:
        answer = tree.run(["python", "-c", "print('first'); print('x' * 300_000); print('last')"], timeout=60)
        missing = tree.run(["no-such-command"], timeout=5)
    assert answer.output.startswith("first")
    assert answer.output.endswith("last\n")
    assert len(answer.output) < OUTPUT_LIMIT + 100
    assert "bytes left out" in answer.output
    assert (missing.exit_code, "No such file" in missing.output) == (127, True)


def test_a_path_may_not_lead_out(host: GitHost) -> None:
    with host.worktree("v1.0") as tree, pytest.raises(UsageError, match="leads out"):
        tree.write("../outside", "x")


def test_what_a_killed_run_left_is_removed_next_time(repo: Repo, host: GitHost, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from amends.adapters.codehost import GitHost;"
        f"t = GitHost(Path({str(repo.path)!r}), state=Path({str(tmp_path / 'state')!r})).worktree('v1.0');"
        "print(t.path, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    left = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip())
    assert (left / "a").exists()
    with host.worktree("v1.0") as first, host.worktree("v1.0") as second:
        assert not left.exists()
        assert first.path.exists()  # a living neighbour's is left alone
        assert second.path.exists()
    assert len(repo.git("worktree", "list").splitlines()) == 1


def test_submodules_are_noticed(repo: Repo, host: GitHost, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("x", x="1")
    repo.git("submodule", "--quiet", "add", other.path.as_uri(), "libs/other")
    repo.commit("with a submodule")
    with host.worktree("main") as tree:
        assert tree.notes == ("submodules are not checked out: libs/other",)


def test_closing_a_worktree_ends_what_another_thread_runs_there(host: GitHost) -> None:
    tree = host.worktree("v1.0")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(tree.run, ["sh", "-c", "touch begun; sleep 300"], timeout=300.0)
        while not (tree.path / "begun").exists():
            time.sleep(0.01)
        tree.close()
        assert running.result().exit_code != 0
    assert not tree.path.exists()
