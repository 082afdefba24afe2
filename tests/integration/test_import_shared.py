"""The tables that benchmarks/histories/tables.py makes of real histories can be read to the last row."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from amends.adapters.histories import open_history
from amends.application.history import Fault, TablePast, Told
from amends.events import payloads as p

ROOT = Path(__file__).parents[2]
CHANGES = {"angle": 28_672, "dpdk": 16_214, "puppet": 29_216}


@pytest.fixture(scope="module")
def tables(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (shared_data / "changes").is_dir():
        pytest.skip(f"no change histories at {shared_data}")
    out = tmp_path_factory.mktemp("tables")
    command = [
        sys.executable,
        ROOT / "benchmarks/histories/tables.py",
        out,
        "--data",
        shared_data / "changes",
    ]
    subprocess.run([*map(str, command), "--format", "parquet"], check=True, capture_output=True)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_real_history_is_read_whole(tables: Path, name: str) -> None:
    said = list(open_history(TablePast(tables / f"{name}.parquet", "x", "production")).read())
    facts = [one for one in said if isinstance(one, Told)]
    kinds = Counter(fact.kind for fact in facts)
    assert kinds["change.merged"] == CHANGES[name]
    assert kinds["service.deployed"] + kinds["service.upgraded"] == kinds["artifact.packaged"] > 20
    assert kinds["change.reverted"] > 0
    assert {one.fault for one in said if isinstance(one, Fault)} == {"time-runs-backwards"}
    # What was learned after a deployment must not be known at it: a backtest would leak the future.
    late = [
        f for f in facts if isinstance(f.payload, p.IncidentOpened) and f.payload.deployed_at == f.known_at
    ]
    assert late == []
