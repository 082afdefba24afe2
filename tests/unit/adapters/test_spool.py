"""The spool's file, also after a crash in the middle of a write."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.adapters.spool import FileSpool
from amends.errors import StoreUnavailableError


def test_entries_survive_in_order_and_leave_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "state" / "spool.jsonl"
    spool = FileSpool(path)
    assert spool.entries() == []
    for name in ("a", "b", "c"):
        spool.write({"id": name, "kind": "intent"})
    FileSpool(path).remove(["b"])
    assert [e["id"] for e in spool.entries()] == ["a", "c"]
    spool.remove(["a", "c"])
    assert not path.exists()


def test_a_torn_last_line_is_left_out_and_spoils_nothing_after_it(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    spool = FileSpool(path)
    spool.write({"id": "a"})
    with path.open("ab") as file:
        file.write(b'{"id": "b", "ki')
    assert [e["id"] for e in spool.entries()] == ["a"]
    spool.write({"id": "c"})
    assert [e["id"] for e in spool.entries()] == ["a", "c"]


def test_a_disk_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailableError, match="state"):
        FileSpool(tmp_path / "state" / "spool.jsonl").write({"id": "a"})
