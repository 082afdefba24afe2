"""Write the change histories of ../shared/data/changes as tables that ``amends import table`` takes.

Run: python benchmarks/histories/tables.py OUT [--data DIR] [--format csv|parquet]

Each file of the data becomes one table of the documented columns (docs/reference/import-table.md). What a
history does not say is left out, so that it is undecided. What its columns are taken to mean:

angle       A change that reached the main line was deployed to ``main`` then. ``approvals`` is the
            number of its Reviewed-by trailers; checks are its commit queue: passed where it went through, not
            recorded where it did not (it may have been tested elsewhere).
dpdk        A change is in the release that had it first (``released_in``), deployed to ``released`` when that
            was made. ``approvals`` is Reviewed-by and Acked-by. A defect that was mended only
            after its release escaped: an incident of that release, named after the change that mended it.
angle-people   The same without changes made by programs, reverts, and the time before 2014-07, when
            reviews left no trailer: only changes of which somebody could have asked for a review.
dpdk-changes   The same defects by change: each change is a version of its own, deployed when the release that
            had it first was made.
puppet      A change that was merged was in production at that moment. ``approvals`` is +2 by others,
            ``self_approved`` the author's own +2, checks are the vote of CI.

``revert_reason`` is the data's class of the revert, as there are no messages in it. A failure that is only
presumed (nobody gave a reason) stays without one, and so uncertain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

MADE_FROM = {
    "angle": "angle", "angle-people": "angle", "dpdk": "dpdk_to_2018", "dpdk-changes": "dpdk_to_2018",
    "puppet": "puppet_2015_2018",
}  # fmt: skip

_COMMON = """
    commit AS change_id, '{service}' AS service, authored_at AS created_at, merged_at, author, files,
    CASE WHEN insertions <> '' AND deletions <> ''
        THEN CAST(CAST(insertions AS INT) + CAST(deletions AS INT) AS VARCHAR) END AS lines,
    reverted_by, {reverted_at} AS reverted_at,
    CASE reverted_class WHEN 'failure' THEN 'failure' WHEN 'planned_end' THEN 'planned end'
        WHEN 'reland' THEN 'reland' END AS revert_reason
"""
_OWN = {
    "angle": """
        merged_at AS deployed_at, 'main' AS environment, reviewers AS approvals,
        CASE WHEN CAST(commit_queue AS INT) > 0 THEN 'true' END AS checks_passed
    """,
    "angle-people": """
        merged_at AS deployed_at, 'main' AS environment, reviewers AS approvals,
        CASE WHEN CAST(commit_queue AS INT) > 0 THEN 'true' END AS checks_passed
    """,
    "dpdk": """
        released_in AS release, released_at AS deployed_at, 'released' AS environment,
        CAST(CAST(reviewers AS INT) + CAST(acks AS INT) AS VARCHAR) AS approvals,
        CASE WHEN fixed_after_release = '1' THEN 'fix-' || fixed_by[:12] || '-' || commit[:8] END
            AS incident_id
    """,
    "dpdk-changes": """
        released_at AS deployed_at, 'released' AS environment,
        CAST(CAST(reviewers AS INT) + CAST(acks AS INT) AS VARCHAR) AS approvals,
        CASE WHEN fixed_after_release = '1' THEN 'fix-' || fixed_by[:12] || '-' || commit[:8] END
            AS incident_id
    """,
    "puppet": """
        merged_at AS deployed_at, 'production' AS environment, plus2_others AS approvals,
        self_plus2 AS self_approved, CASE ci_verified WHEN '1' THEN 'true' END AS checks_passed
    """,
}


_ONLY = {"angle-people": "bot_commit = '0' AND is_revert = '0' AND merged_at >= '2014-07'"}


def later(seconds: str) -> str:
    """Return SQL for a moment some seconds after the merge, as RFC 3339."""
    moment = f"to_timestamp(epoch(CAST(merged_at AS TIMESTAMPTZ)) + CAST({seconds} AS DOUBLE))"
    return f"CASE WHEN {seconds} <> '' THEN strftime({moment} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') END"


def query(name: str, file: Path) -> str:
    """Return the SQL that makes a history's table."""
    common = _COMMON.format(service=name, reverted_at=later("time_to_revert_s"))
    rows = f"FROM read_parquet('{file}') WHERE {_ONLY.get(name, 'true')} ORDER BY merged_at, commit"
    return f"SELECT {common}, {_OWN[name]} {rows}"


def main() -> None:
    """Write the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the folder to write into")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/changes"))
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, source in MADE_FROM.items():
        file = asked.data / f"{source}.parquet"
        if not file.is_file():
            print(f"{file} is not there; left out")
            continue
        target = asked.out / f"{name}.{asked.format}"
        connection.execute(f"COPY ({query(name, file)}) TO '{target}' (FORMAT {asked.format})")
        [(rows,)] = connection.execute(f"SELECT count(*) FROM '{target}'").fetchall()
        print(f"{target}: {rows} changes")


if __name__ == "__main__":
    main()
