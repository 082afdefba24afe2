"""A policy held against what the log shows: what nobody does, and what never lasts long enough."""

from __future__ import annotations

from typing import Any

import pytest

from amends.gates.practice import Arrival, Practice, practice_findings
from amends.gates.soundness import Weight
from tests.unit.gates.record import policy

DAY = 86400.0
SOAK = {"soak": {"environment": "staging", "for": "7d"}}


def train(every: float, count: int = 6) -> tuple[Arrival, ...]:
    return tuple(Arrival(number * every, f"1.{number}") for number in range(count))


def seen(**fields: Any) -> Practice:
    places = {name: train(10 * DAY) for name in ("dev", "staging", "production")}
    return Practice(
        until=1000 * DAY,
        **{"arrivals": places, "traffic": frozenset({"staging"}), "suites": frozenset({"unit"}), **fields},
    )


def told(entry: Any, practice: Practice) -> list[tuple[Weight, tuple[Any, ...], str]]:
    return [(f.weight, f.place, f.text) for f in practice_findings(policy(entry), practice)]


def test_what_is_lived_has_no_findings() -> None:
    assert told(SOAK, seen()) == []


def test_a_soak_longer_than_the_release_train_is_found_with_its_numbers() -> None:
    places = {**seen().arrivals, "staging": train(2 * DAY)}
    ((weight, place, text),) = told(SOAK, seen(arrivals=places))
    assert (weight, place) == (Weight.DOUBT, ("gates", "production", 0, "soak", "for"))
    assert "a release stays 2d in staging" in text
    assert "(median of 5), the gate asks for 7d; 0 of 5 stayed long enough" in text


def test_a_few_deployments_are_no_train() -> None:
    places = {**seen().arrivals, "staging": train(2 * DAY, count=3)}
    ((weight, _, text),) = told(SOAK, seen(arrivals=places))
    assert weight is Weight.NOTE
    assert "cannot be told" in text


@pytest.mark.parametrize(("count", "weight"), [(6, Weight.DOUBT), (1, Weight.NOTE)])
def test_an_environment_nobody_deploys_to_is_named_with_what_may_be_meant(count: int, weight: Weight) -> None:
    places = {"dev": train(DAY, count), "staging": (), "prod": train(DAY, count), "production": ()}
    found = [f for f in told({"review": {}}, seen(arrivals=places)) if f[1] == ("environments", 2)]
    ((said, _, text),) = found
    assert said is (Weight.DOUBT if 2 * count >= 5 else weight)
    assert "nobody deploys to production" in text
    assert "prod: is that meant?" in text


def test_an_empty_log_says_nothing_about_environments() -> None:
    assert told({"review": {}}, Practice(until=0.0)) == []


@pytest.mark.parametrize("kind", ["tests", "attestation", "edge_cases", "proofs"])
def test_every_gate_that_names_suites_wants_them_recorded(kind: str) -> None:
    assert [place[3] for _, place, _ in told({kind: {"suites": ["unit", "slow"]}}, seen())] == [kind]


def test_a_suite_that_never_ran_is_named_with_one_that_did() -> None:
    ((weight, place, text),) = told({"tests": {"suites": ["unit", "units"]}}, seen())
    assert (weight, place) == (Weight.DOUBT, ("gates", "production", 0, "tests", "suites", 1))
    assert "did you mean unit?" in text


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (SOAK, {"traffic": frozenset()}),
        ({"sign_off": {"role": "qa"}}, {"roles": frozenset({"ops"})}),
        ({"watchers": {"team": "pay"}}, {"teams": frozenset()}),
    ],
)
def test_gates_whose_evidence_nobody_records_are_found(entry: Any, fields: Any) -> None:
    assert [weight for weight, _, _ in told(entry, seen(**fields))] == [Weight.DOUBT]
    (kind,) = entry
    met = {"traffic": frozenset({"staging"}), "roles": frozenset({"qa"}), "teams": frozenset({"@org/pay"})}
    assert told(entry, seen(**met)) == [], kind


def test_a_soak_of_time_alone_is_doubted() -> None:
    ((weight, place, text),) = told({"soak": {**SOAK["soak"], "min_requests": 0}}, seen(traffic=frozenset()))
    assert (weight, place) == (Weight.DOUBT, ("gates", "production", 0, "soak", "min_requests"))
    assert "nobody used the release in staging" in text
