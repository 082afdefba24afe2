"""Proofs on a real git repository: red and green in fresh worktrees, and everything that is no proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.adapters.codehost import GitHost
from amends.adapters.policyfile import parse_policy
from amends.amendments.amendment import Amendment, AmendmentState
from amends.application.amending import Proposal, plan_activation, propose, record_activation
from amends.errors import NotAllowedError, NotFoundError, UsageError
from amends.events import payloads as p
from amends.workflows.bench import Bench, Step
from amends.workflows.prove import prove
from tests.escapes import POLICY, SIGNATURE, TEST, TEST_PATH, Escape, escape, with_history

PYTEST = f"pytest {TEST_PATH}::test_nobody"
PLAIN = f"python {TEST_PATH}"  # the same test as a script: much quicker than pytest
GATE = {"tests": {"suites": ["regression"]}, "mode": "block"}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Escape]:
    with escape() as told:
        with_history(told, tmp_path / "repo")
        yield told


def bench(told: Escape, tmp_path: Path, **more: object) -> Bench:
    assert told.repo is not None
    host = GitHost(told.repo.path, state=tmp_path / "trees")
    return Bench(told.log, host, parse_policy(POLICY), **{"timeout": 60.0, **more})  # type: ignore[arg-type]


def test_amendment(told: Escape, incident: str, **more: object) -> Amendment:
    proposal = {"kind": "test", "selector": PLAIN, "good": "1.2", **more}
    return propose(told.log, incident, Proposal(**proposal))  # type: ignore[arg-type]


test_amendment.__test__ = False  # type: ignore[attr-defined]


def test_a_test_is_proven_red_with_the_signature_and_green_on_the_fix(told: Escape, tmp_path: Path) -> None:
    incident = told.live_through()
    told.capture(incident)
    told.declare("1.2")
    amendment = test_amendment(told, incident, selector=PYTEST)
    assert amendment.proposed.signature == SIGNATURE
    steps: list[Step] = []
    proof = prove(bench(told, tmp_path, report=steps.append), amendment.id)
    assert proof.judgement.proven, proof.judgement.reason
    runs = [run.run for run in proof.amendment.runs]
    assert [(r.on, r.outcome) for r in runs] == [("bad", "red")] * 3 + [("good", "green")] * 3
    assert all(r.matches and "taken from the fix" in r.note for r in runs[:3])
    assert not any(r.note for r in runs[3:])
    assert (steps[-1].done, steps[-1].total) == (6, 6)
    assert not list((tmp_path / "trees").glob("*/*/tree"))
    assert told.repo is not None
    assert told.repo.git("status", "--porcelain") == ""


def refused(told: Escape, tmp_path: Path, text: str, **more: object) -> Amendment:
    """Prove a test with this text, which must fail; return the amendment."""
    incident = told.live_through()
    told.capture(incident)
    amendment = test_amendment(told, incident, selector=PYTEST, test_text=text, **more)
    proof = prove(bench(told, tmp_path, timeout=5.0 if "sleep" in text else 60.0), amendment.id)
    assert not proof.judgement.proven
    return proof.amendment


def test_red_through_an_import_error_is_no_proof(told: Escape, tmp_path: Path) -> None:
    text = "def test_nobody():\n    from shop.price import share_fairly\n    assert share_fairly\n"
    found = refused(told, tmp_path, text)
    assert found.state is AmendmentState.NOT_REPLAYABLE
    assert "ImportError" in found.reason
    assert [run.run.outcome for run in found.runs] == ["untestable"]


def test_a_module_that_cannot_be_collected_is_no_proof(told: Escape, tmp_path: Path) -> None:
    found = refused(told, tmp_path, "import not_installed_here\n\n\ndef test_nobody():\n    pass\n")
    assert found.state is AmendmentState.NOT_REPLAYABLE


def test_red_for_another_reason_is_disproven_with_what_was_seen(told: Escape, tmp_path: Path) -> None:
    text = "from shop.price import share\n\n\ndef test_nobody():\n    assert share(100, [1]) == 99\n"
    found = refused(told, tmp_path, text)
    assert found.state is AmendmentState.DISPROVEN
    assert "AssertionError in tests/regression/test_share.py:test_nobody" in found.reason
    assert "ZeroDivisionError" in found.reason


def test_green_on_the_escaped_release_does_not_catch_it(told: Escape, tmp_path: Path) -> None:
    found = refused(told, tmp_path, TEST.replace("[]", "[1]"))
    assert found.state is AmendmentState.DISPROVEN
    assert "does not catch it" in found.reason


def test_two_of_three_is_flaky(told: Escape, tmp_path: Path) -> None:
    counter = tmp_path / "count"
    text = (
        "import pathlib\nfrom shop.price import share\n\n\ndef test_nobody():\n"
        f"    place = pathlib.Path({str(counter)!r})\n"
        "    seen = int(place.read_text()) if place.exists() else 0\n"
        "    place.write_text(str(seen + 1))\n"
        "    assert share(100, [] if seen != 1 else [1]) == 100\n"
    )
    found = refused(told, tmp_path, text)
    assert found.state is AmendmentState.DISPROVEN
    assert "flaky: red on the escaped release in 2 of 3" in found.reason


def test_a_skipped_test_is_not_green(told: Escape, tmp_path: Path) -> None:
    text = "import pytest\n\n\n@pytest.mark.skip\ndef test_nobody():\n    pass\n"
    assert refused(told, tmp_path, text).state is AmendmentState.NOT_REPLAYABLE


def test_a_test_that_hangs_is_untestable(told: Escape, tmp_path: Path) -> None:
    found = refused(told, tmp_path, "import time\n\n\ndef test_nobody():\n    time.sleep(600)\n")
    assert found.state is AmendmentState.NOT_REPLAYABLE
    assert "did not end within 5 s" in found.reason


def test_a_command_that_does_not_exist_is_untestable(told: Escape, tmp_path: Path) -> None:
    incident = told.live_through()
    amendment = test_amendment(told, incident, selector="no-such-runner --all")
    proof = prove(bench(told, tmp_path), amendment.id)
    assert proof.amendment.state is AmendmentState.NOT_REPLAYABLE
    assert "not found" in proof.judgement.reason


def test_a_test_that_nobody_has_is_an_error_that_names_it(told: Escape, tmp_path: Path) -> None:
    amendment = test_amendment(told, told.live_through(), selector="pytest tests/test_nowhere.py::test_x")
    with pytest.raises(NotFoundError, match=r"tests/test_nowhere\.py"):
        prove(bench(told, tmp_path), amendment.id)


def test_without_a_recorded_signature_the_tests_own_assertion_is_the_oracle(
    told: Escape, tmp_path: Path
) -> None:
    incident = told.live_through()
    text = TEST.replace("share(100, [])", "share(7, [], ())")
    wrong = test_amendment(told, incident, test_text=text)
    proof = prove(bench(told, tmp_path), wrong.id)
    assert proof.amendment.state is AmendmentState.DISPROVEN
    assert "TypeError" in proof.judgement.reason
    right = test_amendment(told, incident)
    proof = prove(bench(told, tmp_path), right.id)
    assert proof.judgement.kind == "unconfirmed"
    assert (proof.judgement.seen, proof.amendment.state) == (SIGNATURE, AmendmentState.PROPOSED)
    with pytest.raises(UsageError, match="names who"):
        prove(bench(told, tmp_path), right.id, confirm=SIGNATURE)
    other = p.Signature(exception="KeyError")
    assert not prove(bench(told, tmp_path), right.id, confirm=other, role="on-call").judgement.proven
    proof = prove(bench(told, tmp_path), right.id, confirm=SIGNATURE, role="on-call")
    assert proof.amendment.state is AmendmentState.PROVEN
    assert "confirmed by on-call" in proof.amendment.reason


def test_a_fix_that_is_the_escaped_commit_is_refused_before_any_run(told: Escape, tmp_path: Path) -> None:
    amendment = test_amendment(told, told.live_through(), good="v1.1")
    with pytest.raises(UsageError, match=r"the fix v1\.1 is the escaped release 1\.1"):
        prove(bench(told, tmp_path), amendment.id)
    assert not told.log.facts(kinds=("proof.run",))


def test_a_gate_without_evidence_then_is_proven_with_evidence_produced_later(
    told: Escape, tmp_path: Path
) -> None:
    incident = told.live_through()
    told.capture(incident)
    told.declare("1.2")
    guard = test_amendment(told, incident)
    prove(bench(told, tmp_path), guard.id)
    gate = propose(told.log, incident, Proposal("gate", gate=GATE, good="1.2"))
    proof = prove(bench(told, tmp_path), gate.id)
    assert proof.judgement.proven, proof.judgement.reason
    assert "evidence produced later" in proof.judgement.reason
    assert "regression did not run" in proof.judgement.reason
    runs = [run.run for run in proof.amendment.runs]
    assert [(r.on, r.release, r.outcome) for r in runs] == [
        ("bad", "1.1", "red"), ("bad", "1.1", "red"), ("bad", "1.1", "red"),
        ("good", "1.2", "green"), ("past", "1.0", "green"),
    ]  # fmt: skip
    assert all(r.produced_later for r in runs)
    # What was produced later is in the proof alone: no suite run stands in the log.
    suites = [f.payload for f in told.log.facts(kinds=["testsuiterun.finished"])]
    assert {s.suite for s in suites if isinstance(s, p.SuiteFinished)} == {"unit"}
    assert proof.price is not None
    assert [(r.release, r.decision, r.seconds) for r in proof.price.releases] == [("1.0", "pass", 0.0)]


def test_a_gate_that_no_test_stands_for_is_not_replayable(told: Escape, tmp_path: Path) -> None:
    gate = propose(told.log, told.live_through(), Proposal("gate", gate=GATE))
    proof = prove(bench(told, tmp_path), gate.id)
    assert proof.amendment.state is AmendmentState.NOT_REPLAYABLE
    assert "no test stands for suite regression" in proof.judgement.reason
    assert proof.price is not None
    assert proof.price.undecided == ("1.0",)


def test_a_gate_that_would_let_it_pass_is_disproven(told: Escape, tmp_path: Path) -> None:
    gate = propose(told.log, told.live_through(), Proposal("gate", gate={"tests": {"suites": ["unit"]}}))
    proof = prove(bench(told, tmp_path), gate.id)
    assert proof.amendment.state is AmendmentState.DISPROVEN
    assert not proof.runs


def test_a_gate_proven_on_recorded_evidence_shows_its_price(told: Escape, tmp_path: Path) -> None:
    """1.0 was approved by nobody, too: the gate would have held up a good release."""
    for version in ("1.0", "1.1"):
        told.tell(
            "change.merged", p.ChangeMerged(service="shop", change=f"change-{version}", author="person-1")
        )
        told.declare(version, changes=(f"change-{version}",))
    incident = told.live_through()
    gate = propose(told.log, incident, Proposal("gate", gate={"review": {"approvals": 1}}))
    proof = prove(bench(told, tmp_path), gate.id)
    assert proof.judgement.proven, proof.judgement.reason
    assert "recorded then" in proof.judgement.reason
    assert proof.price is not None
    assert proof.price.held == ("1.0",)
    assert proof.price.held_seconds is None
    # Its own incident has no say in what it is worth, and there is no other.
    assert (proof.price.incidents, proof.price.stopped, proof.price.verdict) == (0, (), "no evidence")


def test_only_what_is_proven_becomes_active_and_only_once(told: Escape, tmp_path: Path) -> None:
    incident = told.live_through()
    told.capture(incident)
    amendment = test_amendment(told, incident)
    desk = bench(told, tmp_path)
    with pytest.raises(NotAllowedError, match="proposed"):
        plan_activation(told.log, amendment.id, host=desk.host)
    prove(desk, amendment.id)
    planned = plan_activation(told.log, amendment.id, host=desk.host)
    assert planned.diff == ""
    record_activation(told.log, planned)
    with pytest.raises(NotAllowedError, match="active"):
        prove(desk, amendment.id)
