"""How long ``amends import`` takes, from the command line to the last event on the disk.

Run: python benchmarks/importing.py [--commits 20000] [--rows 30000]

A repository is made with ``git fast-import``: a tenth of the commits are merges of three, every 200th is
tagged, half bear a Reviewed-by trailer, each touches three of 500 files. A table has all documented columns.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from amends.adapters.histories.tablerow import COLUMNS

START = datetime(2016, 1, 1, tzinfo=UTC)
PEOPLE = 200


def stream(commits: int) -> Iterator[str]:
    """Yield what ``git fast-import`` reads."""
    mark, main = 0, 0
    while mark < commits:
        if mark % 10 == 6 and mark + 4 < commits:
            side = main
            for _ in range(3):
                mark += 1
                yield commit(mark, "side", side, message(mark))
                side = mark
            mark += 1
            yield commit(mark, "main", main, f"Merge {mark}", merged=side)
        else:
            mark += 1
            yield commit(mark, "main", main, message(mark))
        main = mark
        if mark % 200 < 4:
            yield f"tag v1.{mark}.0\nfrom :{main}\ntagger A <a@example.com> {at(mark)} +0000\ndata 2\nv\n"


def message(mark: int) -> str:
    """Return a commit's message."""
    review = f"\n\nReviewed-by: Person <p{(mark * 7) % PEOPLE}@example.com>" if mark % 2 else ""
    return f"Change {mark}: do something about it{review}"


def at(mark: int) -> int:
    """Return a commit's time, half an hour after the one before."""
    return int((START + timedelta(minutes=30 * mark)).timestamp())


def commit(mark: int, branch: str, parent: int, text: str, merged: int = 0) -> str:
    """Return one commit of the stream."""
    who = f"Person <p{mark % PEOPLE}@example.com> {at(mark)} +0000"
    lines = [
        f"commit refs/heads/{branch}",
        f"mark :{mark}",
        f"committer {who}",
        f"data {len(text.encode())}",
        text,
    ]
    lines += [f"from :{parent}"] if parent else []
    lines += [f"merge :{merged}"] if merged else []
    for n in range(0 if merged else 3):
        content = f"{mark} {n}\n" * 5
        lines += [f"M 644 inline src/m{(mark * 3 + n) % 500}.py", f"data {len(content)}", content]
    return "\n".join(lines) + "\n"


def make_table(file: Path, rows: int) -> None:
    """Write a table with every documented column."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for n in range(rows):
            created, merged, deployed = (
                (START + timedelta(minutes=30 * n + more)).isoformat() for more in (0, 60, 90)
            )
            bad = n % 40 == 0
            writer.writerow([
                f"c{n}", "shop", f"1.{n}", created, merged, deployed, "production", f"p{n % PEOPLE}",
                f"p{(n + 1) % PEOPLE}", 1, "false", "true", 3, 40, f"c{n + 1}" if bad else "",
                deployed if bad else "", "checkout fails" if bad else "", f"INC-{n}" if bad else "",
            ])  # fmt: skip


def timed(what: str, *words: str, folder: Path) -> None:
    """Run amends and print how long it took."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "amends", "import", *words, "--service", "shop"], cwd=folder,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    print(f"| {what} | {done.stdout.splitlines()[0]} | {seconds:.1f} s |")


def main() -> None:
    """Make both pasts and import each twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=30_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        repo = folder / "repo"
        subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], check=True)
        told = "".join(stream(asked.commits)).encode()
        subprocess.run(["git", "-C", str(repo), "fast-import", "--quiet"], input=told, check=True)
        make_table(folder / "changes.csv", asked.rows)
        print("| import | what it found | time |\n|---|---|---|")
        for again in ("", ", again"):
            timed(f"git, {asked.commits} commits{again}", "git", "repo", folder=folder)
        for again in ("", ", again"):
            words = ("table", "changes.csv", "--store", "table.db")
            timed(f"table, {asked.rows} rows{again}", *words, folder=folder)


if __name__ == "__main__":
    main()
