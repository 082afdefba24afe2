"""Every reader of a past: it tells the same each time, broken parts cost no others, again adds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.adapters.clocks import SystemClock
from amends.adapters.histories import open_history
from amends.adapters.stores.memory import MemoryPeople, MemoryStore
from amends.application.desk import Desk
from amends.application.history import (
    Fault,
    GithubPast,
    GitPast,
    IcalPast,
    JUnitPast,
    Past,
    Remark,
    TablePast,
    Told,
)
from amends.application.importing import import_history
from amends.application.log import Log
from amends.events.event import format_time
from tests.past import PastRepo, deployment, pull, sha, write_csv, write_json

UNTIL = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A past with something broken in it, and one in which nothing can be read."""

    past: Past
    faults: set[str]
    hopeless: Past | None


def git_world(folder: Path) -> World:
    repo = PastRepo(folder / "repo")
    first = repo.commit("Add prices\n\nReviewed-by: Bo <bo@example.com>")
    repo.tag("v1.0")
    repo.commit(f'Revert "Add prices"\n\nBreaks checkout\n\nThis reverts commit {first}.', who="bo")
    repo.commit("Revert the other thing")
    repo.tag("v1.1")
    return World(GitPast(repo.path, "shop", "production"), {"revert-of-unknown"}, None)


def table_world(folder: Path) -> World:
    file = write_csv(
        folder / "changes.csv",
        {"change_id": "1", "deployed_at": "2026-03-02T10:00:00Z", "author": "ana", "approvals": "1"},
        {"change_id": "2", "deployed_at": "2026-03-03 10:00:00", "author": "ana", "approvals": "1"},
        {"change_id": "3", "deployed_at": "2026-03-04T10:00:00Z", "author": "bo", "reviewers": "ana"},
    )
    hopeless = write_csv(folder / "hopeless.csv", {"change_id": "", "author": "ana"})
    return World(
        TablePast(file, "shop", "production"),
        {"time-without-zone", "no-time"},
        TablePast(hopeless, "shop", "p"),
    )


def junit_world(folder: Path) -> World:
    report = (
        '<testsuite name="unit" timestamp="2026-03-02T10:00:00Z" time="2"><testcase name="a"/></testsuite>'
    )
    for release in ("1.0", "1.1"):
        (folder / release).mkdir()
        (folder / release / "unit.xml").write_text(report)
    (folder / "1.1" / "broken.xml").write_text("<testsuite>")
    past = JUnitPast((folder,), "shop", pattern="{release}/{suite}.xml")
    return World(past, {"not-junit"}, JUnitPast((folder / "1.1" / "broken.xml",), "shop", release="1"))


def ical_world(folder: Path) -> World:
    def entry(uid: str, *lines: str) -> str:
        return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260301T000000Z", *lines, "END:VEVENT"])

    whole = entry(
        "a", "DTSTART:20260302T080000Z", "DTEND:20260302T160000Z", "RRULE:FREQ=DAILY;COUNT=3",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ana@example.com",
    )  # fmt: skip
    bare = entry("b", "DTSTART:20260302T080000", "DTEND:20260302T160000", "SUMMARY:bo")
    head, tail = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n", "\nEND:VCALENDAR\n"
    (folder / "rota.ics").write_text(head + whole + "\n" + bare + tail)
    (folder / "hopeless.ics").write_text("BEGIN:NOTHING")
    past = IcalPast((folder / "rota.ics",), "shop-team", "on-call", None, UNTIL)
    hopeless = IcalPast((folder / "hopeless.ics",), "shop-team", "on-call", None, UNTIL)
    return World(past, {"time-without-zone"}, hopeless)


def github_world(folder: Path) -> World:
    write_json(folder / "pulls.json", [pull(1), pull(2, merged="2026-03-03T10:00:00Z"), {"what": "is this"}])
    write_json(
        folder / "deployments.json",
        [*deployment(7, sha(1), "2026-03-02T11:00:00Z"), *deployment(8, sha(2), "2026-03-03T11:00:00Z")],
    )
    hopeless = folder / "elsewhere.json"
    hopeless.write_text("<html>")
    past = GithubPast((folder / "pulls.json", folder / "deployments.json"), "shop")
    return World(past, {"unknown-item"}, GithubPast((hopeless,), "shop"))


WORLDS: dict[str, Callable[[Path], World]] = {
    "git": git_world, "table": table_world, "junit": junit_world, "ical": ical_world, "github": github_world,
}  # fmt: skip


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return WORLDS[request.param](tmp_path)


def new_desk() -> Desk:
    log = Log(MemoryStore(), SystemClock(), iter(map(str, range(10**6))).__next__, "/amends/cli")
    return Desk(log, MemoryPeople(), "shop")


def told(past: Past) -> list[Told]:
    return [one for one in open_history(past).read() if isinstance(one, Told)]


def test_the_same_past_gives_the_same_facts_each_under_its_own_key(world: World) -> None:
    facts = told(world.past)
    assert facts
    assert facts == told(world.past)
    keys = [(fact.kind, fact.key) for fact in facts]
    assert len(set(keys)) == len(keys)


def test_what_is_broken_is_named_with_its_place_and_the_rest_is_there(world: World) -> None:
    said = list(open_history(world.past).read())
    faults = [one for one in said if isinstance(one, Fault)]
    assert {fault.fault for fault in faults} == world.faults
    assert all(fault.where and fault.message and fault.remedy for fault in faults)
    assert any(isinstance(one, Told) for one in said)
    assert all(isinstance(one, Told | Fault | Remark) for one in said)


def test_a_past_in_which_nothing_can_be_read_tells_nothing_and_says_so(world: World) -> None:
    if world.hopeless is None:
        pytest.skip("a repository is one, or is refused")
    said = list(open_history(world.hopeless).read())
    assert not [one for one in said if isinstance(one, Told)]
    assert [one for one in said if isinstance(one, Fault)]


def test_importing_again_adds_nothing(world: World) -> None:
    desk = new_desk()
    first = import_history(desk, open_history(world.past))
    size = desk.log.store.last_position()
    second = import_history(desk, open_history(world.past))
    assert size == first.new.total() == second.known.total()
    assert (second.new.total(), second.otherwise.total()) == (0, 0)
    assert desk.log.store.last_position() == size


def test_facts_are_known_when_their_source_says_and_asserted(world: World) -> None:
    desk = new_desk()
    import_history(desk, open_history(world.past))
    by_time = {(fact.at, fact.known_at) for fact in told(world.past)}
    for record in desk.log.store.records():
        assert record.event.imported
        assert (record.occurred_at, record.known_at) in by_time
        assert format_time(record.recorded_at) > record.event.time


def test_no_person_is_named(world: World) -> None:
    desk = new_desk()
    import_history(desk, open_history(world.past))
    text = "".join(str(record.event.data) for record in desk.log.store.records())
    assert "ana" not in text.lower().replace("amends-", "")
    assert "example.com" not in text


class StoppedError(Exception):
    """Stands for the end of the process."""


def test_an_interrupted_import_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amends.application.importing.BATCH", 1)
    desk = new_desk()

    def stop(_: object) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        import_history(desk, open_history(world.past), progress=stop)
    after = import_history(desk, open_history(world.past))
    whole = new_desk()
    import_history(whole, open_history(world.past))
    assert ids(desk) == ids(whole)
    assert after.new.total() + after.known.total() == len(list(ids(whole)))


def ids(desk: Desk) -> list[str]:
    return [record.id for record in desk.log.store.records()]
