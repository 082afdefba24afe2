"""Where a gate applies: by tier, by paths and by size, and what is not known makes it apply."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from amends.events import payloads as p
from amends.gates.entry import GateEntry
from tests.unit.gates.record import NOW, decide, declared, fact, policy

TESTS = {"tests": {"suites": ["slow"]}}  # undecided wherever it applies: no suite is recorded here


def change(name: str = "c1", **said: Any) -> Any:
    return fact("change.merged", p.ChangeMerged(service="shop", change=name, **said))


def row(when: dict[str, Any], *facts: Any, tier: str = "client-specific") -> p.GateRow:
    return decide(policy({**TESTS, "when": when}, tier=tier), [declared("c1"), *facts], NOW).rows[1]


@pytest.mark.parametrize(
    ("when", "said", "applies"),
    [
        ({"paths": ["db/**"]}, {"paths": ("db/a/b.sql",)}, True),
        ({"paths": ["db/**"]}, {"paths": ("src/db/b.sql",)}, False),
        ({"paths": ["*.sql"]}, {"paths": ("src/db/b.sql",)}, True),
        ({"paths": ["docs/"]}, {"paths": ("docs/a.md", "src/a.py")}, True),
        ({"paths": ["a b/*"]}, {"paths": ("a b/c",)}, True),
        ({"lines_over": 500}, {"lines": 500}, False),
        ({"lines_over": 500}, {"lines": 501}, True),
        ({"files_over": 1}, {"files": 1}, False),
        ({"files_over": 1}, {"paths": ("a", "b")}, True),
        ({"files_over": 2}, {"paths": ("a", "b")}, False),
        ({"paths": ["db/**"], "lines_over": 500}, {"paths": ("src/a",), "lines": 900}, True),
        ({"paths": ["db/**"], "lines_over": 500}, {"paths": ("src/a",), "lines": 9}, False),
    ],
)
def test_it_applies_to_changes_that_touch_paths_or_are_large(
    when: dict[str, Any], said: dict[str, Any], applies: bool
) -> None:
    found = row(when, change(**said))
    assert found.applies is applies
    assert found.decision == ("undecided" if applies else "pass")


@pytest.mark.parametrize("when", [{"paths": ["db/**"]}, {"lines_over": 500}, {"files_over": 2}])
def test_what_nobody_recorded_of_a_change_makes_it_apply(when: dict[str, Any]) -> None:
    assert row(when, change()).applies
    assert row(when).applies


def test_a_release_without_changes_is_not_known_to_be_harmless() -> None:
    gate = policy({**TESTS, "when": {"paths": ["db/**"]}})
    assert decide(gate, [declared()], NOW).rows[1].applies
    assert decide(gate, [], NOW).rows[1].applies


def test_one_such_change_among_many_is_enough() -> None:
    facts = [declared("c1", "c2"), change(paths=("src/a",)), change("c2", paths=("db/a",))]
    gate = policy({**TESTS, "when": {"paths": ["db/**"]}})
    assert decide(gate, facts, NOW).rows[1].applies
    assert not decide(gate, [*facts[:2], change("c2", paths=("src/b",))], NOW).rows[1].applies


def test_a_change_that_nobody_dated_may_be_another_than_it_seems() -> None:
    facts = [
        declared("c1"), change(lines=3),
        fact("change.merged", p.ChangeMerged(service="shop", change="c1", lines=9), known=None),
    ]  # fmt: skip
    assert decide(policy({**TESTS, "when": {"lines_over": 500}}), facts, NOW).rows[1].applies


def test_a_gate_of_another_tier_passes_and_says_so() -> None:
    found = row({"tiers": ["system-wide"]})
    assert (found.decision, found.applies) == ("pass", False)
    assert found.reason == ("does not apply: it is for system-wide services, and this one is client-specific")
    assert row({"tiers": ["system-wide"]}, tier="system-wide").decision == "undecided"


def test_tiers_and_changes_must_both_fit() -> None:
    when = {"tiers": ["system-wide"], "paths": ["db/**"]}
    risky, harmless = change(paths=("db/a",)), change(paths=("a",))
    assert not row(when, risky).applies
    assert row(when, risky, tier="system-wide").applies
    assert not row(when, harmless, tier="system-wide").applies


def test_where_it_does_not_apply_it_cites_the_changes_it_looked_at() -> None:
    found = row({"paths": ["db/**", "*.sql"], "lines_over": 9}, change(paths=("a",), lines=2))
    assert found.reason == (
        "does not apply: no change of this release touches db/** or *.sql or has more than 9 lines"
    )
    assert len(found.events) == 1


@pytest.mark.parametrize(
    "when",
    [{}, {"paths": ["!db"]}, {"paths": ["/"]}, {"paths": ["a[b"]}, {"lines_over": -1}, {"path": ["a"]}],
)
def test_what_says_nothing_or_nonsense_is_refused(when: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateEntry.model_validate({**TESTS, "when": when})


def test_owner_and_reason_stand_in_the_record() -> None:
    gate = policy({**TESTS, "owner": "payments", "because": "added after INC-7"})
    found = decide(gate, [], NOW).rows[1]
    assert (found.owner, found.because) == ("payments", "added after INC-7")
