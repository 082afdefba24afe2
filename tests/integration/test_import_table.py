"""A table becomes facts by its documented columns; what is missing is undecided, what is broken reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from amends.adapters.histories.tablerow import COLUMNS
from amends.adapters.stores import open_store
from amends.events import payloads as p
from amends.events.codec import Fact, decode
from tests.past import write_csv

Amends = Callable[..., tuple[int, str, str]]

WHOLE = {
    "change_id": "c1", "service": "shop", "release": "1.0", "created_at": "2026-03-01T09:00:00Z",
    "merged_at": "2026-03-02T09:00:00Z", "deployed_at": "2026-03-02T12:00:00Z", "environment": "live",
    "author": "ana", "reviewers": "bo; cleo", "approvals": "2", "self_approved": "false",
    "checks_passed": "true",
    "files": "3", "lines": "40", "reverted_by": "c9", "reverted_at": "2026-03-03T12:00:00Z",
    "revert_reason": "checkout fails", "incident_id": "INC-7",
}  # fmt: skip

POLICY = """\
service: shop
team: shop-team
environments: [production]
gates:
  production:
    - review: {approvals: 1}
      mode: block
    - tests: {suites: [checks]}
      mode: block
"""


def facts(folder: Path, kind: str = "") -> list[Fact]:
    store = open_store(str(folder / ".amends/log.db")).store
    try:
        return [fact for record in store.records() if (fact := decode(record)) and kind in ("", fact.kind)]
    finally:
        store.close()


def payloads(folder: Path, kind: str) -> list[Any]:
    return [fact.payload for fact in facts(folder, kind)]


def take(amends: Amends, file: Path, *words: str) -> dict[str, Any]:
    code, out, err = amends("import", "table", str(file), "--format", "json", *words)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_every_documented_column_becomes_what_the_reference_says(amends: Amends, tmp_path: Path) -> None:
    assert tuple(WHOLE) == COLUMNS
    said = take(amends, write_csv(tmp_path / "t.csv", WHOLE))
    assert said["faults"] == []
    [change] = payloads(tmp_path, "change.merged")
    assert (change.service, change.change, change.files, change.lines) == ("shop", "c1", 3, 40)
    assert (change.created.isoformat(), change.unrecorded) == ("2026-03-01T09:00:00+00:00", ())
    reviews = payloads(tmp_path, "change.reviewed")
    assert len({change.author, *(r.reviewer for r in reviews)}) == 3
    assert {r.verdict for r in reviews} == {"approved"}
    [release] = payloads(tmp_path, "artifact.packaged")
    assert (release.version, release.changes) == ("1.0", ("c1",))
    [suite] = payloads(tmp_path, "testsuiterun.finished")
    assert (suite.suite, suite.release, suite.outcome) == ("checks", "1.0", "success")
    [deployed] = facts(tmp_path, "service.deployed")
    assert deployed.occurred_at.isoformat() == "2026-03-02T12:00:00+00:00"
    assert deployed.payload.environment == "live"
    [reverted] = facts(tmp_path, "change.reverted")
    assert (reverted.payload.by, reverted.payload.classified) == ("c9", "failure")
    [incident] = facts(tmp_path, "incident.detected")
    assert (incident.payload.incident, incident.payload.release) == ("INC-7", "1.0")
    assert incident.occurred_at.isoformat() == "2026-03-03T12:00:00+00:00"
    known = {fact.kind: fact.known_at.isoformat() for fact in facts(tmp_path) if fact.known_at}
    assert known["change.merged"] == known["change.reviewed"] == "2026-03-02T09:00:00+00:00"


def test_parquet_says_the_same_as_csv(amends: Amends, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", WHOLE)
    take(amends, file)
    columns = ", ".join(
        {
            "files": "CAST(files AS INT) AS files",
            "self_approved": "CAST(self_approved AS BOOLEAN) AS self_approved",
            "merged_at": "CAST(merged_at AS TIMESTAMPTZ) AS merged_at",
            "reviewers": "string_split(reviewers, '; ') AS reviewers",
        }.get(name, name)
        for name in COLUMNS
    )  # fmt: skip
    duckdb.connect().execute(
        f"COPY (SELECT {columns} FROM read_csv('{file}', all_varchar = true)) TO '{tmp_path / 't.parquet'}'"
    )
    said = take(amends, tmp_path / "t.parquet")
    assert {(n["new"], n["otherwise"]) for n in said["facts"].values()} == {(0, 0)}


def test_a_single_column_is_enough_and_the_rest_is_undecided(amends: Amends, tmp_path: Path) -> None:
    code, out, _ = amends(
        "import", "table", str(write_csv(tmp_path / "t.csv", {"change_id": "c1"})), "--service", "shop"
    )
    assert code == 0  # it may be missing; without any time there is nothing to place, and that is said
    assert "left out: 1 changes, as nothing in the table says when they were" in out
    said = take(
        amends, write_csv(tmp_path / "u.csv", {"change_id": "c1", "deployed_at": "2026-03-02T12:00:00Z"}),
        "--service", "shop",
    )  # fmt: skip
    [change] = payloads(tmp_path, "change.merged")
    assert set(change.unrecorded) == {"reviews", "self_approval"}
    assert payloads(tmp_path, "testsuiterun.finished") == []
    assert payloads(tmp_path, "service.deployed")[0].environment == "production"
    assert any("taken for production" in text for text in said["assumed"])
    assert any("not in the table: service, release" in text for text in said["notes"])


def test_the_environment_is_that_of_the_option_else_the_policys_last(amends: Amends, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", {"change_id": "c1", "deployed_at": "2026-03-02T12:00:00Z"})
    (tmp_path / "amends.yaml").write_text(POLICY.replace("production", "live"))
    take(amends, file)
    take(amends, file, "--env", "canary")
    assert [f.payload.environment for f in facts(tmp_path) if isinstance(f.payload, p.ServiceDeployed)] == [
        "live",
        "canary",
    ]


def test_rows_of_one_release_are_its_changes(amends: Amends, tmp_path: Path) -> None:
    rows = [
        {"change_id": f"c{n}", "release": "1.0", "merged_at": f"2026-03-0{n}T09:00:00Z",
         "checks_passed": checks, "deployed_at": "2026-03-05T09:00:00Z"}
        for n, checks in ((1, "1"), (2, "0"), (3, ""))
    ]  # fmt: skip
    take(amends, write_csv(tmp_path / "t.csv", *rows), "--service", "shop", "--suite", "unit")
    [release] = facts(tmp_path, "artifact.packaged")
    assert release.payload.changes == ("c1", "c2", "c3")
    assert release.known_at
    assert release.known_at.isoformat() == "2026-03-03T09:00:00+00:00"
    [suite] = payloads(tmp_path, "testsuiterun.finished")
    assert (suite.suite, suite.outcome, suite.passed, suite.failed) == ("unit", "failure", 1, 1)
    assert len(payloads(tmp_path, "service.deployed")) == 1


def test_checks_that_are_partly_recorded_decide_nothing(amends: Amends, tmp_path: Path) -> None:
    rows = [
        {
            "change_id": f"c{n}",
            "release": "1.0",
            "deployed_at": "2026-03-05T09:00:00Z",
            "checks_passed": checks,
        }
        for n, checks in ((1, "1"), (2, ""))
    ]
    said = take(amends, write_csv(tmp_path / "t.csv", *rows), "--service", "shop")
    assert payloads(tmp_path, "testsuiterun.finished") == []
    assert any("1 releases have changes without checks_passed" in text for text in said["notes"])


@pytest.mark.parametrize(
    ("cells", "approved", "commented", "unrecorded"),
    [
        ({"approvals": "2"}, 2, 0, {"self_approval"}),
        ({"approvals": "0"}, 0, 0, {"self_approval"}),
        ({"approvals": "0", "self_approved": "1", "author": "ana"}, 1, 0, set()),
        ({"reviewers": "bo,cleo"}, 2, 0, {"self_approval"}),
        ({"reviewers": "bo,cleo", "approvals": "1"}, 1, 2, {"self_approval"}),
        ({"reviewers": "bo", "approvals": "2"}, 2, 0, {"self_approval"}),
        ({"reviewers": "2"}, 2, 0, {"self_approval"}),
        ({"reviewers": "ana bo", "author": "@Ana"}, 2, 0, set()),
        ({"reviewers": "ana", "author": "ana"}, 1, 0, set()),
        ({"reviewers": ""}, 0, 0, {"reviews", "self_approval"}),
    ],
)
def test_who_approved_and_how_many(
    amends: Amends, tmp_path: Path, cells: dict[str, str], approved: int, commented: int, unrecorded: set[str]
) -> None:
    row = {"change_id": "c1", "merged_at": "2026-03-02T12:00:00Z", **cells}
    take(amends, write_csv(tmp_path / "t.csv", row), "--service", "shop")
    verdicts = [review.verdict for review in payloads(tmp_path, "change.reviewed")]
    assert (verdicts.count("approved"), verdicts.count("commented")) == (approved, commented)
    assert set(payloads(tmp_path, "change.merged")[0].unrecorded) == unrecorded


def test_gates_decide_on_what_the_table_says_and_leave_the_rest_undecided(
    amends: Amends, tmp_path: Path
) -> None:
    (tmp_path / "amends.yaml").write_text(POLICY)
    base = {"deployed_at": "2026-03-02T12:00:00Z", "merged_at": "2026-03-02T09:00:00Z"}
    take(
        amends,
        write_csv(
            tmp_path / "t.csv",
            {"change_id": "good", **base, "author": "ana", "approvals": "1", "checks_passed": "1"},
            {"change_id": "nameless", **base, "approvals": "1", "checks_passed": "1"},
            {"change_id": "alone", **base, "author": "ana", "approvals": "0", "checks_passed": "1"},
            {"change_id": "red", **base, "author": "ana", "approvals": "1", "checks_passed": "0"},
            {"change_id": "unchecked", **base, "author": "ana", "approvals": "1"},
            {"change_id": "backwards", **base, "merged_at": "2026-03-02T13:00:00Z", "author": "ana",
             "approvals": "1", "checks_passed": "1"},
        ),
    )  # fmt: skip
    at = ("--to", "production", "--at", "2026-03-02T12:00:00Z")
    codes = {
        name: amends("gate", "--release", name, *at)[0]
        for name in ("good", "nameless", "alone", "red", "unchecked", "backwards")
    }
    assert codes == {"good": 0, "nameless": 0, "alone": 1, "red": 1, "unchecked": 3, "backwards": 3}


def test_broken_rows_are_named_by_their_line_and_the_rest_is_imported(amends: Amends, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(
        b"change_id,merged_at,deployed_at,approvals,author\n"
        b"c1,2026-03-02T09:00:00Z,2026-03-02T12:00:00Z,1,ana\n"
        b'"c2",2026-03-02T09:00:00Z,"2026-03-02\nT12:00",1,ana\n'  # lines 3 and 4
        b"c3,2026-03-02T09:00:00Z\n"
        b"c4,2026-03-02 09:00:00 EST,2026-03-02T12:00:00Z,1,ana\n"
        b"c5,2026-03-02T09:00:00Z,2026-03-02T08:00:00Z,1,ana\n"
        b"c6,2026-03-02T09:00:00Z,2026-03-02T12:00:00Z,many,an\xff\n"
        b",2026-03-02T09:00:00Z,,,\n"
        b"c1,2026-03-02T09:00:00Z,2026-03-02T12:00:00Z,1,ana\n"
        b"c1,2026-03-02T09:00:00Z,2026-03-02T12:00:00Z,2,ana\n"
        b"\n"
        b"c7,2026-03-02T09:00:00Z,2026-03-02T12:00:00Z,1,ana\n"
    )
    said = take(amends, file, "--service", "shop")
    met = {
        (fault["fault"], one["where"].rpartition(":")[2])
        for fault in said["faults"]
        for one in fault["first"]
    }
    assert met == {
        ("not-a-time", "3"), ("ragged-row", "5"), ("unknown-time-zone", "6"), ("time-runs-backwards", "7"),
        ("encoding", "8"), ("not-a-number", "8"), ("no-change-id", "9"), ("told-twice", "11"),
    }  # fmt: skip
    assert sorted(change.change for change in payloads(tmp_path, "change.merged")) == [
        "c1",
        "c2",
        "c4",
        "c5",
        "c6",
        "c7",
    ]
    assert any("1 rows repeat an earlier one" in text for text in said["notes"])


def test_reverts_in_a_circle_are_reported_and_uncertain(amends: Amends, tmp_path: Path) -> None:
    rows = [
        {"change_id": a, "merged_at": "2026-03-02T09:00:00Z", "reverted_by": b, "revert_reason": "it broke"}
        for a, b in (("a", "b"), ("b", "c"), ("c", "b"), ("d", "d"), ("e", "a"))
    ]
    said = take(amends, write_csv(tmp_path / "t.csv", *rows), "--service", "shop")
    assert [(fault["fault"], fault["count"]) for fault in said["faults"]] == [("cycle", 3)]
    found = {
        f.payload.change: (f.payload.classified, f.known_at is None)
        for f in facts(tmp_path, "change.reverted")
    }
    assert found == {
        "a": ("failure", False), "b": ("uncertain", True), "c": ("uncertain", True), "d": ("uncertain", True),
        "e": ("failure", False),
    }  # fmt: skip


def test_other_headers_are_mapped_and_zones_are_named(amends: Amends, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "t.csv", {"Ticket": "c1", "Closed": "2026-03-02 12:00", "Colour": "red"})
    said = take(
        amends, file, "--column", "change_id=Ticket", "--column", "deployed_at=closed",
        "--timezone", "Europe/Berlin",
        "--service", "shop",
    )  # fmt: skip
    assert facts(tmp_path, "service.deployed")[0].occurred_at.isoformat() == "2026-03-02T11:00:00+00:00"
    assert said["left_out"] == ["columns that are not documented: Colour"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing.csv",), "cannot be read"),
        (("t.csv",), "found no column change_id"),
        (("t.csv", "--column", "change_id=x"), "no such column"),
        (("t.csv", "--column", "change=a"), "no documented column"),
        (("t.csv", "--column", "change_id"), "OURS=YOURS"),
        (("t.csv", "--timezone", "Mars/Olympus"), "is unknown"),
        (("empty.csv",), "the table is empty"),
        (("broken.parquet",), "not Parquet"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    amends: Amends, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty.csv").write_text("\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    code, out, err = amends("import", "table", *words, "--service", "shop")
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_semicolons_tabs_and_utf16_are_read(amends: Amends, tmp_path: Path) -> None:
    for number, (separator, encoding) in enumerate(((";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-8"))):
        file = tmp_path / f"{number}.csv"
        lines = [("change_id", "merged_at"), (f"c{number}", "2026-03-02T09:00:00Z")]
        file.write_text("\n".join(separator.join(line) for line in lines), encoding=encoding)
        take(amends, file, "--service", "shop")
    assert [change.change for change in payloads(tmp_path, "change.merged")] == ["c0", "c1", "c2"]
