"""States of an amendment, the rules of proof, and the price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amends.amendments.amendment import AmendmentState, may_move
from amends.amendments.rules import GateAnswer, judge_gate, judge_test, price_of
from amends.amendments.selector import parse_selector
from amends.application.amending import (
    Proposal,
    accept_risk,
    lapse,
    list_amendments,
    plan_activation,
    propose,
    record_activation,
    require_amendment,
)
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.prevention.signature import describe
from amends.verdicts import Decision
from tests.escapes import SIGNATURE, Escape, escape, minutes

AT = datetime(2026, 3, 2, tzinfo=UTC)
GATE = {"tests": {"suites": ["regression"]}, "mode": "block"}


@pytest.fixture
def told() -> Iterator[Escape]:
    with escape() as told:
        told.live_through()
        yield told


def runs(
    bad: str, good: str = "ggg", *, matches: bool = True, found: p.Signature = SIGNATURE
) -> list[p.ProofRun]:
    """Make runs from letters: r(ed), g(reen), u(ntestable)."""
    words: Any = {"r": "red", "g": "green", "u": "untestable"}
    return [
        p.ProofRun(
            amendment="AM-1", incident="INC-1", service="shop", on=on, release="1", commit="c", attempt=1,  # type: ignore[arg-type]
            outcome=words[letter], signature=found if letter == "r" else p.Signature(), matches=matches,
            note="no dependency" if letter == "u" else "",
        )
        for on, letters in (("bad", bad), ("good", good))
        for letter in letters
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "good", "kind", "words"),
    [
        ("rrr", "ggg", "proven", "3 of 3"),
        ("rrg", "ggg", "disproven", "flaky"),
        ("ggg", "ggg", "disproven", "does not catch it"),
        ("rrr", "grg", "disproven", "Not green on the fix"),
        ("rru", "ggg", "unreplayable", "no dependency"),
        ("rrr", "ggu", "unreplayable", "on the fix"),
        ("rrr", "gg", "unreplayable", "not complete"),
        ("", "", "unreplayable", "not complete"),
    ],
)
def test_only_three_red_and_three_green_prove_a_test(bad: str, good: str, kind: str, words: str) -> None:
    judged = judge_test(runs(bad, good), SIGNATURE, describe)
    assert judged.kind == f"amendment.{kind}"
    assert words in judged.reason


def test_another_signature_disproves_and_is_named() -> None:
    other = p.Signature(exception="ImportError", frame="tests/test_x.py:test_x")
    judged = judge_test(runs("rrr", matches=False, found=other), SIGNATURE, describe)
    assert judged.kind == "amendment.disproven"
    assert "ImportError in tests/test_x.py:test_x" in judged.reason


def test_reds_that_differ_among_themselves_are_no_proof() -> None:
    mixed = [*runs("rr", ""), *runs("r", found=p.Signature(exception="KeyError"))]
    assert "different reasons" in judge_test(mixed, p.Signature(), describe).reason


@pytest.mark.parametrize(
    ("recorded", "produced", "kind"),
    [
        ("block", None, "proven"), ("pass", None, "disproven"), ("undecided", None, "unreplayable"),
        ("error", None, "unreplayable"), ("undecided", "block", "proven"), ("undecided", "pass", "disproven"),
        ("undecided", "undecided", "unreplayable"), ("undecided", "error", "unreplayable"),
        ("pass", "block", "disproven"),
    ],
)  # fmt: skip
def test_only_a_block_proves_a_gate(recorded: str, produced: str | None, kind: str) -> None:
    later = GateAnswer(Decision(produced), "later") if produced else None
    assert judge_gate(GateAnswer(Decision(recorded), "then"), later).kind == f"amendment.{kind}"


def test_the_price_tells_held_from_unknown_and_adds_only_known_times() -> None:
    def priced(name: str, decision: Any, seconds: float | None) -> p.PricedRelease:
        return p.PricedRelease(release=name, at=AT, decision=decision, seconds=seconds)

    rows = [priced("1", "pass", 0.0), priced("2", "undecided", 60.0), priced("3", "undecided", None)]
    price = price_of(rows)
    assert (price.held, price.undecided, price.held_seconds) == (("2",), ("3",), 60.0)
    assert price_of([*rows, priced("4", "block", None)]).held_seconds is None


def test_every_state_leads_only_where_it_may() -> None:
    assert may_move(AmendmentState.PROVEN, "amendment.activated")
    for state in AmendmentState:
        if state is not AmendmentState.PROVEN:
            assert not may_move(state, "amendment.activated")
        assert may_move(state, "amendment.lapsed") is (state is AmendmentState.ACTIVE)
    assert may_move(AmendmentState.LAPSED, "amendment.proven")
    assert not may_move(AmendmentState.ACCEPTED_RISK, "amendment.proven")


def judged(told: Escape, amendment: str, kind: str) -> None:
    told.tell(
        f"amendment.{kind}",
        p.AmendmentJudged(amendment=amendment, incident="INC-1", service="shop", reason="as it was"),
    )


def test_a_gate_is_shown_as_a_diff_then_active_then_lapsed_then_proven_anew(told: Escape) -> None:
    found = propose(told.log, "INC-1", Proposal("gate", gate=GATE))
    judged(told, found.id, "proven")

    def add(text: str, environment: str, entry: Any, because: str) -> str:
        return f"{text}# {environment}: {sorted(entry)} {because}\n"

    planned = plan_activation(told.log, found.id, policy_text="service: shop\n", add_gate=add)
    assert "+# production: ['mode', 'tests'] added after INC-1, proven by AM-1" in planned.diff
    assert require_amendment(told.log, found.id).state is AmendmentState.PROVEN
    record_activation(told.log, planned, policy="digest")
    lapse(told.log, found.id, reason="the suite was deleted")
    assert require_amendment(told.log, found.id).state is AmendmentState.LAPSED
    judged(told, found.id, "proven")
    assert require_amendment(told.log, found.id).state is AmendmentState.PROVEN


def test_an_accepted_risk_has_a_reason_a_role_and_an_end(told: Escape) -> None:
    found = propose(told.log, "INC-1", Proposal("test", selector="pytest tests/test_x.py::test_x"))
    soon = told.clock.now() + minutes(60)
    with pytest.raises(UsageError, match="reason"):
        accept_risk(told.log, found.id, reason=" ", until=soon, role="manager")
    with pytest.raises(UsageError, match="future"):
        accept_risk(told.log, found.id, reason="rare", until=told.clock.now(), role="manager")
    accept_risk(told.log, found.id, reason="rare", until=soon, role="manager")
    assert require_amendment(told.log, found.id).until == soon
    with pytest.raises(NotAllowedError, match="accepted risk"):
        lapse(told.log, found.id, reason="x")


def test_the_expected_signature_is_the_captured_one_unless_stated(told: Escape) -> None:
    told.capture("INC-1")
    found = propose(told.log, "INC-1", Proposal("test", selector="pytest tests/test_x.py::test_x"))
    assert (found.id, found.proposed.signature, found.proposed.bad) == ("AM-1", SIGNATURE, "1.1")
    stated = Proposal("test", selector="pytest x.py", signature=p.Signature(exception="KeyError"))
    assert propose(told.log, "INC-1", stated).proposed.signature.exception == "KeyError"
    assert [a.id for a in list_amendments(told.log, incident="INC-1")] == ["AM-2", "AM-1"]


def test_what_is_no_gate_and_what_is_no_test_is_refused_with_the_reason(told: Escape) -> None:
    with pytest.raises(UsageError, match=r"suites"):
        propose(told.log, "INC-1", Proposal("gate", gate={"tests": {"suites": []}}))
    with pytest.raises(UsageError, match="kinds are"):
        propose(told.log, "INC-1", Proposal("gate", gate={"vibes": {}}))
    with pytest.raises(UsageError, match="which test"):
        propose(told.log, "INC-1", Proposal("test"))
    with pytest.raises(NotFoundError, match="INC-1"):
        propose(told.log, "INC-9", Proposal("test", selector="pytest x.py"))
    with pytest.raises(UsageError, match="proven"):
        list_amendments(told.log, state="done")


def test_a_selector_becomes_a_command_with_its_file() -> None:
    for text in ("pytest tests/test_x.py::test_y -q", "tests/test_x.py::test_y -q"):
        found = parse_selector(text)
        assert found.command[:5] == ("python", "-m", "pytest", "tests/test_x.py::test_y", "-q")
        assert (found.path, found.name, found.pytest) == ("tests/test_x.py", "test_y", True)
    assert parse_selector("make check").path == ""
    with pytest.raises(UsageError, match="cannot be read"):
        parse_selector("pytest 'tests")
