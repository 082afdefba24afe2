"""A policy over 10^6 past deployments and 10^7 events, beside the same policy written by hand in DuckDB SQL.

Facts are generated (seeded, in chunks) straight into the files that the evidence cache keeps, so that both
sides read the same Parquet; a process each, by turns, which gives each its peak memory. Timed are

first    the deployments, their evidence table, and every gate's answer for each of them
by hand  the same answers by one query on the same files
variant  the gates' answers with other parameters, over the table in memory

The run fails unless both answer alike, deployment by deployment and gate by gate.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

APPROVALS, SOAK, REQUESTS = 2, 3600.0, 50


def policy(approvals: int = APPROVALS, soak: float = SOAK, requests: int = REQUESTS) -> list[Any]:
    """The gates of production."""
    from amends.gates.entry import GateEntry

    said: list[dict[str, Any]] = [
        {"review": {"approvals": approvals}}, {"tests": {"suites": ["unit"]}},
        {"soak": {"environment": "staging", "for": soak, "min_requests": requests}},
        {"window": {"days": ["mon..thu"], "hours": "09:00-16:00"}},
    ]  # fmt: skip
    return [GateEntry.model_validate({**gate, "mode": "block"}) for gate in said]


def ours(folder: Path, answers: Path) -> dict[str, float]:
    """The policy by amends; variants after it."""
    from amends.adapters.evidence.builder import BulkEvidence
    from amends.gates.evaluate import evaluate_gate, families_of
    from amends.gates.gate import Setting

    entries = policy()
    for entry in entries:
        entry.gate  # noqa: B018 - models are built at first use
    begun = time.perf_counter()
    builder = BulkEvidence(folder, [])
    past = builder.deployments((), "production")
    dated = time.perf_counter()
    table = builder.build(past.questions, families_of(entries))
    built = time.perf_counter()
    columns = [evaluate_gate(entry, table, Setting()).decision for entry in entries]
    ended = time.perf_counter()
    np.save(answers, np.stack(columns))
    variants = []
    for number in range(12):
        other = policy(1 + number % 3, 1800.0 * (1 + number % 5), 10 * number + 1)
        start = time.perf_counter()
        for entry in other:
            evaluate_gate(entry, table, Setting())
        variants.append(time.perf_counter() - start)
    return {
        "first": ended - begun, "deployments": dated - begun, "table": built - dated, "gates": ended - built,
        "variant": statistics.median(variants), "slowest variant": max(variants),
    }  # fmt: skip


def by_hand(folder: Path, answers: Path) -> dict[str, float]:
    """The policy as somebody who knows this history would write it: no late moves, one stay a release."""
    import duckdb
    from _history import PRODUCTION, STAGING, UNIT

    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    tables = {name: f"read_parquet('{folder / file}')" for name, file in manifest["tables"].items()}
    start = time.perf_counter()
    connection = duckdb.connect(config={"memory_limit": "800MB", "temp_directory": str(folder / "tmp")})
    query = _QUERY.format(
        **tables, staging=STAGING, production=PRODUCTION, unit=UNIT, approvals=APPROVALS, soak=SOAK,
        requests=REQUESTS,
    )  # fmt: skip
    found = connection.execute(query).fetchnumpy()
    ended = time.perf_counter()
    np.save(answers, np.stack([found[name] for name in ("review", "tests", "soak", "open")]).astype(np.int8))
    return {"by hand": ended - start}


def peak_memory() -> float:
    """Return the most memory that this process held, in MB (Linux; ru_maxrss counts its parent's, too)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


_QUERY = """
WITH asked AS (SELECT rank AS r, name, lane, occurred AS moment FROM {moves} WHERE environment =
  {production}),
built AS (SELECT r, moment, d.event FROM asked JOIN {releases} d USING (name) WHERE d.known <= moment),
made AS (SELECT r, moment, change FROM built JOIN {release_changes} USING (event)),
merged AS (SELECT r, moment, made.change, author FROM made LEFT JOIN {changes} c
  ON c.change = made.change AND c.known <= moment),
said AS (SELECT r, m.change, author, reviewer, arg_max(verdict, rank) AS verdict FROM merged m
  LEFT JOIN {reviews} v ON v.change = m.change AND v.known <= moment AND verdict > 0 GROUP BY ALL),
counted AS (SELECT r, change, bool_or(verdict = 2) AS refused, bool_or(author IS NULL) AS unknown,
  count(*) FILTER (verdict = 1 AND reviewer > 0 AND reviewer <> author) AS approvals FROM said GROUP BY
  r, change),
review AS (SELECT r, max(CASE WHEN refused THEN 3 WHEN unknown THEN 1 WHEN approvals < {approvals} THEN 3
  ELSE 0 END) AS review FROM counted GROUP BY r),
tests AS (SELECT r, arg_max(outcome, rank) AS outcome FROM asked JOIN {suites} s USING (name)
  WHERE s.known <= moment AND suite = {unit} GROUP BY r),
stay AS (SELECT r, asked.name, moment, m.occurred AS since FROM asked ASOF JOIN
  (SELECT lane + 1 AS lane, known, name, occurred FROM {moves} WHERE environment = {staging}) m
  ON asked.lane = m.lane AND asked.moment >= m.known WHERE m.name = asked.name),
bad AS (SELECT r, max(e.occurred) AS over, bool_or(e.occurred IS NULL) AS still FROM stay
  JOIN {incidents} i ON i.name = stay.name AND i.environment = {staging} AND i.known <= moment
  LEFT JOIN {incident_ends} e ON e.incident = i.incident AND e.known <= moment AND e.occurred >= since
  GROUP BY r),
quiet AS (SELECT r, name, moment, greatest(since, coalesce(over, since)) AS quiet, coalesce(still,
  false) AS still
  FROM stay LEFT JOIN bad USING (r)),
served AS (SELECT r, sum(floor(requests * (least(until, moment) - greatest(since, quiet)) / (until -
  since) + 1e-9))
  AS requests FROM quiet JOIN {traffic} t ON t.name = quiet.name AND t.environment = {staging} AND
  t.known <= moment
  AND greatest(since, quiet) < least(until, moment) GROUP BY r),
soaked AS (SELECT r, CASE WHEN still THEN 3 WHEN quiet + {soak} <= moment AND coalesce(requests, 0) >=
  {requests}
  THEN 0 ELSE 1 END AS soak FROM quiet LEFT JOIN served USING (r))
SELECT coalesce(review, 1) AS review, CASE outcome WHEN 0 THEN 0 WHEN 1 THEN 3 ELSE 1 END AS tests,
  coalesce(soak, 1) AS soak, CASE WHEN isodow(to_timestamp(moment) AT TIME ZONE 'UTC') <= 4
  AND hour(to_timestamp(moment) AT TIME ZONE 'UTC') BETWEEN 9 AND 15 THEN 0 ELSE 1 END AS open
FROM asked LEFT JOIN review USING (r) LEFT JOIN tests USING (r) LEFT JOIN soaked USING (r) ORDER BY r
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deployments", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="keep the history here")
    parser.add_argument(
        "--fill", type=int, default=0, metavar="EVENTS", help="time filling from a log instead"
    )
    parser.add_argument("--part", choices=["ours", "by_hand"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        answers = asked.folder / f"{asked.part}.npy"
        told = {"ours": ours, "by_hand": by_hand}[asked.part](asked.folder, answers)
        told["peak MB"] = peak_memory()
        print(msgspec.json.encode(told).decode())
        return 0
    with tempfile.TemporaryDirectory(prefix="amends-backtest-") as scratch:
        if asked.fill:
            return fill(Path(scratch), asked.fill)
        return measure(asked, asked.folder or Path(scratch))


def fill(folder: Path, count: int) -> int:
    """Time filling the cache from a SQLite log, then bringing it up to date with a hundred events more."""
    from datetime import UTC, datetime, timedelta

    from amends.adapters.evidence.cache import EvidenceCache
    from amends.adapters.evidence.sources import LogSource
    from amends.adapters.stores import open_store
    from amends.events import payloads as p
    from amends.events.codec import make_event

    store, start = open_store(str(folder / "log.db")).store, datetime(2026, 1, 1, tzinfo=UTC)

    def append(first: int, last: int) -> None:
        for begin in range(first, last, 10_000):
            events = []
            for n in range(begin, min(begin + 10_000, last)):
                said = p.ChangeReviewed(service=f"s{n % 50}", change=f"c{n // 3}", reviewer=f"p-{n % 999}")
                at = start + timedelta(seconds=n)
                events.append(make_event("change.reviewed", said, id=f"e{n}", source="/b", at=at))
            store.append_many(events, recorded_at=at)

    append(0, count)
    for more in (0, 100):
        append(count, count + more)
        begun = time.perf_counter()
        EvidenceCache(folder / "kept", [LogSource(store)]).refresh()
        print(f"{more or count:,} events: {time.perf_counter() - begun:.2f} s, {peak_memory():.0f} MB so far")
    return 0


def measure(asked: argparse.Namespace, folder: Path) -> int:
    """Write the history, measure both sides by turns, compare their answers."""
    if not (folder / "manifest.json").exists():
        from _history import History

        begun = time.perf_counter()
        events = History(folder, asked.deployments, asked.seed).write()
        print(f"{asked.deployments:,} deployments, {events:,} events, seed {asked.seed}; "
              f"written in {time.perf_counter() - begun:.0f} s")  # fmt: skip
    told: dict[str, list[float]] = {}
    for _ in range(asked.rounds):
        for part in ("ours", "by_hand"):
            command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
            out = subprocess.run(command, capture_output=True, text=True, check=False)
            if out.returncode:
                print(out.stderr)
                return 1
            for name, value in msgspec.json.decode(out.stdout).items():
                told.setdefault(f"{part}: {name}", []).append(value)
    for name, values in told.items():
        print(f"{name:28} median {statistics.median(values):9.3f}   {min(values):.3f} to {max(values):.3f}")
    pairs = zip(told["ours: first"], told["by_hand: by hand"], strict=True)
    ratios = sorted(ours / hand for ours, hand in pairs)
    print(f"first / by hand: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    mine, other = np.load(folder / "ours.npy"), np.load(folder / "by_hand.npy")
    same = mine.shape == other.shape and bool((mine == other).all())
    print(f"answers: {'equal' if same else 'DIFFERENT'}; of each gate pass, undecided, error, block:")
    for gate, column in zip(("review", "tests", "soak", "window"), mine, strict=True):
        print(f"  {gate:8} {np.bincount(column, minlength=4).tolist()}")
    if not same and mine.shape == other.shape:
        print("differences by gate", (mine != other).sum(1).tolist())
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
