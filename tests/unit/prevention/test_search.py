"""A search from its runs: what is run next, what counts, and which verdict it comes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amends.events.payloads import Signature
from amends.prevention.search import Question, Run, Try, Verdict, Wait, decide, stand
from amends.prevention.suspicion import weigh

OURS = Signature(exception="ValueError", frame="shop/price.py:share")
OTHER = Signature(exception="TimeoutError", frame="shop/net.py:get")


def question(changes: int = 16, **more: Any) -> Question:
    return Question(tuple((f"f{n}.py",) for n in range(1, changes + 1)), **more)


def played(asked: Question, answer: Callable[[Try, int], Run]) -> tuple[Verdict, list[Run]]:
    """Play a search to its end; ``answer`` is given each step and its number."""
    runs: list[Run] = []
    while True:
        step = decide(asked, runs)
        if isinstance(step, Verdict):
            return step, runs
        assert isinstance(step, Try)
        runs.append(answer(step, len(runs)))


def planted(culprit: int, skipped: tuple[int, ...] = ()) -> Callable[[Try, int], Run]:
    def answer(step: Try, _: int) -> Run:
        if step.revision in skipped:
            return Run(step.revision, "untestable", step.purpose, note="it does not build")
        if step.revision >= culprit:
            return Run(step.revision, "red", step.purpose, (OURS,))
        return Run(step.revision, "green", step.purpose)

    return answer


@pytest.mark.parametrize("culprit", range(1, 17))
def test_a_planted_culprit_is_found_and_its_neighbours_are_tried_again(culprit: int) -> None:
    verdict, runs = played(question(), planted(culprit))
    assert (verdict.kind, verdict.candidates) == ("culprit", (culprit,))
    again = {run.revision for run in runs if run.purpose == "neighbour"}
    assert {culprit - 1, culprit} <= again
    assert len(runs) <= 20


def test_a_single_change_is_not_taken_on_trust() -> None:
    verdict, runs = played(question(1), planted(1))
    assert verdict.kind == "culprit"
    assert {run.outcome for run in runs} == {"red", "green"}


def test_a_change_among_untestable_revisions_is_named_with_them() -> None:
    verdict, runs = played(question(), planted(9, skipped=(8, 9)))
    assert verdict.kind == "undecided"
    assert set(verdict.candidates) == {8, 9, 10}
    assert "cannot be tested" in verdict.reason
    assert sum(run.outcome == "untestable" for run in runs) <= 6


def test_an_untestable_revision_elsewhere_does_no_harm() -> None:
    verdict, _ = played(question(), planted(12, skipped=(0, 4, 5, 8)))
    assert verdict.candidates == (12,)


def test_a_bad_end_that_cannot_be_tried_is_untestable_with_its_reason() -> None:
    verdict, runs = played(question(), planted(3, skipped=(16,)))
    assert verdict.kind == "untestable"
    assert "it does not build" in verdict.reason
    assert len(runs) <= 4


def test_a_bad_end_that_never_fails_convicts_nobody() -> None:
    verdict, runs = played(question(bad_tries=4), planted(99))
    assert verdict.kind == "undecided"
    assert "did not fail in 4 runs" in verdict.reason
    assert len(runs) <= 5


def test_a_failure_that_is_as_old_as_the_good_end_convicts_nobody() -> None:
    verdict, runs = played(question(), planted(0))
    assert len(runs) <= 7
    assert verdict.kind == "undecided"
    assert "the good end fails too" in verdict.reason


def test_failures_here_and_there_are_flaky() -> None:
    def coin(step: Try, number: int) -> Run:
        return Run(step.revision, "red" if number % 2 == 0 else "green", step.purpose, (OURS,))

    verdict, _ = played(question(), coin)
    assert verdict.kind == "flaky"
    assert verdict.probability >= 0.99


def test_a_red_with_another_signature_is_another_bug() -> None:
    def answer(step: Try, number: int) -> Run:
        if step.revision < 4:  # an older bug, mended by change 4
            return Run(step.revision, "red", step.purpose, (OTHER,))
        return planted(11)(step, number)

    assert played(question(), answer)[0].candidates == (11,)
    told, _ = played(question(expected=Signature(exception="ValueError")), answer)
    assert told.candidates == (11,)


def test_a_flake_on_the_bad_end_does_not_pass_for_the_failure() -> None:
    def answer(step: Try, number: int) -> Run:
        if number == 0:
            return Run(step.revision, "red", step.purpose, (OTHER,))
        return planted(5)(step, number)

    verdict, runs = played(question(), answer)
    assert verdict.candidates == (5,)
    assert stand(question(), runs).expected == OURS


def test_every_failure_counts_where_asked() -> None:
    runs = [Run(16, "red", signatures=(OURS,)), Run(8, "red", signatures=(OTHER,)), Run(4, "red")]
    assert stand(question(), runs).other == 2
    assert stand(question(any_failure=True), runs).other == 0


def test_runs_under_way_are_not_asked_again_and_a_verdict_waits_for_them() -> None:
    asked = question(64)
    runs = [Run(64, "red", "ends", (OURS,)), Run(0, "green", "ends")]
    pending: list[Try] = []
    for _ in range(4):
        step = decide(asked, runs, pending)
        assert isinstance(step, Try)
        pending.append(step)
    assert len({one.revision for one in pending}) == 4
    flaky = [Run(64, "untestable", "ends", note="broken")] * 2
    assert isinstance(decide(asked, flaky, pending), Wait)
    assert isinstance(decide(asked, flaky), Verdict)


def test_a_limit_ends_the_search_with_what_is_most_probable() -> None:
    verdict, runs = played(question(64, most_runs=6), planted(40))
    assert (verdict.kind, len(runs)) == ("undecided", 6)
    assert 40 in verdict.candidates
    stopped = decide(question(64), runs, stop="its time is over")
    assert isinstance(stopped, Verdict)
    assert "its time is over" in stopped.reason


def test_suspicion_helps_and_never_rules_out() -> None:
    asked = question(64, suspects=("f40.py",))
    helped, with_prior = played(asked, planted(40))
    assert helped.candidates == (40,)
    assert len(with_prior) < len(played(question(64), planted(40))[1])
    assert played(asked, planted(7))[0].candidates == (7,)


def test_the_files_of_the_failure_are_suspected_unless_told_otherwise() -> None:
    runs = [Run(16, "red", "ends", (OURS,), files=("src/f3.py", "f5.py"))]
    weights = stand(question(), runs).setting.suspicion
    assert weights[2] > weights[4] > weights[0] >= 0.5
    assert len(set(stand(question(use_files=False), runs).setting.suspicion)) == 1


def test_a_folder_may_be_suspected() -> None:
    changes = [("shop/a.py",), ("shopping/b.py",), ("docs/c.md",)]
    first, second, third = weigh(changes, ["./shop/"], [])
    assert first > second == third
    assert weigh(changes, ["nothing"], []) == (1.0, 1.0, 1.0)
