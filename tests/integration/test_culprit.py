"""``amends culprit`` on generated repositories: planted culprits, flakes, skipped and missing revisions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.repositories import Repo

Amends = Callable[..., tuple[int, str, str]]
Culprit = Callable[..., tuple[int, dict[str, Any]]]
CHANGES = 24
DEFECT = 15
# A counter outside the repository makes flakes that are the same in every run of the test.
CHECK = """\
import os, pathlib, random
import price
counter = pathlib.Path(os.environ["COUNTER"])
with counter.open("ab", buffering=0) as file:  # an append is whole, also where several run at a time
    file.write(b".")
    number = file.tell() - 1
if number % 10 == 7:
    raise TimeoutError("a flake")
assert price.total(3) == 9
"""
RIGHT, WRONG = "def total(n):\n    return n * n\n", "def total(n):\n    return n * n + 1\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A history of 24 changes after ``v1`` of which number 15 brings the defect."""
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = Repo(tmp_path / "repo")
    made.commit("version 1", **{"price.py": RIGHT, "check.py": CHECK, "notes.txt": "0\n"})
    made.git("tag", "v1")
    for number in range(1, CHANGES + 1):
        files = {"notes.txt": f"{number}\n"} | ({"price.py": WRONG} if number == DEFECT else {})
        made.commit(f"change {number}", **files)
        made.git("tag", f"c{number}")
    return made


@pytest.fixture
def culprit(repo: Repo, amends: Amends, monkeypatch: pytest.MonkeyPatch) -> Culprit:
    monkeypatch.chdir(repo.path)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code, out, err = amends("culprit", "--format", "json", *words)
        return code, json.loads(out) if out.startswith("{") else {"error": err}

    return run


def left_behind(repo: Repo) -> list[str]:
    return [line for line in repo.git("worktree", "list").splitlines() if "/tree" in line]


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_planted_culprit_is_found_in_spite_of_flakes(repo: Repo, culprit: Culprit, jobs: str) -> None:
    (repo.path / "price.py").write_text("the user is in the middle of something\n")
    code, told = culprit("--good", "v1", "--bad", "c24", "--jobs", jobs, "--", "python", "check.py")
    assert (code, told["verdict"]) == (0, "culprit")
    assert told["culprit"] == repo.git("rev-parse", f"c{DEFECT}")
    assert told["probability"] >= 0.99
    assert told["signature"] == "AssertionError in check.py:<module>"
    assert told["posterior_top"][0]["change"] == told["culprit"]
    assert all(one["failed"] + one["passed"] >= 1 for one in told["neighbours"])
    assert "Ana" not in json.dumps(told)
    assert repo.git("status", "--porcelain") == "M price.py"
    assert left_behind(repo) == []


def test_flakes_that_look_like_the_failure_are_taken_into_account(repo: Repo, culprit: Culprit) -> None:
    code, told = culprit("--good", "v1", "--any-failure", "--", "python", "check.py")
    assert code == 0
    assert told["title"] == f"change {DEFECT}"
    assert told["other_failures"] == 0


def test_a_flaky_test_convicts_nobody(repo: Repo, culprit: Culprit) -> None:
    flaky = CHECK.replace("number % 10 == 7", "random.Random(number).random() < 0.4").replace(
        "9", "price.total(3)"
    )
    (repo.path / "flaky.py").write_text(flaky)
    code, told = culprit("--good", "v1", "--with", "flaky.py", "--", "python", "flaky.py")
    assert (code, told["verdict"], told["culprit"]) == (3, "flaky", None)


def test_a_test_from_the_users_tree_is_brought_along_and_read_as_pytest(repo: Repo, culprit: Culprit) -> None:
    (repo.path / "test_total.py").write_text(
        "import price\n\ndef test_total():\n    assert price.total(3) == 9\n"
    )
    code, told = culprit(
        "--good", "c14", "--bad", "c15", "--with", "test_total.py", "--", "pytest test_total.py::test_total"
    )
    assert (code, told["title"]) == (0, f"change {DEFECT}")
    assert told["signature"].endswith("test_total.py:test_total")


def test_without_its_test_the_bad_end_is_untestable_and_says_how_to_mend_it(culprit: Culprit) -> None:
    code, told = culprit("--good", "v1", "--", "pytest", "test_absent.py")
    assert (code, told["verdict"]) == (4, "untestable")
    assert "does not exist" in told["reason"]
    assert "--with" in told["remedy"]


def test_a_file_that_only_the_users_tree_has_is_named_with_what_brings_it_along(
    repo: Repo, culprit: Culprit
) -> None:
    (repo.path / "test_new.py").write_text("def test_new():\n    pass\n")
    code, told = culprit("--good", "v1", "--", "pytest", "test_new.py::test_new")
    assert code == 4
    assert any(note.endswith("bring it along, --with test_new.py") for note in told["notes"])


def test_after_the_place_was_mended_the_same_call_tries_again(culprit: Culprit, tmp_path: Path) -> None:
    check = f"test -e {tmp_path}/tool || exit 127; python check.py"
    assert culprit("--good", "v1", "--", "sh", "-c", check)[0] == 4
    (tmp_path / "tool").touch()
    code, told = culprit("--good", "v1", "--", "sh", "-c", check)
    assert (code, told["title"], told["resumed"]) == (0, f"change {DEFECT}", 0)


def test_a_missing_dependency_is_not_the_failure(repo: Repo, culprit: Culprit) -> None:
    code, told = culprit("--good", "v1", "--", "python", "-c", "import not_installed_here")
    assert (code, told["verdict"]) == (4, "untestable")
    assert "imported" in told["reason"]


def test_revisions_that_say_that_they_cannot_be_tested_are_left_out(repo: Repo, culprit: Culprit) -> None:
    skip = "case $(cat notes.txt) in 13|14|15) exit 125;; esac; grep -q 'n [*] n$' price.py"
    code, told = culprit("--good", "v1", "--", "sh", "-c", skip)
    assert (code, told["verdict"], told["culprit"]) == (3, "undecided", None)
    assert {repo.git("log", "-1", "--format=%s", one) for one in told["candidates"]} == {
        f"change {number}" for number in (13, 14, 15, 16)
    }
    assert len(told["untestable"]) >= 3


def test_a_command_that_hangs_or_forks_leaves_nothing_behind(
    repo: Repo, culprit: Culprit, tmp_path: Path
) -> None:
    hang = f"sleep 300 & echo $! >> {tmp_path}/pids; sleep 300"
    code, told = culprit("--good", "v1", "--timeout", "1s", "--", "sh", "-c", hang)
    assert (code, told["verdict"]) == (4, "untestable")
    assert "did not end within 1 s" in told["reason"]
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"] == []
    assert left_behind(repo) == []


def test_a_hang_may_be_the_failure(repo: Repo, culprit: Culprit) -> None:
    hang = "python -c 'import price; assert price.total(3) == 9' || sleep 60"
    code, told = culprit("--good", "v1", "--timeout", "1s", "--hang-is-failure", "--", "sh", "-c", hang)
    assert (code, told["title"]) == (0, f"change {DEFECT}")


def test_a_search_goes_on_from_its_notes_and_forgets_them_when_told(repo: Repo, culprit: Culprit) -> None:
    words = ("--good", "v1", "--", "python", "check.py")
    code, first = culprit("--max-runs", "5", *words)
    assert (code, first["verdict"], first["runs"]) == (3, "undecided", 5)
    code, second = culprit(*words)
    assert (code, second["resumed"]) == (0, 5)
    assert culprit("--max-runs", "5", "--fresh", *words)[1]["resumed"] == 0
    (notes,) = (repo.path / ".git/amends").glob("culprit-*.jsonl")
    code, other = culprit("--state", str(notes), "--good", "c1", "--", "python", "check.py")
    assert code == 2
    assert "another search" in other["error"]
    notes.write_text(notes.read_text() + '{"id": "9", "revision": 99}\n')
    assert "no note of a run" in culprit(*words)[1]["error"]


def test_a_search_that_was_killed_goes_on_and_cleans_up(repo: Repo, culprit: Culprit) -> None:
    slow = "sleep 0.3; python check.py"
    command = [sys.executable, "-m", "amends", "culprit", "--good", "v1", "--", "sh", "-c", slow]
    for how, code in ((signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)):
        started = subprocess.Popen(command, cwd=repo.path, stderr=subprocess.PIPE, text=True, env=os.environ)
        assert started.stderr is not None
        assert started.stderr.readline().startswith("run ")
        started.send_signal(how)
        said = started.stderr.read()
        assert started.wait() == code
        if how == signal.SIGTERM:
            assert "the same call goes on" in said
            assert left_behind(repo) == []
    code, told = culprit("--good", "v1", "--", "sh", "-c", slow)
    assert (code, told["title"]) == (0, f"change {DEFECT}")
    assert told["resumed"] >= 2
    assert left_behind(repo) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--good", "v9"), "has no revision 'v9'"),
        (("--good", "c9", "--bad", "c3"), "exchange --good and --bad"),
        (("--good", "c9", "--bad", "c9"), "nothing changed between them"),
        (("--good", "v1", "--signature", "???"), "which is none"),
        (("--good", "v1", "--with", "/etc/hostname"), "cannot be brought along"),
        (("--good", "v1", "--timeout", "soon"), "a duration is a number with a unit"),
        (("--good", "v1", "--false-fail", "0.6", "--false-pass", "0.5"), "tells nothing"),
        (("--good", "v1", "--prior", "even", "--prior", "a.py"), "another --prior"),
    ],
)
def test_what_cannot_be_taken_says_how_to_mend_it(
    culprit: Culprit, words: tuple[str, ...], said: str
) -> None:
    code, told = culprit(*words, "--", "python", "check.py")
    assert code == 2
    assert said in told["error"]
    assert "mend:" in told["error"]


def test_a_shallow_clone_that_cuts_the_range_is_refused(
    repo: Repo, culprit: Culprit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("clone", "-q", "--depth", "5", f"file://{repo.path}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    code, told = culprit("--good", "v1", "--", "python", "check.py")
    assert code == 2
    assert "unshallow" in told["error"]


def test_submodules_are_told_of_and_may_be_checked_out(repo: Repo, culprit: Culprit, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("x", x="1")
    repo.git("submodule", "--quiet", "add", other.path.as_uri(), "libs/other")
    repo.commit("with a submodule")
    repo.git("tag", "with")
    repo.commit("the defect", **{"price.py": WRONG + "# again\n"})
    command = ("--good", "with", "--", "sh", "-c", "test -e libs/other/x || exit 125; ! grep again price.py")
    code, told = culprit(*command)
    assert (code, told["verdict"]) == (4, "untestable")
    assert any("libs/other" in note and "submodule update --init" in note for note in told["notes"])
    check_out = "git -c protocol.file.allow=always submodule update --init -q"
    code, told = culprit("--setup", check_out, *command)
    assert (code, told["title"]) == (0, "the defect")
    assert told["notes"] == []
    assert left_behind(repo) == []
    assert repo.git("worktree", "prune", "--dry-run", "-v") == ""


def test_a_merge_is_one_change_unless_asked_otherwise(repo: Repo, culprit: Culprit) -> None:
    repo.git("switch", "-qc", "side", "c3")
    repo.commit("on the side", **{"side.txt": "1\n"})
    bad = repo.commit("the defect on the side", **{"tax.py": "RATE = 2\n"})
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    check = "test ! -e tax.py"
    code, told = culprit("--good", "c3", "--", "sh", "-c", check)
    assert (code, told["title"]) == (0, "merge side")
    assert any("--every-commit" in note for note in told["notes"])
    code, told = culprit("--good", "c3", "--bad", "side", "--", "sh", "-c", check)
    assert (code, told["culprit"]) == (0, bad)


def test_the_culprits_gates_come_from_the_log(repo: Repo, culprit: Culprit, amends: Amends) -> None:
    policy = (
        "service: shop\nenvironments: [production]\ngates:\n  production:\n    - review: {approvals: 1}\n"
    )
    (repo.path / "amends.yaml").write_text(policy)
    for version, commit in (("1.0", "c10"), ("1.1", "c20")):
        assert amends("record", "release", version, "--commit", commit)[0] == 0
        amends("gate", "--release", version, "--to", "production")
    code, told = culprit("--good", "v1", "--", "python", "check.py")
    assert code == 0
    [came] = told["gates"]
    assert (came["service"], came["release"]) == ("shop", "1.1")
    [decided] = came["decisions"]
    assert "review" in {row["gate"] for row in decided["gates"]}


def test_the_text_says_what_was_found_and_the_picture_is_plain_without_a_terminal(
    repo: Repo, culprit: Culprit, amends: Amends
) -> None:
    code, out, err = amends("culprit", "--good", "v1", "--prior", "price.py", "--", "python", "check.py")
    assert code == 0
    assert f"change {DEFECT} (" in out
    assert "before it" in out
    assert "\x1b" not in out + err
    assert err.startswith("run 1: revision 24 of 24")
