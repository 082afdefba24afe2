"""Whatever stands in a table or an export: facts that can be read back, or faults; never an error."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amends.adapters.clocks import SystemClock
from amends.adapters.histories import open_history
from amends.adapters.histories.tablerow import COLUMNS
from amends.adapters.stores.memory import MemoryPeople, MemoryStore
from amends.application.desk import Desk
from amends.application.history import GithubPast, Past, TablePast
from amends.application.importing import import_history
from amends.application.log import Log
from amends.events.codec import decode

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([
        "", "2026-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59-14:00", "1e308", "inf", "nan", "-5",
        "true", "a",
        "b", "2026-01-01 00:00:00 Foo/Bar", "2026-01-01T00:00[x]", "2026-01-01T00:00:00 ../../etc",
        "1774016825.5",
        "99999999999999999999", "a;b", "2",
    ]),
)  # fmt: skip
FIELDS = (
    "number", "merged_at", "merge_commit_sha", "head", "base", "user", "sha", "id", "environment",
    "statuses_url",
    "deployment_url", "state", "created_at", "pull_request_url", "submitted_at", "head_sha", "conclusion",
    "name",
    "started_at", "completed_at", "context", "url", "body", "title", "changed_files", "check_runs",
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.sampled_from([
    None, 1, -1, "x", "2026-01-01T00:00:00Z", {}, [], {"sha": "a"}, {"login": "b"}, "https://x/1", True,
    1.5, "success",
    "9999-12-31T23:59:59-14:00", "APPROVED", "Reverts #1",
])  # fmt: skip


def facts_can_be_read_back(past: Past) -> None:
    desk = Desk(Log(MemoryStore(), SystemClock(), lambda: "", "/amends/cli"), MemoryPeople(), "shop")
    import_history(desk, open_history(past))
    assert all(decode(record).payload is not None for record in desk.log.store.records())


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, min_size=3), min_size=1, max_size=6))
def test_any_table(rows: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "t.csv"
        with file.open("w", newline="", encoding="utf-8", errors="replace") as out:
            writer = csv.DictWriter(out, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows({"change_id": "c1", **row} for row in rows)
        facts_can_be_read_back(TablePast(file, "shop", "production"))


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=3), max_size=6), st.integers(0, 40))
def test_any_export(items: list[dict[str, Any]], cut: int) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "export.json"
        text = json.dumps(items)
        file.write_text(text[: -cut or None])
        facts_can_be_read_back(GithubPast((file,), "shop"))
