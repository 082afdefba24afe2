"""The gates watch and replay."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.unit.gates.record import HOUR, NOW, RELEASE, ask, declared, finished, policy, replayed

WATCH = {"watch": {"environment": "staging"}}


@pytest.mark.parametrize(
    ("outcome", "watch", "decision", "said"),
    [
        ("promoted", "passed", "pass", "1.2.0 was promoted by its watch in staging"),
        ("promoted", "inconclusive", "undecided", "although its watch was inconclusive"),
        ("promoted", "none", "undecided", "without a watch"),
        ("promoted", "", "undecided", "nobody recorded whether it was watched"),
        ("rolled_back", "", "block", "was rolled back in staging"),
        ("failed", "", "error", "failed to start"),
        ("aborted", "", "undecided", "was aborted"),
    ],
)
def test_only_a_promotion_that_a_watch_stands_behind_passes(
    outcome: str, watch: str, decision: str, said: str
) -> None:
    row = ask(WATCH, declared(), finished(outcome, watch, id="end"))
    assert (row.decision, row.events) == (decision, ("end",))
    assert said in row.reason


def test_no_deployment_of_its_own_there_is_undecided() -> None:
    others = (finished(release="1.3.0"), finished(environment="dev"), finished("refused", ""))
    row = ask(WATCH, declared(), *others)
    assert (row.decision, row.events) == ("undecided", ())
    assert "no deployment of 1.2.0 to staging has ended" in row.reason


def test_the_last_deployment_that_began_counts() -> None:
    record = (declared(), finished(at=NOW - 9 * HOUR), finished("rolled_back", "", at=NOW - 5 * HOUR),
              finished("refused", "", at=NOW - 3 * HOUR))  # fmt: skip
    assert ask(WATCH, *record).decision == "block"
    assert ask(WATCH, *record, at=NOW - 6 * HOUR).decision == "pass"
    later = finished(release=RELEASE.commit, at=NOW - HOUR)
    assert ask(WATCH, *record, later).decision == "pass"


def test_a_watch_of_the_environment_itself_never_comes_first() -> None:
    with pytest.raises(ValidationError, match="is watched in production only after it was let into"):
        policy({"watch": {"environment": "production"}})


@pytest.mark.parametrize("decision", ["pass", "block", "undecided", "error"])
def test_what_the_last_replay_decided_counts_as_it_is(decision: str) -> None:
    first = replayed("pass" if decision != "pass" else "block", at=NOW - 9 * HOUR)
    row = ask({"replay": {}}, declared(), first, replayed(decision, differences=2, id="last"))
    assert (row.decision, row.events) == (decision, ("last",))
    assert "had 300 recorded requests replayed, 2 with a reply that should not differ" in row.reason


def test_no_replay_is_undecided() -> None:
    row = ask({"replay": {}}, declared(), finished())
    assert (row.decision, row.reason) == (
        "undecided",
        "nothing was replayed to 1.2.0 yet; required: a replay of recorded requests that passes",
    )
