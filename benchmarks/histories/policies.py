"""What standard policies would have done in the histories of ../shared/data/changes.

Run: python benchmarks/histories/policies.py [--data DIR]

Each history is made into a table (tables.py), imported into a log of its own, and each policy is priced on it
with ``amends backtest``. Prints a Markdown table. About three minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AMENDS = [sys.executable, "-m", "amends"]
PLACES = {
    "angle": "main", "angle-people": "main", "dpdk": "released", "dpdk-changes": "released",
    "puppet": "production",
}  # fmt: skip
POLICIES = {
    "a reviewer": "review: {approvals: 1}",
    "a second reviewer": "review: {approvals: 2}",
    "no Friday to Sunday": 'window: {days: [mon, tue, wed, thu], hours: "00:00-24:00"}',
    "checks required": "tests: {suites: [checks]}",
    "a week's soak": "soak: {environment: staging, for: 7d}",
}

HEADINGS = (
    "history", "policy", "escapes stopped (undecided)", "good held (undecided)", "effect, points",
    "earlier; later half", "verdict",
)  # fmt: skip


def policy(service: str, place: str, gate: str) -> str:
    """Return a policy of one gate."""
    return f"service: {service}\nenvironments: [staging, {place}]\ngates:\n  {place}:\n    - {gate}\n"


def points(interval: list[float]) -> str:
    """Write an interval in points of a hundred."""
    return f"{interval[0] * 100:+.0f} to {interval[1] * 100:+.0f}" if interval else "none"


def row(history: str, name: str, told: dict[str, Any]) -> str:
    """Write what one policy would have done in one history."""
    bad, good, guards = told["incidents"], told["good_releases"], told["guards"]
    halves = [points(half["interval"]) if (half := guards[part]) else "none" for part in ("early", "late")]
    return (
        f"| {history} | {name} | {bad['stopped']} of {bad['total']} ({bad['undecided']}) "
        f"| {good['held']} of {good['total']} ({good['undecided']}) | {points(told['interval'] or [])} "
        f"| {halves[0]}; {halves[1]} | {told['verdict']} |"
    )


def main() -> None:
    """Import each history and price each policy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/changes"))
    data = parser.parse_args().data.absolute()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = [sys.executable, str(HERE / "tables.py"), name, "--data", str(data), "--format", "parquet"]
        subprocess.run(make, check=True, capture_output=True)
        print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
        for history, place in PLACES.items():
            table, store = folder / f"{history}.parquet", ["--store", str(folder / f"{history}.db")]
            subprocess.run([*AMENDS, "import", "table", str(table), *store], check=True, capture_output=True)
            for called, gate in POLICIES.items():
                file = folder / "amends.yaml"
                file.write_text(policy(history, place, gate))
                asked = [*AMENDS, "backtest", str(file), *store, "--environment", place, "--format", "json"]
                said = subprocess.run(asked, check=True, capture_output=True, text=True)
                print(row(history, called, json.loads(said.stdout)), flush=True)


if __name__ == "__main__":
    main()
