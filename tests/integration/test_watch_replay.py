"""``amends watch replay`` as a command: every format, its object, its exit codes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from amends.cli.main import main

Run = Callable[..., tuple[int, str, str]]
COLUMNS = ("time", "arm", "metric", "kind", "value", "weight", "segment", "instance")
BAD = {"id": "bad", "metric": "latency", "interval_s": 60, "baseline": [10 + i % 7 for i in range(60)]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["amends", "watch", "replay", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def rows(share: float, ticks: int = 30) -> list[dict[str, Any]]:
    return [
        {
            "time": f"2026-03-01T12:{t // 6:02}:{10 * (t % 6):02}Z", "arm": arm, "metric": "5xx",
            "kind": "count", "value": round(200 * p), "weight": 200, "segment": "eu", "instance": f"{arm}-1",
        }
        for t in range(ticks)
        for arm, p in (("baseline", 0.01), ("candidate", share))
    ]  # fmt: skip


def write_csv(path: str, found: list[dict[str, Any]]) -> None:
    with Path(path).open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(found)


def write_lines(path: str, found: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in found))


def write_parquet(path: str, found: list[dict[str, Any]]) -> None:
    write_csv(f"{path}.csv", found)
    times = "CAST(time AS TIMESTAMPTZ) AS time"
    duckdb.sql(f"COPY (SELECT * REPLACE ({times}) FROM read_csv('{path}.csv')) TO '{path}' (FORMAT parquet)")


@pytest.mark.parametrize("write", [write_csv, write_lines, write_parquet])
def test_every_format_gives_the_same_verdict(run: Run, write: Callable[..., None]) -> None:
    write("a.recording", rows(0.06))
    code, out, _ = run("a.recording", "--format", "json")
    told = json.loads(out)
    assert code == 1
    assert set(told) == {"decision", "decided_at", "reason", "metrics"}
    assert (told["decision"], told["decided_at"]) == ("rollback", "2026-03-01T12:00:20Z")
    assert set(told["metrics"][0]) == {
        "metric", "decision", "evidence", "effect", "interval", "observations", "reason"
    }  # fmt: skip
    assert told["metrics"][0]["evidence"] >= 100


def test_the_text_shows_each_look_and_the_moment(run: Run) -> None:
    write_csv("a.csv", rows(0.06))
    code, out, _ = run("a.csv")
    assert code == 1
    assert out.startswith("rollback at 2026-03-01T12:00:20Z: 5xx: 6% against 1%")
    assert out.count("watching") + out.count("roll_back") == 3


def test_an_alike_candidate_exits_with_0_and_a_short_recording_with_3(run: Run) -> None:
    write_csv("alike.csv", rows(0.01))
    write_csv("short.csv", rows(0.01, ticks=1))
    assert run("alike.csv")[0] == 0
    assert run("alike.csv", "--interval", "300")[0] in (0, 3)
    code, out, _ = run("short.csv", "--format", "json")
    assert (code, json.loads(out)["decision"], json.loads(out)["decided_at"]) == (3, "hold", None)


def test_direction_metric_and_alpha_come_from_the_command_line(run: Run) -> None:
    write_csv("a.csv", rows(0.06))
    assert run("a.csv", "--direction", "lower")[0] != 1
    assert run("a.csv", "--direction", "higher", "--alpha", "1e-9")[0] == 1
    assert run("a.csv", "--metric", "other")[0] == 3
    assert run("a.csv", "--alpha", "2")[0] == 2
    assert run("absent.csv")[0] == 2


def test_a_policy_says_what_is_watched(run: Run) -> None:
    Path("amends.yaml").write_text(
        "service: shop\nteam: shop-team\nenvironments: [production]\nwatch:\n  interval: 60s\n  metrics:\n"
        "    - {name: 5xx, events: e, total: t, direction: lower}\n"
    )
    write_csv("a.csv", rows(0.06))
    assert run("a.csv", "--policy", "amends.yaml")[0] != 1
    code, out, _ = run("a.csv", "--policy", "amends.yaml", "--direction", "higher", "--format", "json")
    assert (code, json.loads(out)["decided_at"]) == (1, "2026-03-01T12:01:00Z")


@pytest.mark.parametrize(
    ("cell", "found", "why"),
    [
        ("value", "many", "value is 'many'"),
        ("arm", "canary", "arm is 'canary'; allowed are baseline, candidate"),
        ("kind", "meter", "allowed are count, latency, histogram, gauge"),
        ("time", "yesterday", "found the time 'yesterday'"),
        ("time", "1774000000000000", "allowed are Unix seconds or milliseconds"),
        ("value", "-1", "never below 0"),
        ("weight", "inf", "weight is inf"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(run: Run, cell: str, found: str, why: str) -> None:
    written = rows(0.01, ticks=2)
    written[1][cell] = found
    write_csv("a.csv", written)
    code, out, err = run("a.csv", "--format", "json")
    assert (code, json.loads(out)["decision"]) == (4, "hold")
    assert "a.csv:3:" in err
    assert why in err


def test_a_row_without_a_number_is_left_out_and_told(run: Run) -> None:
    written = rows(0.06)
    written[0]["value"] = "NaN"
    write_csv("a.csv", written)
    code, _, err = run("a.csv", "--format", "json")
    assert code == 1
    assert "1 row holds no number" in err


def test_one_pair_is_one_object_and_many_are_a_line_each_with_their_ids(run: Run) -> None:
    bad, alike = {**BAD, "candidate": [90, 95, 93]}, {**BAD, "id": "alike", "candidate": BAD["baseline"][:12]}
    Path("one.json").write_text(json.dumps(bad, indent=2))
    code, out, _ = run("one.json", "--format", "json")
    assert (code, json.loads(out)["decision"], json.loads(out)["decided_at"]) == (1, "rollback", 120.0)
    broken = {"id": "broken", "baseline": [1, "x"], "candidate": []}
    write_lines("many.jsonl", [bad, broken, alike])
    code, out, _ = run("many.jsonl", "--format", "json")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(t["id"], t["decision"]) for t in told] == [
        ("bad", "rollback"), ("broken", "hold"), ("alike", "promote")
    ]  # fmt: skip
    assert "many.jsonl:2" in told[1]["reason"]
    write_lines("rest.jsonl", [broken, alike])
    assert run("rest.jsonl")[0] == 4


def test_the_truth_of_a_case_is_never_read(run: Run) -> None:
    case = {**BAD, "candidate": [12, 11, 13]}
    write_lines("a.jsonl", [{**case, "truth": "regression"}, {**case, "truth": "ok"}])
    _, out, _ = run("a.jsonl", "--format", "json")
    first, second = (json.loads(line) for line in out.splitlines())
    assert first == second


def test_a_folder_is_replayed_file_by_file_and_one_that_is_broken_stops_no_other(run: Run) -> None:
    Path("cases").mkdir()
    write_csv("cases/a.csv", rows(0.06))
    Path("cases/b.json").write_text('{"baseline": [1')
    Path("cases/c.parquet").write_bytes(b"PAR1 and no more")
    Path("cases/d.csv").write_text("time,arm\n")
    Path("cases/e.json").write_text(json.dumps({**BAD, "candidate": []}))
    code, out, _ = run("cases", "--format", "json")
    told = {t["id"]: t for t in map(json.loads, out.splitlines())}
    assert code == 1
    assert told["a"]["decision"] == "rollback"
    assert [name for name, t in told.items() if t.get("error")] == ["b", "c", "d"]
    assert "the candidate has no point" in told["bad"]["reason"]
    assert run("cases/b.json")[0] == 4


def test_an_empty_file_cannot_be_evaluated_and_an_empty_folder_is_usage(run: Run) -> None:
    Path("empty.csv").write_text("")
    Path("nothing").mkdir()
    assert run("empty.csv")[0] == 4
    assert run("nothing")[0] == 2


def test_a_first_line_that_is_broken_stops_no_other_line(run: Run) -> None:
    good = json.dumps({**BAD, "candidate": [90, 95, 93]})
    Path("a.jsonl").write_text(f'{{"baseline": [1,\n{good}\n')
    code, out, _ = run("a.jsonl", "--format", "json")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [t["decision"] for t in told] == ["hold", "rollback"]
    assert told[0]["error"] is True


@pytest.mark.parametrize("more", [{"interval_s": 1e300}, {"start": -1e10}, {"direction": "up"}])
def test_a_pair_with_a_number_or_word_out_of_range_says_what_is_allowed(
    run: Run, more: dict[str, Any]
) -> None:
    Path("a.json").write_text(json.dumps({**BAD, "candidate": [90, 95, 93], **more}))
    code, _, err = run("a.json")
    assert code == 4
    assert "mend:" in err


def test_rows_of_several_cases_are_told_apart_by_their_id(run: Run) -> None:
    found = [{**row, "id": case} for case, share in (("bad", 0.06), ("good", 0.01)) for row in rows(share)]
    write_lines("a.jsonl", found)
    code, out, _ = run("a.jsonl", "--format", "json")
    told = {one["id"]: one["decision"] for one in map(json.loads, out.splitlines())}
    assert (code, told) == (1, {"bad": "rollback", "good": "promote"})


@pytest.mark.parametrize("write", ["2026-03-01T12:00:{:02}", "2026-03-01 12:00:{:02}", "17723664{:02}000"])
def test_times_without_a_zone_are_utc_and_long_ones_milliseconds(run: Run, write: str) -> None:
    found = [{**row, "time": write.format(10 * (i // 2))} for i, row in enumerate(rows(0.06, 6))]
    write_csv("a.csv", found)
    code, out, _ = run("a.csv", "--format", "json")
    assert (code, json.loads(out)["decided_at"]) == (1, "2026-03-01T12:00:20Z")


def test_one_case_that_cannot_be_judged_does_not_cost_the_others_theirs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from amends.watch import series

    judge = series.judge_series

    def breaks(pair: Any, *more: Any) -> Any:
        if pair.metric == "odd":
            raise ZeroDivisionError("float division by zero")
        return judge(pair, *more)

    monkeypatch.setattr(series, "judge_series", breaks)
    write_lines("a.jsonl", [{**BAD, "candidate": [90, 95, 93], "metric": m} for m in ("odd", "latency")])
    code, out, _ = run("a.jsonl", "--format", "json")
    first, second = map(json.loads, out.splitlines())
    assert (code, first["error"], second["decision"]) == (1, True, "rollback")
