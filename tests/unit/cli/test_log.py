"""``amends log``, from the shell's side."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from amends.adapters.stores import open_store
from amends.cli.log import app
from amends.errors import AmendsError, StoreUnavailableError, UsageError
from amends.events import codec
from amends.events import payloads as p

NOW = datetime(2026, 3, 20, 14, 27, 5, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "log.db"
    opened = open_store(str(path))
    payloads = [
        ("service.deployed", p.ServiceDeployed(service="shop", release="1", environment="production")),
        ("service.deployed", p.ServiceDeployed(service="till", release="1", environment="production")),
        (
            "incident.detected",
            p.IncidentOpened(
                incident="INC-1", service="shop", environment="production", summary="s", opened_by="person"
            ),
        ),
    ]  # fmt: skip
    items = [
        codec.make_event(name, payload, id=f"e{n}", source="/test", at=NOW)
        for n, (name, payload) in enumerate(payloads)
    ]
    opened.store.append_many(items, recorded_at=NOW)
    opened.people.pseudonym("ada")
    opened.store.close()
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def shown(*words: str | Path) -> list[str]:
    found = json.loads(run("show", "--format", "json", *words).output)
    return [item["event"]["id"] for item in found]


def test_show_filters_and_limits(database: Path) -> None:
    assert shown("--store", database) == ["e0", "e1", "e2"]
    assert shown("--store", database, "--limit", "2") == ["e1", "e2"]
    assert shown("--store", database, "--service", "shop") == ["e0", "e2"]
    assert shown("--store", database, "--kind", "incident.detected") == ["e2"]
    assert shown("--store", database, "--incident", "INC-1", "--service", "shop") == ["e2"]
    assert shown("--store", database, "--incident", "INC-1", "--service", "till") == []
    text = run("show", "--store", database).output.splitlines()
    assert "service.deployed" in text[0]
    assert "lane/shop/production#1" in text[0]


def test_verify_names_what_is_wrong_and_exits_1(database: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    assert run("verify", "--store", database).exit_code == 0
    assert run("checkpoint", "--store", database, "--output", kept).exit_code == 0
    assert run("verify", "--store", database, "--checkpoint", kept).exit_code == 0
    with sqlite3.connect(database) as raw:
        raw.execute("DELETE FROM events WHERE event_id = 'e2'")
        raw.execute("DELETE FROM checkpoints")
    gap = run("verify", "--store", database)
    assert (gap.exit_code, "position#3: dropped" in gap.output) == (1, True)
    result = run("verify", "--store", database, "--checkpoint", kept)
    assert result.exit_code == 1
    assert "incident/INC-1#1: dropped" in result.output


def test_export_and_import_carry_everything(database: Path, tmp_path: Path) -> None:
    file, other, again = tmp_path / "log.jsonl", tmp_path / "other.db", tmp_path / "again.jsonl"
    assert run("export", file, "--store", database).exit_code == 0
    assert run("import", file, "--store", other).output == "3 events are new, 0 the log had already\n"
    assert run("import", file, "--store", other).output == "0 events are new, 3 the log had already\n"
    run("export", again, "--store", other)
    assert again.read_bytes() == file.read_bytes()
    assert run("export", "--store", other).stdout_bytes == file.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_a_spoilt_file_is_refused_at_its_line_and_writes_nothing(database: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "log.jsonl", tmp_path / "other.db"
    run("export", file, "--store", database)
    file.write_bytes(file.read_bytes() + b"nonsense\n")
    result = run("import", file, "--store", other)
    assert isinstance(result.exception, AmendsError)
    assert result.exception.where == f"{file}:4"
    assert not other.exists()


def test_forgetting_leaves_the_log_whole(database: Path) -> None:
    assert run("forget", "ada", "--store", database).exit_code == 0
    again = run("forget", "ada", "--store", database)
    assert isinstance(again.exception, AmendsError)
    assert again.exception.exit_code == 2
    assert run("verify", "--store", database).exit_code == 0


def test_a_missing_file_is_named(database: Path, tmp_path: Path) -> None:
    for words in (["import", tmp_path / "no"], ["verify", "--checkpoint", tmp_path / "no"]):
        result = run(*words, "--store", database)
        assert isinstance(result.exception, AmendsError)
        assert result.exception.where == str(tmp_path / "no")


@pytest.mark.parametrize("name", ["option", "environment"])
@pytest.mark.parametrize("command", ["verify", "export", "show", "checkpoint"])
def test_a_named_log_that_is_not_there_is_no_empty_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    gone = tmp_path / "gone.db"
    monkeypatch.setenv("AMENDS_STORE", str(gone) if name == "environment" else "")
    error = run(command, *(("--store", gone) if name == "option" else ())).exception
    assert isinstance(error, StoreUnavailableError)
    assert error.message == f"there is no log at {gone}"
    assert "--store" in error.remedy
    assert error.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_event_a_list_is_friendly_and_verify_makes_no_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMENDS_STORE", raising=False)
    said = run("show")
    assert (said.exit_code, "nothing is recorded yet" in said.output) == (0, True)
    with pytest.raises(StoreUnavailableError, match=r"there is no log at \.amends/log\.db yet"):
        raise run("verify").exception or AssertionError("no error")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["memory", ":memory:"])
def test_a_store_that_was_nearly_called_memory_makes_no_file(name: str) -> None:
    with pytest.raises(UsageError, match="did you mean memory:"):
        open_store(name)
