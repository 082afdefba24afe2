from __future__ import annotations

import json
from pathlib import Path

import pytest

from amends.adapters.replaying import captures
from amends.adapters.replaying.captures import read_folder
from amends.errors import UsageError

GOOD = {"schema": "amends.capture/1", "request": {"method": "GET", "path": "/x"}, "call": None}


def test_what_is_unfit_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text(json.dumps(GOOD)[:40])
    (tmp_path / "c.json").write_text(json.dumps({**GOOD, "schema": "amends.capture/7"}))
    (tmp_path / "d.json").write_text("[" * 100_000)
    (tmp_path / "e.json").write_text(json.dumps({**GOOD, "request": None, "call": {}}))
    (tmp_path / "f.txt").write_text("no capture")
    (tmp_path / "g.json").symlink_to(tmp_path / "deep" / "a.json")
    found = read_folder(tmp_path)
    assert [one.path for one in found.requests] == ["/x"]
    assert found.calls == 1
    assert ["b.json" in found.refused[0], "c.json" in found.refused[1], "d.json" in found.refused[2]] == [
        True
    ] * 3
    assert len(found.refused) == 3


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.json").write_text(json.dumps(GOOD))
    monkeypatch.setattr(captures, "LARGEST_FOLDER", 250)
    found = read_folder(tmp_path)
    assert len(found.requests) < 4
    assert "left out" in found.refused[-1]
    monkeypatch.setattr(captures, "LARGEST_FILE", 10)
    with pytest.raises(UsageError, match="larger than 10 bytes"):
        read_folder(tmp_path)


def test_nothing_to_replay_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="found no captures"):
        read_folder(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        read_folder(tmp_path / "absent")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match="no `schema`"):
        read_folder(tmp_path)
