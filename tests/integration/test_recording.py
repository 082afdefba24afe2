"""Recording facts: idempotent, pseudonymous, and never half-done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.clocks import StillClock
from amends.adapters.codehost import GitHost
from amends.adapters.stores import open_store
from amends.application import edgecases, production, recording
from amends.application.desk import Desk, Receipt, Stamp
from amends.application.gitfacts import record_changes_from_git, release_from_git
from amends.application.log import Log
from amends.application.reports import Exercised, SuiteReport
from amends.application.reviewing import read_revision
from amends.errors import EventConflictError, NotFoundError, UsageError
from amends.events import payloads as p
from tests.repositories import Repo

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
REPORT = SuiteReport("unit", 1, 0, 0, 0, (p.TestCase(name="t", outcome="passed"),), "d" * 64)


@pytest.fixture
def desk() -> Desk:
    opened = open_store("memory:")
    ids = iter(range(10_000))
    return Desk(
        Log(opened.store, StillClock(NOW), lambda: f"id{next(ids)}", "/test"),
        opened.people,
        "shop",
        "shop-team",
    )


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.commit("first", CODEOWNERS="* @org/all\n/pay/ @org/pay @Bo\n")
    made.git("tag", "v1.0")
    made.commit(
        "pay password=hunter2\n\nReviewed-by: Bo <7+Bo@users.noreply.github.com>",
        pay__x="1\n", readme="1\n", CODEOWNERS="* @org/nobody\n",
    )  # fmt: skip
    made.git("tag", "v1.1")
    return made


def payload(receipt: Receipt) -> Any:
    return receipt.fact.payload


def test_a_change_from_git_brings_owners_from_before_it_and_its_reviews(desk: Desk, repo: Repo) -> None:
    change, review = record_changes_from_git(desk, GitHost(repo.path), "v1.0", "v1.1")
    told = payload(change)
    bo = desk.people.pseudonym("bo")
    assert set(told.owners) == {("all",), tuple(sorted(("pay", bo)))}
    assert (told.team, told.lines, told.title) == ("all", 5, "pay password=[masked]")
    assert told.author == desk.people.pseudonym("ana@example.com")
    assert "ana" not in str(change.fact.recorded.event).lower()
    assert change.fact.known_at == NOW
    assert (payload(review).reviewer, payload(review).change) == (bo, told.change)
    assert review.fact.known_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_range_is_recorded_once(desk: Desk, repo: Repo) -> None:
    host = GitHost(repo.path)
    record_changes_from_git(desk, host, "", "v1.0")
    again = record_changes_from_git(desk, host, "", "v1.1")
    assert [receipt.fresh for receipt in again] == [False, True, True]
    assert len(desk.log.facts()) == 3


def test_a_release_takes_commit_version_and_changes_from_git(desk: Desk, repo: Repo) -> None:
    host = GitHost(repo.path)
    first = release_from_git(desk, host, "1.0")
    assert payload(first).changes == ()
    assert "its changes are not known" in first.notes[-1]
    second = release_from_git(desk, host)
    assert payload(second).version == "1.1"
    assert payload(second).changes == (host.resolve("v1.1"),)
    for name in ("1.1", host.resolve("v1.1")[:10]):
        assert recording.find_release(desk.log, "shop", name).version == "1.1"


def test_a_version_is_immutable_and_may_be_completed(desk: Desk) -> None:
    recording.record_release(desk, "1.0", commit="a" * 40)
    recording.record_release(desk, "1.0", commit="a" * 40, digest="sha256:1")
    assert recording.find_release(desk.log, "shop", "sha256:1").commit == "a" * 40
    with pytest.raises(UsageError, match="declared already"):
        recording.record_release(desk, "1.0", commit="b" * 40)


def test_an_unknown_release_names_the_nearest(desk: Desk) -> None:
    recording.record_release(desk, "1.4.0")
    with pytest.raises(NotFoundError, match=r"nearest: 1\.4\.0"):
        recording.find_release(desk.log, "shop", "1.4.1")
    with pytest.raises(NotFoundError, match="none yet"):
        recording.find_release(desk.log, "mail", "1.4.0")


def test_a_commit_shortened_past_recognition_is_not_guessed(desk: Desk) -> None:
    recording.record_release(desk, "1", commit="a" * 40)
    recording.record_release(desk, "2", commit="a" * 8 + "b" * 32)
    with pytest.raises(UsageError, match="fits several commits"):
        recording.find_release(desk.log, "shop", "a" * 8)


EVERY: list[Callable[[Desk, Stamp], object]] = [
    lambda d, s: recording.record_change(d, "c1", title="t", author="ana", stamp=s),
    lambda d, s: recording.record_review(d, "c1", reviewer="bo", stamp=s),
    lambda d, s: recording.record_release(d, "1", stamp=s),
    lambda d, s: recording.record_tests(d, "1", REPORT, stamp=s),
    lambda d, s: recording.record_exercise(d, "1", "unit", Exercised(inputs=("k",)), stamp=s),
    lambda d, s: recording.record_sign_off(d, "1", role="qa", by="cy", stamp=s),
    lambda d, s: recording.record_shift(
        d, "@org/ops", role="on-call", person="di", starts=NOW, ends=NOW + timedelta(hours=8), stamp=s
    ),
    lambda d, s: recording.record_traffic(
        d, "1", environment="staging", requests=5, since=NOW - timedelta(hours=1), until=NOW, stamp=s
    ),
    lambda d, s: edgecases.record_edge_case(d, "zero", words="an amount of zero", stamp=s),
    lambda d, s: recording.record_replay(d, "1", decision="pass", requests=9, stamp=s),
    lambda d, s: production.record_deployed(d, "1", environment="staging", stamp=s),
    lambda d, s: production.record_rolled_back(
        d, "2", environment="production", to="1", reason="5xx", stamp=s
    ),
    lambda d, s: production.record_failure(
        d, "1", environment="production", signature=p.Signature(status=500, path="/q"), stamp=s
    ),
]


@pytest.mark.parametrize("record", EVERY)
def test_a_retry_later_with_the_same_id_changes_nothing(
    desk: Desk, record: Callable[[Desk, Stamp], object]
) -> None:
    record(desk, Stamp(id="job-1"))
    before = [fact.id for fact in desk.log.facts()]
    desk.log.clock.wait(60)
    record(desk, Stamp(id="job-1"))
    assert [fact.id for fact in desk.log.facts()] == before


def test_the_same_id_with_another_content_is_refused(desk: Desk) -> None:
    recording.record_sign_off(desk, "1", role="qa", by="cy", stamp=Stamp(id="x"))
    with pytest.raises(EventConflictError):
        recording.record_sign_off(desk, "1", role="qa", by="cy", granted=False, stamp=Stamp(id="x"))
    production.record_deployed(desk, "1", environment="staging", stamp=Stamp(id="y"))
    with pytest.raises(EventConflictError):
        production.record_deployed(desk, "2", environment="staging", stamp=Stamp(id="y"))


def test_the_same_report_counts_once_for_a_release(desk: Desk) -> None:
    assert recording.record_tests(desk, "1", REPORT).fresh
    desk.log.clock.wait(60)
    assert not recording.record_tests(desk, "1", REPORT).fresh
    assert recording.record_tests(desk, "2", REPORT).fresh


def test_a_run_of_another_artifact_is_another_run_and_noted(desk: Desk) -> None:
    recording.record_release(desk, "1", digest="sha256:abc")
    assert recording.record_tests(desk, "1", REPORT).fresh
    same = recording.record_tests(desk, "1", REPORT, digest="ABC")
    assert (same.fresh, same.notes, payload(same).digest) == (True, (), "ABC")
    other = recording.record_tests(desk, "1", REPORT, digest="sha256:def")
    assert "1 was declared with another artifact, sha256:abc" in other.notes


def test_a_run_keeps_no_digest_that_nobody_stated(desk: Desk) -> None:
    recording.record_release(desk, "1", digest="sha256:abc")
    assert payload(recording.record_tests(desk, "1", REPORT)).digest == ""
    assert payload(recording.record_tests(desk, "sha256:abc", REPORT)).release == "sha256:abc"


def test_an_edge_case_is_documented_once_until_something_else_is_said(desk: Desk) -> None:
    def document() -> Receipt:
        return edgecases.record_edge_case(desk, "zero", words="an amount of zero", incident="INC-9")

    first = document()
    assert [note.partition(",")[0] for note in first.notes] == [
        "it names no test", "the log has no incident 'INC-9'",
    ]  # fmt: skip
    assert not document().fresh
    desk.log.clock.wait(60)
    assert edgecases.retire_edge_case(desk, "zero", reason="amounts are checked before").fresh
    desk.log.clock.wait(60)
    assert document().fresh


@pytest.mark.parametrize(("name", "words"), [("", "w"), ("a b", "w"), ("x" * 101, "w"), ("zero", " ")])
def test_an_edge_case_needs_a_name_and_words(desk: Desk, name: str, words: str) -> None:
    with pytest.raises(UsageError):
        edgecases.record_edge_case(desk, name, words=words)


def test_only_a_known_edge_case_is_retired_and_for_a_reason(desk: Desk) -> None:
    edgecases.record_edge_case(desk, "zero", words="an amount of zero")
    with pytest.raises(UsageError, match="for a reason"):
        edgecases.retire_edge_case(desk, "zero", reason=" ")
    with pytest.raises(NotFoundError, match="it has: zero"):
        edgecases.retire_edge_case(desk, "nil", reason="r")


@pytest.mark.parametrize(("decision", "requests", "differences"), [("pass", 0, 0), ("block", 3, 4)])
def test_a_replay_that_cannot_be_is_refused(
    desk: Desk, decision: Any, requests: int, differences: int
) -> None:
    with pytest.raises(UsageError):
        recording.record_replay(desk, "1", decision=decision, requests=requests, differences=differences)


def test_what_ran_before_decides_between_deployed_and_upgraded(desk: Desk) -> None:
    kinds = [production.record_deployed(desk, v, environment="staging").fact.kind for v in ("1", "2")]
    assert kinds == ["service.deployed", "service.upgraded"]
    late = production.record_deployed(desk, "0", environment="staging", stamp=Stamp(NOW - timedelta(days=9)))
    assert (late.fact.kind, payload(late).previous) == ("service.deployed", "")
    assert production.running(desk.log, "shop", "staging") == "2"
    assert production.running(desk.log, "shop", "production") == ""


def test_a_rollback_elsewhere_opens_an_incident_and_quarantines(desk: Desk) -> None:
    rolled, opened, held = production.record_rolled_back(
        desk, "2", environment="production", to="1", reason="5xx at 40%"
    )
    assert payload(opened).opened_by == "rollback"
    assert (payload(opened).release, payload(opened).previous) == ("2", "1")
    assert payload(opened).rolled_back_at == rolled.fact.occurred_at
    assert (payload(held).release, payload(held).incident) == ("2", payload(opened).incident)
    assert production.running(desk.log, "shop", "production") == "1"
    with pytest.raises(UsageError, match="from one release to another"):
        production.record_rolled_back(desk, "2", environment="production", to="2", reason="")


TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/shop/server.py", line 9, in handle
    share(total, count)
  File "/srv/app/shop/price.py", line 4, in share
    return total / count
ZeroDivisionError: division by zero
"""


def test_a_failure_is_recognised_by_its_traceback_and_its_input_is_masked(desk: Desk) -> None:
    receipt = production.record_failure(
        desk, "1", environment="production", traceback=TRACEBACK, input={"items": 0, "token": "abc"}
    )
    told = payload(receipt)
    assert told.signature.exception == "ZeroDivisionError"
    assert told.signature.frame.endswith("shop/price.py:share")
    assert told.input == {"items": 0, "token": "[masked]"}
    with pytest.raises(UsageError, match="recognised again"):
        production.record_failure(desk, "1", environment="production", traceback="it broke")


def test_what_nobody_declared_is_recorded_and_said(desk: Desk) -> None:
    recording.record_release(desk, "1.4.0", commit="a" * 40)
    assert not production.record_deployed(desk, "a" * 12, environment="dev").notes
    (note,) = production.record_deployed(desk, "1.4.o", environment="dev").notes
    assert "nearest: 1.4.0" in note


def test_facts_are_kept_under_whole_names(desk: Desk) -> None:
    recording.record_release(desk, "1.4.0", commit="a" * 40, digest="sha256:d1")
    names = [
        payload(production.record_deployed(desk, name, environment="dev")).release
        for name in ("a" * 9, "v1.4.0", "shop@1.4.0", "D1")
    ]
    assert names == ["a" * 40, "1.4.0", "1.4.0", "sha256:d1"]


def test_a_review_may_name_a_commit_by_its_beginning(desk: Desk, repo: Repo) -> None:
    record_changes_from_git(desk, GitHost(repo.path), "v1.0", "v1.1")
    sha = GitHost(repo.path).resolve("v1.1")
    receipt = recording.record_review(desk, sha[:9], reviewer="@Bo", team="@org/pay")
    assert (payload(receipt).change, payload(receipt).team) == (sha, "pay")
    assert payload(receipt).reviewer == desk.people.pseudonym("bo")


def test_the_command_line_reviews_a_revision_of_git(amends: Any, repo: Repo) -> None:
    where = ("--service", "shop", "--repo", str(repo.path))
    amends("record", "change", "--from-git", "..v1.1", *where)
    code, _, err = amends("record", "review", "v1.1", "--reviewer", "bo", "--format", "json", *where)
    assert (code, err) == (0, "")
    _, shown, _ = amends("log", "show", "--kind", "change.reviewed", "--format", "json")
    assert GitHost(repo.path).resolve("v1.1") in shown


def test_a_note_is_known_from_now_on_and_told_once(desk: Desk) -> None:
    production.record_rolled_back(desk, "2", environment="production", to="1", reason="5xx")
    first = production.record_note(desk, "INC-1", "restarted it", stamp=Stamp(id="n"))
    desk.log.clock.wait(60)
    again = production.record_note(desk, "INC-1", "restarted it", stamp=Stamp(id="n"))
    assert (first.fresh, again.fresh) == (True, False)
    then = NOW - timedelta(hours=2)
    receipt = production.record_note(desk, "INC-1", "saw errors", role="on-call", stamp=Stamp(then))
    assert (payload(receipt).at, receipt.fact.known_at) == (then, NOW + timedelta(seconds=60))
    with pytest.raises(NotFoundError):
        production.record_note(desk, "INC-9", "x")


# --- the command line -----------------------------------------------------------------------------------


def test_the_command_line_records_and_prints_the_event(amends: Any, tmp_path: Path, repo: Repo) -> None:
    (tmp_path / "amends.yaml").write_text("service: shop\nteam: shop-team\ngates: [misspelt\n")
    code, _, err = amends("record", "release", "1", "--repo", str(repo.path))
    assert (code, "amends.yaml:" in err) == (2, True)
    (tmp_path / "amends.yaml").write_text(
        "service: shop\nteam: shop-team\ngates: {production: [{misspelt: 1}]}\n"
    )
    assert amends("record", "change", "--from-git", "v1.0..v1.1", "--repo", str(repo.path))[0] == 0
    code, out, _ = amends("record", "release", "1.1", "--repo", str(repo.path), "--format", "json")
    first = json.loads(out)
    assert (code, first["events"][0]["fresh"]) == (0, True)
    again = json.loads(amends("record", "release", "1.1", "--repo", str(repo.path), "--format", "json")[1])
    assert (again["event"], again["events"][0]["fresh"]) == (first["event"], False)
    code, out, err = amends("record", "deployed", "9.9", "--env", "dev")
    assert (code, out.startswith("recorded service.deployed")) == (0, True)
    assert "note: shop has no release '9.9'" in err


def test_a_bad_report_leaves_nothing_behind(amends: Any, tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text("<testsuite><testcase name='a'/></testsuite>")
    (tmp_path / "bad.xml").write_text("<html/>")
    code, out, err = amends(
        "record", "tests", "1", "--suite", "unit", "good.xml", "bad.xml", "--service", "shop"
    )
    assert (code, out) == (2, "")
    assert "bad.xml:1" in err
    assert not (tmp_path / ".amends").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deployed", "1", "--env", "dev"), "which service"),
        (("change", "--service", "s"), "neither a change"),
        (("change", "--from-git", "v1", "--service", "s"), "A..B"),
        (("deployed", "1", "--env", "dev", "--service", "s", "--at", "2026-03-20T10:00:00"), "no time zone"),
        (("shift", "t", "--role", "r", "--person", "p", "--from", "2026-03-20T10:00Z",
          "--to", "2026-03-19T10:00Z"),
         "no later than its start"),
        (("failure", "1", "--env", "e", "--service", "s", "--input", "none.json"), "No such file"),
    ],
)  # fmt: skip
def test_bad_input_is_said_plainly(amends: Any, words: tuple[str, ...], said: str) -> None:
    code, _, err = amends("record", *words)
    assert (code, said in err) == (2, True), err
    assert "Traceback" not in err


EVENT = {
    "specversion": "1.0", "id": "e1", "source": "/ci", "type": "dev.cdevents.service.deployed.0.3.0",
    "subject": "shop", "time": "2026-03-20T10:00:00Z",
    "data": {
        "context": {"specversion": "0.5.1", "id": "e1", "source": "/ci", "timestamp": "2026-03-20T10:00:00Z",
                    "type": "dev.cdevents.service.deployed.0.3.0"},
        "subject": {
            "id": "shop", "content": {"environment": {"id": "dev"}, "artifactId": "pkg:generic/shop@1"},
        },
    },
}  # fmt: skip


def test_events_of_other_systems_are_taken_all_or_none(amends: Any, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(EVENT, indent=1))
    code, out, err = amends("record", "--from-event", "one.json")
    assert (code, out) == (0, "recorded service.deployed e1\n"), err
    (tmp_path / "lines").write_text(
        f"{json.dumps(EVENT)}\n{json.dumps({**EVENT, 'id': 'e2', 'type': 'x'})}\n"
    )
    code, out, _ = amends("record", "--from-event", "lines")
    assert (code, out) == (0, "already in the log: service.deployed e1\nrecorded x e2\n")
    (tmp_path / "bad").write_text(json.dumps([{**EVENT, "id": "e3", "type": "x"}, {"id": "e4"}]))
    code, out, err = amends("record", "--from-event", "bad")
    assert (code, out, "event 2" in err) == (2, "", True)
    assert amends("record", "--from-event", "lines", "deployed", "1", "--env", "dev")[0] == 2
    (tmp_path / "worse").write_text("{")
    assert "worse:1" in amends("record", "--from-event", "worse")[2]


@pytest.mark.parametrize("version", ["1 2", "1\t2", "1\x002", "v" * 201])
def test_a_version_is_short_and_of_one_word(desk: Desk, version: str) -> None:
    with pytest.raises(UsageError, match="version"):
        recording.record_release(desk, version)


def test_a_title_names_no_person(desk: Desk) -> None:
    receipt = recording.record_change(desk, "c1", title="Merge ann.lee+x@mail.example.org for v1@2")
    assert payload(receipt).title == "Merge [masked] for v1@2"


def test_an_environment_that_the_policy_does_not_list_is_noted_and_recorded(desk: Desk) -> None:
    desk = replace(desk, environments=("staging", "production"))
    recording.record_release(desk, "1")
    receipt = production.record_deployed(desk, "1", environment="stagin")
    assert receipt.fresh
    assert receipt.notes == ("amends.yaml has no environment 'stagin'; did you mean staging?",)
    assert production.record_deployed(desk, "1", environment="staging").notes == ()


def test_a_recorded_rollback_has_a_review_and_its_own_events_only(desk: Desk) -> None:
    for version in ("1", "2"):
        recording.record_release(desk, version)
    at = NOW - timedelta(hours=3)
    production.record_rolled_back(desk, "2", environment="p", to="1", reason="bad", stamp=Stamp(at))
    text = read_revision(desk.log, "INC-1").text
    assert "Release 2 quarantined" in text
    assert "as stated later" not in text
    assert not [line for line in text.splitlines() if "learned later" in line]


def test_a_second_version_of_one_build_is_declared_with_a_note(desk: Desk) -> None:
    recording.record_release(desk, "2", commit="a" * 40)
    (note,) = recording.record_release(desk, "v2", commit="a" * 40).notes
    assert "the same build is declared as 2" in note
    assert recording.record_release(desk, "v2", commit="a" * 40).fresh is False
    assert recording.named_release(desk, "a" * 8) == ("a" * 40, ())
    with pytest.raises(UsageError, match="fits several versions of shop: 2, v2"):
        recording.find_release(desk.log, "shop", "a" * 40)
