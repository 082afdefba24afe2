"""Measure the rules for reverts against the labels of ../shared/data/changes.

Run: python benchmarks/histories/reverts.py NAME=CLONE... [--data DIR]

for example ``angle=../angle dpdk_to_2018=../dpdk puppet_2015_2018=../operations-puppet``. The data holds
labels and no messages, so a clone of the repository is needed for each. The labels are rules, too (about 81 %
precise, by the data's own account), so this is agreement, not truth.
"""

from __future__ import annotations

import argparse
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb

from amends.incidents.reverts import judge_revert, reason_of

OURS = ("failure", "not_failure", "uncertain")
MEANS = {"failure": "failure", "planned_end": "not_failure", "reland": "not_failure"}


def labels(file: Path) -> dict[str, str]:
    """Return the label of each revert, by its commit."""
    rows = duckdb.connect().execute(
        "SELECT commit, revert_class FROM read_parquet($1) WHERE revert_class <> ''", [str(file)]
    )
    return dict(rows.fetchall())


def messages(clone: Path, commits: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield commit, title and body."""
    done = subprocess.run(
        ["git", "-C", str(clone), "log", "--no-walk=unsorted", "--stdin", "-z", "--format=%H%x00%s%x00%b"],
        input="\n".join(commits).encode(), capture_output=True, check=True,
    )  # fmt: skip
    parts = done.stdout.decode("utf-8", "replace").split("\0")
    yield from zip(parts[0::3], parts[1::3], parts[2::3], strict=False)


def main() -> None:
    """Print a table for each history, and one over all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", nargs="+", metavar="NAME=CLONE")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/changes"))
    asked = parser.parse_args()
    whole: Counter[tuple[str, str]] = Counter()
    for pair in asked.clones:
        name, _, clone = pair.partition("=")
        label = labels(asked.data / f"{name}.parquet")
        counts = Counter(
            (label[sha], judge_revert(reason_of(body), title=title).classified)
            for sha, title, body in messages(Path(clone), list(label))
        )
        whole += counts
        show(name, counts)
    show("all", whole)


def show(name: str, counts: Counter[tuple[str, str]]) -> None:
    """Print label against rule, and how often they agree where both decide."""
    print(f"\n{name}: {counts.total()} reverts\n| label | {' | '.join(OURS)} |\n|---|---|---|---|")
    for label in sorted({label for label, _ in counts}):
        print(f"| {label} | " + " | ".join(str(counts[label, ours]) for ours in OURS) + " |")
    both = [(label, ours, n) for (label, ours), n in counts.items() if label in MEANS and ours != "uncertain"]
    decided = sum(n for *_, n in both)
    agreed = sum(n for label, ours, n in both if MEANS[label] == ours)
    labelled = sum(n for (label, _), n in counts.items() if label in MEANS)
    share = f"{agreed / max(decided, 1):.1%}"
    print(f"both decide {decided} of {labelled} labelled, and agree on {agreed} ({share})")


if __name__ == "__main__":
    main()
