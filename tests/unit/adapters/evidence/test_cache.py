"""The cache of facts follows its log, and starts again whenever that is not what it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.evidence.builder import BulkEvidence
from amends.adapters.evidence.cache import MANIFEST, EvidenceCache
from amends.adapters.evidence.facts import TABLES, Table
from amends.adapters.evidence.sources import LogSource
from amends.adapters.stores.memory import MemoryStore
from amends.application.ports import EventStore
from amends.backtests.folded import FoldedEvidence
from amends.events import payloads as p
from amends.events.codec import decode, make_event
from amends.gates.evidence import Question, collect_evidence
from amends.gates.questions import questions_of
from amends.gates.table import FAMILIES
from amends.releases.actuation import ReleaseRef
from tests.unit.adapters.evidence.histories import NOW, spelt_deployments, spelt_table


def deploy(store: EventStore, *releases: str, name: str = "e") -> None:
    """Let releases take over production, one an hour."""
    for release in releases:
        at = NOW + store.last_position() * timedelta(hours=1)
        said = p.ServiceDeployed(service="shop", release=release, environment="production")
        stream, event = make_event("service.deployed", said, id=f"{name}-{release}", source="/test", at=at)
        store.append(stream, [event], recorded_at=at)


def store_of(*releases: str, name: str = "e") -> MemoryStore:
    store = MemoryStore()
    deploy(store, *releases, name=name)
    return store


def deployed(folder: Path, *sources: Any) -> list[Any]:
    bulk = BulkEvidence(folder, sources)
    found = spelt_deployments(bulk.deployments((), "production"))
    bulk.close()
    return found


def expected(store: EventStore) -> list[Any]:
    facts = [decode(record) for record in store.records()]
    return spelt_deployments(FoldedEvidence(facts).deployments((), "production"))


class Counting(LogSource):
    """Counts what is read."""

    count = 0

    def read(self, state: Any) -> Any:
        for fact in super().read(state):
            self.count += 1
            yield fact


def test_only_what_is_new_is_read_again(tmp_path: Path) -> None:
    store = store_of("1", "2", "3")
    deployed(tmp_path, LogSource(store))
    deploy(store, "4")
    source = Counting(store)
    assert deployed(tmp_path, source) == expected(store)
    assert source.count == 1


@pytest.mark.parametrize(
    "other", [store_of("1"), store_of("1", "2", "9"), store_of("1", "2", "3", "4", name="f"), store_of()]
)
def test_a_log_that_was_cut_or_replaced_is_read_from_its_beginning(
    other: MemoryStore, tmp_path: Path
) -> None:
    deployed(tmp_path, LogSource(store_of("1", "2", "3")))
    assert deployed(tmp_path, LogSource(other)) == expected(other)


class KilledError(Exception):
    """Stands for the end of a process."""


@pytest.mark.parametrize("dies_at", [2, 4, 5, 7])
def test_what_a_killed_process_left_is_taken_up_or_swept_away(
    dies_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from amends.adapters.evidence.database import Database

    store, writes, write = store_of(*"123456"), [], Database.write

    def dying(self: Database, query: str, target: Path, **tables: Any) -> None:
        writes.append(target)
        if len(writes) == dies_at:
            target.with_name(f"{target.name}.partial").write_bytes(b"half")
            raise KilledError
        write(self, query, target, **tables)

    monkeypatch.setattr(Database, "write", dying)
    with pytest.raises(KilledError):
        EvidenceCache(tmp_path, [LogSource(store)], part_events=2).refresh()
    monkeypatch.undo()
    assert deployed(tmp_path, LogSource(store)) == expected(store)
    assert not list(tmp_path.glob("*.partial"))


def test_a_manifest_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    store = store_of("1", "2")
    deployed(tmp_path, LogSource(store))
    (tmp_path / MANIFEST).write_bytes(b'{"layout": "1')
    assert deployed(tmp_path, LogSource(store)) == expected(store)


def of_an_earlier_version(table: Table) -> Table:
    """A table that did not yet keep its last column."""
    *kept, _ = table.columns.items()
    return replace(table, columns=dict(kept), row=lambda said: table.row(said)[:-1])


def test_a_folder_that_another_version_kept_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of("1", "2")
    monkeypatch.setitem(TABLES, "moves", of_an_earlier_version(TABLES["moves"]))
    EvidenceCache(tmp_path, [LogSource(store)]).refresh()
    monkeypatch.undo()
    deploy(store, "3")
    assert deployed(tmp_path, LogSource(store)) == expected(store)


def test_a_manifest_with_a_number_for_its_layout_is_made_again(tmp_path: Path) -> None:
    store = store_of("1", "2")
    deployed(tmp_path, LogSource(store))
    found = json.loads((tmp_path / MANIFEST).read_bytes())
    del found["layout"]
    (tmp_path / MANIFEST).write_text(json.dumps({"format": 1, **found}))
    (tmp_path / found["tables"]["moves"]).write_bytes(b"columns of long ago")
    assert deployed(tmp_path, LogSource(store)) == expected(store)


def test_nothing_that_is_kept_is_a_history_like_any_other(tmp_path: Path) -> None:
    asked = [Question("shop", ReleaseRef("shop", "1"), "staging", NOW)]
    bulk = BulkEvidence(tmp_path, [LogSource(MemoryStore())])
    table = bulk.build(questions_of(asked), FAMILIES, neighbours=[("till", "staging")])
    bulk.close()
    assert spelt_table(table) == spelt_table(collect_evidence([], asked, [("till", "staging")]))


def test_an_event_of_two_histories_counts_once(tmp_path: Path) -> None:
    store, first, second = store_of("1", "2", "3"), MemoryStore(), MemoryStore()
    records = list(store.records())
    first.restore(records[:2])
    second.restore(records)
    assert deployed(tmp_path / "kept", LogSource(first), LogSource(second)) == expected(store)


def test_words_are_found_again_by_code_and_by_name(tmp_path: Path) -> None:
    bulk = BulkEvidence(tmp_path, [LogSource(store_of("1", "2"))])
    past = bulk.deployments((), "production")
    words = past.questions.words
    assert [words[int(code)] for code in past.questions.version] == ["1", "2"]
    assert [words[int(code)] for code in past.event] == ["e-1", "e-2"]
    assert words.index("2") == past.questions.version[1]
    with pytest.raises(ValueError, match="vocabulary"):
        words.index("nobody said this")
    bulk.close()
