"""The two builders agree on what really happened elsewhere, too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amends.backtests.folded import FoldedEvidence
from amends.events.codec import Fact, decode, make_event
from amends.events.event import Recorded
from amends.gates.table import FAMILIES
from tests.unit.adapters.evidence.histories import NOW, bulk_of, spelt_deployments, spelt_table

ROOT = Path(__file__).parents[2]
ROWS = 12


def real_facts(table: Path) -> Iterator[Fact]:
    """What the importer of tables makes of a history, as it would stand in a log."""
    from amends.adapters.histories import open_history
    from amends.application.history import TablePast, Told

    for number, one in enumerate(open_history(TablePast(table, "x", "production")).read()):
        if isinstance(one, Told):
            event_id = "/".join((one.kind, *one.key))
            stream, event = make_event(
                one.kind, one.payload, id=event_id, source="/import", at=one.at, imported=True,
                known_at=one.known_at,
            )  # fmt: skip
            yield decode(Recorded(event, stream, 1, NOW, one.known_at, "", "", number + 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["angle", "dpdk", "puppet"])
def test_the_builders_agree_on_a_real_history(name: str, shared_data: Path, tmp_path: Path) -> None:
    maker: Any = ROOT / "benchmarks/histories/tables.py"
    if not (shared_data / "changes").is_dir() or not maker.is_file():
        pytest.skip(f"no change histories at {shared_data}")
    command = [sys.executable, maker, tmp_path, "--data", shared_data / "changes", "--format", "parquet"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    facts = list(real_facts(tmp_path / f"{name}.parquet"))
    folded, bulk = FoldedEvidence(facts), bulk_of(tmp_path / "kept", facts)
    first: Any = next(fact.payload for fact in facts if fact.kind == "service.deployed")
    place, around = first.environment, [(first.service, first.environment)]
    past, expected = bulk.deployments((), place), folded.deployments((), place)
    assert len(past) > 0
    assert spelt_deployments(past) == spelt_deployments(expected)
    rows = np.unique(np.linspace(0, len(past) - 1, ROWS).astype(int))
    table = bulk.build(past.questions.take(rows), FAMILIES, neighbours=around)
    live = folded.build(expected.questions.take(rows), FAMILIES, neighbours=around)
    assert len(live.neighbours.row) > 0
    assert spelt_table(table) == spelt_table(live)
    bulk.close()
