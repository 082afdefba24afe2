"""Test reports, calendars and what GitHub answered, imported by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.stores import open_store
from amends.events.codec import Fact, decode
from tests.past import deployment, pull, sha, write_json

Amends = Callable[..., tuple[int, str, str]]


def facts(folder: Path, kind: str) -> list[Fact]:
    store = open_store(str(folder / ".amends/log.db")).store
    try:
        return [fact for record in store.records() if (fact := decode(record)).kind == kind]
    finally:
        store.close()


def payloads(folder: Path, kind: str) -> list[Any]:
    return [fact.payload for fact in facts(folder, kind)]


def take(amends: Amends, *words: str) -> dict[str, Any]:
    code, out, err = amends("import", *words, "--format", "json")
    assert code == 0, out + err
    found: dict[str, Any] = json.loads(out)
    return found


def faults(said: dict[str, Any]) -> list[str]:
    return [fault["fault"] for fault in said["faults"]]


# --- test reports ---------------------------------------------------------------------------------------


def report(file: Path, stamp: str = "2026-03-02T10:00:00Z", inner: str = '<testcase name="a"/>') -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    when = f' timestamp="{stamp}"' if stamp else ""
    file.write_text(f'<testsuites><testsuite name="pytest" time="90"{when}>{inner}</testsuite></testsuites>')
    return file


def test_a_report_is_of_the_release_and_suite_that_its_path_names(amends: Amends, tmp_path: Path) -> None:
    report(tmp_path / "ci/1.0/unit.xml")
    report(tmp_path / "ci/1.1/unit.xml", inner='<testcase name="a"><failure message="no"/></testcase>')
    take(amends, "junit", "ci", "--pattern", "ci/{release}/{suite}.xml", "--service", "shop")
    found = {(s.release, s.suite, s.outcome) for s in payloads(tmp_path, "testsuiterun.finished")}
    assert found == {("1.0", "unit", "success"), ("1.1", "unit", "failure")}
    known = {fact.known_at.isoformat() for fact in facts(tmp_path, "testsuiterun.finished") if fact.known_at}
    assert known == {"2026-03-02T10:01:30+00:00"}  # when it ended


def test_a_report_may_say_itself_what_it_tested(amends: Amends, tmp_path: Path) -> None:
    inner = '<properties><property name="version" value="1.0"/></properties><testcase name="a"/>'
    take(amends, "junit", str(report(tmp_path / "r.xml", inner=inner)), "--service", "shop")
    [suite] = payloads(tmp_path, "testsuiterun.finished")
    assert (suite.release, suite.suite) == ("1.0", "pytest")


@pytest.mark.parametrize(
    ("stamp", "words", "fault"),
    [
        ("", ("--release", "1.0"), "no-time"),
        ("2026-03-02T10:00:00", ("--release", "1.0"), "time-without-zone"),
        ("2026-03-02T10:00:00Z", (), "no-release"),
    ],
)
def test_a_report_that_leaves_out_what_matters_is_left_out(
    amends: Amends, tmp_path: Path, stamp: str, words: tuple[str, ...], fault: str
) -> None:
    report(tmp_path / "r.xml", stamp)
    code, out, _ = amends("import", "junit", "r.xml", "--service", "shop", "--format", "json", *words)
    assert (code, faults(json.loads(out))) == (4, [fault])


def test_a_pattern_that_names_nothing_is_refused(amends: Amends, tmp_path: Path) -> None:
    report(tmp_path / "r.xml")
    code, _, err = amends("import", "junit", "r.xml", "--service", "shop", "--pattern", "ci/*.xml")
    assert (code, "names neither" in err) == (2, True)


# --- calendars ------------------------------------------------------------------------------------------

ROTA = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//rota//EN
BEGIN:VEVENT
UID:week
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260302T090000
DTEND;TZID=Europe/Berlin:20260302T170000
RRULE:FREQ=DAILY;COUNT=4
EXDATE;TZID=Europe/Berlin:20260303T090000
SUMMARY:Ana
END:VEVENT
BEGIN:VEVENT
UID:week
RECURRENCE-ID;TZID=Europe/Berlin:20260304T090000
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260304T100000
DTEND;TZID=Europe/Berlin:20260304T170000
SUMMARY:Bo
END:VEVENT
BEGIN:VEVENT
UID:broken
DTSTAMP:20260101T000000Z
DTSTART:20260302T090000Z
DTEND:20260302T080000Z
SUMMARY:Cleo
END:VEVENT
END:VCALENDAR
"""


def test_a_rota_becomes_shifts_planned_until_somebody_says_more(amends: Amends, tmp_path: Path) -> None:
    (tmp_path / "rota.ics").write_text(ROTA)
    said = take(amends, "ical", "rota.ics", "--team", "shop-team")
    shifts = payloads(tmp_path, "shift.acknowledged")
    assert [s.starts.isoformat()[:16] for s in shifts] == [
        "2026-03-02T08:00",
        "2026-03-04T09:00",
        "2026-03-05T08:00",
    ]
    assert {s.acknowledged for s in shifts} == {False}
    assert len({s.person for s in shifts}) == 2
    assert faults(said) == ["time-runs-backwards"]
    assert any("3 shifts were planned" in note for note in said["notes"])
    take(
        amends, "ical", "rota.ics", "--team", "shop-team", "--acknowledged", "--until", "2026-03-03T00:00:00Z"
    )
    assert [s.acknowledged for s in payloads(tmp_path, "shift.acknowledged")] == [False, False, False, True]


def test_a_calendar_without_a_team_is_pointed_to_the_policy(amends: Amends, tmp_path: Path) -> None:
    (tmp_path / "rota.ics").write_text(ROTA)
    code, _, err = amends("import", "ical", "rota.ics")
    assert (code, "window: {freezes" in err) == (2, True)


# --- GitHub ---------------------------------------------------------------------------------------------


def review(number: int, state: str, at: str, login: str = "Bo") -> dict[str, Any]:
    url = f"https://api.github.com/repos/o/r/pulls/{number}"
    return {
        "id": hash(at),
        "user": {"login": login},
        "state": state,
        "submitted_at": at,
        "pull_request_url": url,
    }


def check(commit: str, name: str, conclusion: str, at: str = "2026-03-01T12:00:00Z") -> dict[str, Any]:
    return {
        "id": 1,
        "head_sha": commit,
        "name": name,
        "conclusion": conclusion,
        "started_at": at,
        "completed_at": at,
    }


def github(amends: Amends, folder: Path, *items: Any, words: tuple[str, ...] = ()) -> dict[str, Any]:
    write_json(folder / "export.json", list(items))
    return take(amends, "github", "export.json", "--service", "shop", *words)


DAYS = [f"2026-03-0{day}T10:00:00Z" for day in range(1, 8)]


def test_pulls_and_reviews(amends: Amends, tmp_path: Path) -> None:
    said = github(
        amends, tmp_path,
        pull(1, changed_files=2, additions=3, deletions=4), pull(2), pull(3, merged_at=None),
        review(1, "CHANGES_REQUESTED", "2026-03-01T11:00:00Z"), review(1, "APPROVED", "2026-03-01T12:00:00Z"),
        review(1, "DISMISSED", "2026-03-01T13:00:00Z", "Cleo"),
    )  # fmt: skip
    one, two = payloads(tmp_path, "change.merged")
    assert (one.change, one.files, one.lines, one.unrecorded) == (sha(1), 2, 7, ())
    assert two.unrecorded == ("reviews",)
    assert [r.verdict for r in payloads(tmp_path, "change.reviewed")] == [
        "changes_requested",
        "approved",
        "commented",
    ]
    assert "1 pulls that were not merged" in said["left_out"]


def test_a_deployment_holds_the_pulls_since_the_one_before(amends: Amends, tmp_path: Path) -> None:
    pulls = [pull(n, merged=DAYS[n - 1]) for n in (1, 2, 3, 4)]
    github(
        amends, tmp_path, *pulls,
        *deployment(71, sha(1), "2026-03-01T11:00:00Z"), *deployment(72, sha(3), "2026-03-03T11:00:00Z"),
        *deployment(73, sha(4), "2026-03-04T11:00:00Z", "staging"),
        *deployment(74, sha(99), "2026-03-05T11:00:00Z"),
        {**deployment(75, sha(4), "2026-03-06T11:00:00Z")[0]},
    )  # fmt: skip
    changes = {r.version: r.changes for r in payloads(tmp_path, "artifact.packaged")}
    assert changes == {sha(1): (), sha(3): (sha(2), sha(3)), sha(4): (), sha(99): ()}
    moves = [*payloads(tmp_path, "service.deployed"), *payloads(tmp_path, "service.upgraded")]
    assert [(m.release, m.environment, m.previous) for m in moves] == [
        (sha(1), "production", ""), (sha(4), "staging", ""), (sha(3), "production", sha(1)),
        (sha(99), "production", sha(3)),
    ]  # fmt: skip


def test_checks_are_of_the_commit_or_of_every_pull_in_it(amends: Amends, tmp_path: Path) -> None:
    heads = {n: sha(100 + n) for n in (1, 2, 3)}
    github(
        amends, tmp_path, *(pull(n, merged=DAYS[n - 1]) for n in (1, 2, 3)),
        check(heads[2], "unit", "failure", "2026-03-01T08:00:00Z"), check(heads[2], "unit", "success"),
        check(heads[3], "unit", "success"), check(heads[3], "lint", "success"),
        check(sha(3), "e2e", "timed_out"),
        *deployment(71, sha(1), "2026-03-01T11:00:00Z"), *deployment(72, sha(3), "2026-03-03T11:00:00Z"),
    )  # fmt: skip
    found = {(s.suite, s.release, s.outcome) for s in payloads(tmp_path, "testsuiterun.finished")}
    assert found == {("unit", sha(3), "success"), ("e2e", sha(3), "failure")}


def test_a_revert_of_a_pull(amends: Amends, tmp_path: Path) -> None:
    body = "Reverts o/r#1\n\nIt crashes on an empty basket."
    said = github(
        amends, tmp_path, pull(1),
        pull(2, merged="2026-03-03T10:00:00Z", title='Revert "Change 1"', body=body),
        pull(3, merged="2026-03-04T10:00:00Z", body="Reverts #77"),
        pull(4, merged="2026-03-01T11:00:00Z", body="Reverts #3"),
    )  # fmt: skip
    [reverted] = payloads(tmp_path, "change.reverted")
    assert (reverted.change, reverted.by, reverted.classified, reverted.rule) == (
        sha(1),
        sha(2),
        "failure",
        "crashes",
    )
    assert sorted(faults(said)) == ["revert-of-unknown", "time-runs-backwards"]


def test_an_export_may_be_said_to_hold_every_review(amends: Amends, tmp_path: Path) -> None:
    github(amends, tmp_path, pull(1), words=("--reviews-complete",))
    assert payloads(tmp_path, "change.merged")[0].unrecorded == ()


def test_two_accounts_of_a_pull_and_unknown_objects_are_reported(amends: Amends, tmp_path: Path) -> None:
    said = github(amends, tmp_path, pull(1), pull(1, merged="2026-03-09T10:00:00Z"), {"colour": "red"}, 7)
    assert sorted(faults(said)) == ["told-twice", "unknown-item"]
    assert len(payloads(tmp_path, "change.merged")) == 1
    assert said["faults"][0]["first"][0]["where"].startswith("export.json:")


@pytest.mark.parametrize(
    "kind", ["pull_request", "pull_request_review", "check_run", "deployment", "deployment_status"]
)
def test_objects_as_github_publishes_them_are_known(
    amends: Amends, tmp_path: Path, shared_data: Path, kind: str
) -> None:
    field = {"pull_request_review": "review"}.get(kind, kind)
    folder = shared_data / "payloads/github/payload-examples/api.github.com" / kind
    found = [json.loads(file.read_text())[field] for file in sorted(folder.glob("*.json"))]
    write_json(tmp_path / "export.json", [pull(1), *found])
    said = take(amends, "github", "export.json", "--service", "shop")
    assert found
    assert not {"unknown-item", "broken-item", "not-json"} & set(faults(said))
