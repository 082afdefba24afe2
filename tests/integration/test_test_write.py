"""``amends test write`` on a real repository with a planted bug of each kind, and on everything unusable."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from amends.adapters.clocks import SystemClock
from amends.adapters.stores import open_store
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.cli.main import main
from amends.events.payloads import FailureCaptured, Signature
from tests.plantedbugs import (
    BASKET,
    call,
    capture,
    planted_repository,
    raised,
    request,
    setup_command,
)
from tests.repositories import Repo

DESCRIBE = raised("ZeroDivisionError", "shop/web.py:app", "shop/price.py:describe")
Write = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return planted_repository(tmp_path_factory.mktemp("planted") / "repo")


@pytest.fixture
def repo(planted: Repo, tmp_path: Path) -> Path:
    """A clone for one test, so that no test sees what another wrote."""
    subprocess.run(["git", "clone", "-q", str(planted.path), str(tmp_path / "repo")], check=True)
    return tmp_path / "repo"


@pytest.fixture
def write(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Write:
    """Run the command beside the repository; its worktrees are made in a folder that must be empty after."""
    trees = tmp_path / "trees"
    trees.mkdir()
    monkeypatch.setenv("TMPDIR", str(trees))
    monkeypatch.setattr("tempfile.tempdir", str(trees))
    monkeypatch.chdir(tmp_path)

    def write(*words: object, **parts: Any) -> tuple[int, dict[str, Any]]:
        before = status(repo)
        where = [capture(tmp_path / "capture.json", **parts)] if parts else []
        words = ("amends", "test", "write", *where, "--repo", repo, *words, "--format", "json")
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        told = json.loads(said.out) if said.out else {"error": said.err}
        written = told.get("test_file")
        assert status(repo) - before == ({f"?? {written}"} if written else set())
        assert not list(trees.glob("amends-worktrees-*/*/*"))
        assert not [
            p
            for p in psutil.Process().children(recursive=True)
            if str(trees) in " ".join(p.environ().values())
        ]
        assert "verdict" in told or ended.value.code == 2, told["error"]
        return int(ended.value.code or 0), told

    return write


def status(repo: Path) -> set[str]:
    command = ["git", "-C", str(repo), "status", "--porcelain", "--untracked-files=all"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def proven(told: dict[str, Any], repo: Path, *words: str) -> str:
    """Check what every proven test has in common, and return its text."""
    assert told["verdict"] == "proven", told["reason"]
    assert [one.partition(":")[0] for one in told["red"]] == ["red"] * 3
    assert told["green"] == ["green"] * 3
    assert told["reduced_size"] <= told["original_size"]
    text = (repo / told["test_file"]).read_text()
    ast.parse(text)
    for word in words:
        assert word in text or word in text.replace("\n", " ")
    return text


def test_an_exception_on_a_call(write: Write, repo: Path) -> None:
    code, told = write(
        "--words", "a basket of gifts alone", call=call("shop.price:describe", BASKET, note="x"),
        exception=DESCRIBE,
    )  # fmt: skip
    assert code == 0
    text = proven(told, repo, "from shop.price import describe", '    describe({"lines": []})\n')
    assert "a basket of gifts alone" in text
    assert told["test_file"] == "tests/regression/test_a_basket_of_gifts_alone.py"
    assert told["signature"] == "ZeroDivisionError in shop/price.py:describe"
    assert told["reduced_size"] < 0.3 * told["original_size"]
    assert 0 < told["evaluations"] < 100


@pytest.mark.parametrize(
    ("function", "wrapped"),
    [("fetch", "asyncio.run(fetch("), ("walk", "list(walk("), ("Cart.share", "Cart.share(made(Cart,")],
)
def test_calls_that_are_awaited_listed_or_methods(
    write: Write, repo: Path, function: str, wrapped: str
) -> None:
    cart = {"$type": "object", "class": "shop.price:Cart", "attributes": {"items": [1, 2], "people": []}}
    given = cart if function == "Cart.share" else BASKET
    frame = "shop/price.py:share" if function == "Cart.share" else "shop/price.py:describe"
    _, told = write(call=call(f"shop.price:{function}", given), exception=raised("ZeroDivisionError", frame))
    proven(told, repo, wrapped)


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["--app", "shop.web:app"], "from shop.web import app"),
        (["--app", "shop.web:wsgi"], "from shop.web import wsgi"),
        (["--start", "python -m shop.server {port}"], '["python", "-m", "shop.server", "{port}"]'),
    ],
    ids=["asgi", "wsgi", "service"],
)
def test_an_exception_on_a_request(write: Write, repo: Path, words: list[str], needed: str) -> None:
    code, told = write(*words, request=request("/describe", BASKET), kind="http", exception=DESCRIBE)
    assert code == 0
    text = proven(told, repo, needed, 'body=json.dumps({"lines": []}).encode()', "assert status == 200")
    assert "x-trace" not in text


def test_the_policy_says_how_the_service_is_started(write: Write, repo: Path, tmp_path: Path) -> None:
    policy = "service: shop\nenvironments: [production]\ndeploy:\n  process:\n    ready: /healthz\n"
    (tmp_path / "amends.yaml").write_text(policy + '    run: "{python} -m shop.server {port}"\n')
    _, told = write(request=request("/describe", BASKET), response={"status": 500})
    proven(told, repo, '["{python}", "-m", "shop.server", "{port}"]', 'ready="/healthz"')
    # The service logs its traceback, which says more than the captured status does.
    assert told["signature"] == "ZeroDivisionError in shop/price.py:describe"


def test_a_wrong_value_has_the_fix_or_a_person_as_its_oracle(write: Write, repo: Path) -> None:
    order = {"net": 1234, "lines": [1, 2, 3], "more": {"x": "y"}}
    _, told = write("--name", "one", call=call("shop.price:vat", order), why="predicate")
    text = proven(told, repo, 'assert found == {"net": ', "The right answer is the fix's")
    assert (told["oracle"], told["signature"]) == ("fix", "a wrong answer at gross")
    assert "more" not in text
    expected = '{"net": 1234, "gross": 1480, "lines": 3}'
    (repo / told["test_file"]).unlink()
    _, told = write(
        "--name", "two", "--expect", expected, call=call("shop.price:vat", order), why="predicate"
    )
    proven(told, repo, "stated by a person", '"gross": 1480')
    assert (told["oracle"], told["evaluations"]) == ("person", 0)
    (repo / told["test_file"]).unlink()
    _, told = write("--name", "three", "--expect", "7", call=call("shop.price:vat", order), why="predicate")
    assert (told["verdict"], told["test_file"]) == ("not green", None)


def test_a_fix_may_refuse_what_failed(write: Write, repo: Path) -> None:
    _, told = write(
        call=call("shop.price:refuse", "twelve"), exception=raised("ValueError", "shop/price.py:refuse")
    )
    proven(told, repo, "with pytest.raises(OverflowError):", "import pytest")


def test_any_command(write: Write, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("tea 1\nmilk %% 2\nbread 3\n")
    command = "python -m shop.command {input}"
    _, told = write(tmp_path / "list.txt", "--run", command, "--bad", "v1.4.0", "--name", "percent")
    proven(told, repo, 'INPUT = "%%"', "assert code == 0")
    assert told["signature"].startswith("exit code 1, parse error in /#")
    assert (told["original_size"], told["reduced_size"]) == (29, 4)
    (repo / told["test_file"]).unlink()
    (tmp_path / "list.txt").write_text("tea\nexplode\nmilk\n")
    _, told = write(tmp_path / "list.txt", "--run", command, "--bad", "v1.4.0", "--name", "explode")
    proven(told, repo, 'INPUT = "explode"')
    assert told["signature"] == "ZeroDivisionError in shop/price.py:describe"


def test_setup_prepares_each_worktree_in_its_own_environment(write: Write, repo: Path) -> None:
    parts = {"call": call("shop.rates:rate", "a"), "exception": raised("TypeError", "shop/rates.py:rate")}
    code, told = write(**parts)
    assert (code, told["verdict"], told["test_file"]) == (3, "untestable", None)
    assert "made_by_setup" in told["reason"]
    assert "--setup" in told["reason"]
    _, told = write("--setup", setup_command(), **parts)
    proven(told, repo, 'rate("a")')
    _, told = write("--setup", "echo no such wheel >&2; exit 4", "--name", "other", **parts)
    assert told["verdict"] == "untestable"
    assert "no such wheel" in told["reason"]


@pytest.mark.parametrize(
    ("function", "error", "verdict", "words"),
    [
        ("shop.trap:total", "ZeroDivisionError", "untestable", "no_such_package_anywhere"),
        ("shop.trap:total", "ModuleNotFoundError", "untestable", "no_such_package_anywhere"),
        ("shop.odd:forever", "KeyError", "untestable", "did not end within 1 s"),
        ("shop.odd:forks", "KeyError", "untestable", "did not end within 1 s"),
        ("shop.odd:dies", "KeyError", "untestable", "exit code 3"),
        ("shop.price:refuse", "KeyError", "not reproduced", "ValueError"),
        ("shop.price:nobody", "KeyError", "untestable", "nobody"),
    ],
)
def test_red_for_another_reason_is_no_test(
    write: Write, function: str, error: str, verdict: str, words: str
) -> None:
    frame = function.partition(":")[0].replace(".", "/") + ".py:" + function.partition(":")[2]
    code, told = write("--timeout", "1", call=call(function, "twelve"), exception=raised(error, frame))
    assert (code, told["verdict"]) == ({"untestable": 3}.get(verdict, 1), verdict)
    assert words in told["reason"]
    assert (told["test_file"], told["red"], told["green"]) == (None, [], [])


def test_a_flaky_failure_is_no_test(write: Write) -> None:
    _, told = write(
        call=call("shop.odd:sometimes", "x"), exception=raised("KeyError", "shop/odd.py:sometimes"),
    )  # fmt: skip
    # Three of three by chance leads on to a fix that fails just so: neither way is a test written.
    assert told["verdict"] in ("not reproduced", "not green")
    assert told["test_file"] is None


def test_a_service_that_answers_500_to_everything_is_untestable(write: Write) -> None:
    _, told = write(
        "--start", "python -m shop.down {port}", request=request("/describe", {"lines": []}),
        response={"status": 500},
    )  # fmt: skip
    assert told["verdict"] == "untestable"
    assert "answers 500 to everything" in told["reason"]


def test_a_service_that_does_not_start_is_untestable(write: Write) -> None:
    _, told = write(
        "--start", "python -m shop.nowhere {port}", request=request("/", None), response={"status": 500}
    )
    assert told["verdict"] == "untestable"
    assert "shop.nowhere" in told["reason"]


def test_without_a_fix_it_is_red_and_only_written_when_that_is_wanted(write: Write, repo: Path) -> None:
    subprocess.run(["git", "-C", str(repo), "checkout", "-q", "v1.4.0"], check=True)
    parts = {"call": call("shop.price:describe", BASKET), "exception": DESCRIBE}
    code, told = write(**parts)
    assert (code, told["verdict"], told["test_file"], told["green"]) == (3, "not green", None, [])
    assert len(told["red"]) == 3
    code, told = write("--unfixed", **parts)
    assert (code, told["verdict"]) == (3, "not green")
    assert "describe(" in (repo / told["test_file"]).read_text()


def test_what_cannot_be_asked_is_said_before_anything_runs(write: Write, repo: Path, tmp_path: Path) -> None:
    parts = {"call": call("shop.price:describe", BASKET), "exception": DESCRIBE}
    assert "no revision 'v9'" in write("--bad", "v9", **parts)[1]["error"]
    assert "leads out of" in write("--test", "../x.py", **parts)[1]["error"]
    assert "both are commit" in write("--good", "v1.4.0", **parts)[1]["error"]
    assert "nothing says how to reach" in write(request=request("/", None))[1]["error"]
    assert "no place for the input" in write(tmp_path / "capture.json", "--run", "cat")[1]["error"]
    assert "cannot be read" in write(tmp_path / "nothing.json")[1]["error"]
    (tmp_path / "capture.json").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in write(tmp_path / "capture.json")[1]["error"]
    place = repo / "tests/regression/test_there.py"
    place.parent.mkdir(parents=True)
    place.write_text("mine = 1\n")
    code, told = write("--name", "there", **parts)
    assert code == 2
    assert "there already" in told["error"]
    assert place.read_text() == "mine = 1\n"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = open_store(f"{tmp_path}/log.db")
    yield Log(opened.store, SystemClock(), iter(f"e{n}" for n in range(99)).__next__, "/tests")
    opened.store.close()


def an_incident(log: Log) -> str:
    return open_incident(
        log, service="shop", release="1.4.0", previous="1.3.0", environment="production",
        summary="1.4.0 answered with errors", opened_by="person", team="shop-team",
    )  # fmt: skip


def test_the_edge_case_is_registered_and_the_amendment_proposed(
    write: Write, repo: Path, tmp_path: Path, log: Log
) -> None:
    incident = an_incident(log)
    _, told = write(
        "--incident", incident, "--store", f"{tmp_path}/log.db", "--words", "a basket of gifts",
        "--role", "shop-team", call=call("shop.price:describe", BASKET), exception=DESCRIBE,
    )  # fmt: skip
    text = proven(told, repo, f"{incident}: a basket of gifts")
    assert (told["edge_case"], told["amendment"]) == ("a-basket-of-gifts", "AM-1")
    [documented] = [fact.payload for fact in log.facts(kinds=["edgecase.documented"])]
    [proposed] = [fact.payload for fact in log.facts(kinds=["amendment.proposed"])]
    assert documented.test == told["test"]  # type: ignore[union-attr]
    assert documented.incident == incident  # type: ignore[union-attr]
    assert proposed.test_text == text  # type: ignore[union-attr]
    assert proposed.signature.frame == "shop/price.py:describe"  # type: ignore[union-attr]


def test_an_incidents_own_capture_is_all_that_is_needed(
    write: Write, repo: Path, tmp_path: Path, log: Log
) -> None:
    incident, store = an_incident(log), f"{tmp_path}/log.db"
    assert "has not a capture" in write("--incident", incident, "--store", store)[1]["error"]
    parts = {"call": call("shop.price:describe", BASKET), "exception": DESCRIBE, "release": "build-77"}
    held = json.loads(capture(tmp_path / "held.json", **parts).read_text())
    failure = {"service": "shop", "release": "1.4.0", "environment": "production", "incident": incident}
    for kept in ({"path": "/by-hand"}, held):
        log.record("failure.captured", FailureCaptured(**failure, signature=Signature(), input=kept))
    # Nothing in the repository is called build-77: the incident knows the release by another name.
    _, told = write("--incident", incident, "--store", store)
    proven(told, repo, f"{incident}: ZeroDivisionError in describe", 'describe({"lines": []})')
    assert (told["bad"], told["amendment"]) == ("v1.4.0", "AM-1")


def test_an_incident_that_nobody_knows_is_said_before_anything_runs(write: Write, tmp_path: Path) -> None:
    parts = {"call": call("shop.price:describe", BASKET), "exception": DESCRIBE}
    code, told = write("--incident", "INC-9", "--store", f"{tmp_path}/log.db", **parts)
    assert code == 2
    assert "INC-9" in told["error"]
    assert "which input failed?" in write()[1]["error"]


def test_what_is_nobodys_edge_case_is_written_and_not_registered(
    write: Write, repo: Path, tmp_path: Path, log: Log
) -> None:
    (tmp_path / "list.txt").write_text("tea 1\nmilk %% 2\n")
    code, told = write(
        tmp_path / "list.txt", "--run", "python -m shop.command {input}", "--bad", "v1.4.0", "--store",
        f"{tmp_path}/log.db",
    )  # fmt: skip
    assert (code, told["verdict"], told["edge_case"]) == (0, "proven", None)
    assert any("--service" in note for note in told["notes"])
    assert (repo / told["test_file"]).exists()
    assert log.facts() == []
