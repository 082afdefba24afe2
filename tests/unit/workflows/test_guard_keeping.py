"""Active guards are looked at by themselves; what was lost is reopened, what cannot be read is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from amends.adapters.codehost import GitHost
from amends.amendments.amendment import AmendmentState
from amends.application.amending import Proposal, propose, require_amendment
from amends.application.holding import last_checks
from amends.application.reminding import read_reminders
from amends.events import payloads as p
from amends.workflows.holding import GRACE, LOOK, GuardKeeper
from tests.escapes import TEST, TEST_PATH, Escape, escape, with_history
from tests.repositories import Repo

DAY = timedelta(days=1)


@dataclass
class Guarded:
    told: Escape
    repo: Repo
    amendment: str

    def keeper(self, *, checkout: bool = True) -> GuardKeeper:
        host = GitHost(self.repo.path) if checkout else None
        return GuardKeeper(self.told.log, lambda _: host, dict, DAY)

    def looks(self) -> int:
        return len(self.told.log.facts(kinds=("guards.checked",)))

    @property
    def state(self) -> AmendmentState:
        return require_amendment(self.told.log, self.amendment).state

    def holding(self) -> str:
        return last_checks(self.told.log)[self.amendment].holding


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with escape() as told:
        repo = with_history(told, tmp_path / "repo")
        incident = told.live_through()
        name = propose(
            told.log,
            incident,
            Proposal("test", selector=f"pytest {TEST_PATH}::test_nobody", team="shop-team"),
        ).id
        about = {"amendment": name, "incident": incident, "service": "shop"}
        told.tell("amendment.proven", p.AmendmentJudged(**about, reason="red, then green"))
        told.tell("amendment.activated", p.AmendmentMoved(**about, guard=TEST))
        yield Guarded(told, repo, name)


def test_a_guard_is_looked_at_daily_and_when_the_head_moves_and_a_lost_one_reopens(
    guarded: Guarded,
) -> None:
    keeper = guarded.keeper()
    for _ in range(3):
        assert keeper.run().due == guarded.told.clock.now() + LOOK
    assert (guarded.looks(), guarded.holding(), guarded.state) == (1, "holds", AmendmentState.ACTIVE)
    guarded.told.clock.wait(DAY.total_seconds())
    keeper.run()
    assert guarded.looks() == 2
    guarded.repo.commit(
        "Tidy up",
        **{TEST_PATH.replace("/", "__"): TEST.replace("assert share(100, []) == 100", "share(100, [])")},
    )
    assert "reopened AM-1" in keeper.run().did
    assert (guarded.looks(), guarded.state) == (3, AmendmentState.LAPSED)
    [asks] = [one.asking for one in read_reminders(guarded.told.log) if one.asking.why == "lapsed"]
    assert (asks.owner, "weakened" in asks.text) == ("shop-team", True)
    assert keeper.run().did == ""


def test_several_workers_look_once_and_another_ones_older_checkout_moves_nothing(
    guarded: Guarded, tmp_path: Path
) -> None:
    first, second = guarded.keeper(), guarded.keeper()
    first.run()
    second.run()
    assert guarded.looks() == 1
    guarded.repo.git("clone", "-q", ".", str(tmp_path / "clone"))
    older = Repo.__new__(Repo)
    older.path = tmp_path / "clone"
    older.git("checkout", "-q", "v1.1")  # the test came later
    behind = GuardKeeper(guarded.told.log, lambda _: GitHost(older.path), dict, DAY)
    for _ in range(3):
        behind.run()
        first.run()
    assert (guarded.looks(), guarded.holding()) == (1, "holds")
    guarded.told.clock.wait((DAY + GRACE).total_seconds())
    behind.run()  # nobody else did
    assert (guarded.state, guarded.holding()) == (AmendmentState.ACTIVE, "unknown")
    first.run()
    assert guarded.holding() == "holds"


def test_without_a_checkout_nothing_is_said_to_hold(guarded: Guarded) -> None:
    keeper = guarded.keeper(checkout=False)
    keeper.run()
    assert guarded.looks() == 0  # left to a process that may have it
    guarded.told.clock.wait(GRACE.total_seconds())
    keeper.run()
    check = last_checks(guarded.told.log)[guarded.amendment]
    assert (check.holding, check.revision) == ("unknown", "")
    guarded.keeper().run()
    assert guarded.holding() == "holds"
