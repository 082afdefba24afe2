"""Importing: ids from keys, first accounts stay, persons and secrets never reach the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from amends.adapters.clocks import SystemClock
from amends.adapters.stores.memory import MemoryPeople, MemoryStore
from amends.application.desk import Desk
from amends.application.history import Fault, Remark, Told
from amends.application.importing import EXAMPLES, ImportSummary, import_history
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import decode

AT = datetime(2026, 3, 2, tzinfo=UTC)


class Past:
    """A past that was made up."""

    source = "/somewhere"

    def __init__(self, *said: Told | Fault | Remark) -> None:
        self._said = said

    def read(self) -> Iterator[Told | Fault | Remark]:
        yield from self._said


@pytest.fixture
def desk() -> Desk:
    numbers = count()
    return Desk(
        Log(MemoryStore(), SystemClock(), lambda: str(next(numbers)), "/amends/cli"), MemoryPeople(), "shop"
    )


def merged(change: str, *, at: datetime = AT, where: str = "t:1", **more: str) -> Told:
    payload = p.ChangeMerged(service="shop", change=change, **more)  # type: ignore[arg-type]
    return Told("change.merged", payload, ("shop", change), at, at, where)


def take(desk: Desk, *said: Told | Fault | Remark) -> ImportSummary:
    return import_history(desk, Past(*said))


def payloads(desk: Desk) -> list[p.ChangeMerged]:
    found = [decode(record).payload for record in desk.log.store.records()]
    return [payload for payload in found if isinstance(payload, p.ChangeMerged)]


def test_the_first_account_stays_and_the_other_is_counted_with_its_place(desk: Desk) -> None:
    take(desk, merged("1", title="first"))
    summary = take(desk, merged("1", title="second", where="t:9"), merged("2"), merged("2", title="again"))
    assert [payload.title for payload in payloads(desk)] == ["first", ""]
    assert (summary.new["change.merged"], summary.otherwise["change.merged"]) == (1, 2)
    assert summary.examples["change.merged"][0] == "t:9"


def test_one_person_is_one_pseudonym_however_written(desk: Desk) -> None:
    logins = ("Ana <ana@x.org>", "ANA@x.org", "@bo", "bo", "", "p-0123456789ab")
    take(desk, *(merged(str(n), author=login) for n, login in enumerate(logins)))
    ana, same, bo, also, nobody, made = [payload.author for payload in payloads(desk)]
    assert ana == same != bo == also
    assert nobody == ""
    assert made == "p-0123456789ab"
    assert desk.people.login(ana) == "ana@x.org"


def test_secrets_and_addresses_are_masked(desk: Desk) -> None:
    take(desk, merged("1", title="ask ana@x.org, password=hunter2, " + "x" * 900))
    [payload] = payloads(desk)
    assert "ana@x.org" not in payload.title
    assert "hunter2" not in payload.title
    assert len(payload.title) < 600


def test_what_is_yet_to_come_is_kept_undated_and_reported(desk: Desk) -> None:
    summary = take(desk, merged("1", at=datetime.now(UTC) + timedelta(days=2)))
    assert summary.faults == {"in-the-future": 1}
    [record] = desk.log.store.records()
    assert record.known_at is None


def test_a_shift_may_be_announced(desk: Desk) -> None:
    starts = datetime.now(UTC) + timedelta(days=2)
    shift = p.ShiftAcknowledged(
        team="t", role="r", person="ana", starts=starts, ends=starts + timedelta(hours=8)
    )
    summary = take(desk, Told("shift.acknowledged", shift, ("t", "1"), starts, starts, "rota"))
    assert not summary.faults


def test_every_fault_is_counted_and_the_first_few_are_shown(desk: Desk) -> None:
    faults = [Fault("broken", f"t:{n}", "it is", "mend it") for n in range(20)]
    summary = take(desk, *faults, Remark("assumed", "much"))
    [told] = summary.to_json()["faults"]
    assert (told["fault"], told["count"], len(told["first"])) == ("broken", 20, EXAMPLES)
    assert summary.to_json()["assumed"] == ["much"]
    assert summary.facts == 0


def test_large_facts_make_small_batches(desk: Desk) -> None:
    paths = tuple(f"src/{n}.py" for n in range(2_000))
    large = [
        Told(
            "change.merged",
            p.ChangeMerged(service="shop", change=str(n), paths=paths),
            (str(n),),
            AT,
            AT,
            "t",
        )
        for n in range(50)
    ]
    seen: list[int] = []
    import_history(desk, Past(*large), progress=lambda summary: seen.append(summary.facts))
    assert seen[-1] == 50
    assert max(b - a for a, b in zip([0, *seen], seen, strict=False)) < 50
