"""Decisions on simulated replies; the longer simulation is in tests/statistics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from amends.gates.replay_plan import Replay
from amends.prevention.replay.judging import FIRST, MORE, Judged, judge
from amends.prevention.replay.notebook import Notebook, Slot, asks_again
from amends.verdicts import Decision

Fields = dict[str, str]
Answers = Callable[[int, bool, np.random.Generator], Fields]


def played(answers: Answers, requests: int = 200, seed: int = 1, recorded: int | None = 200) -> Notebook:
    rng, notebook = np.random.default_rng(seed), Notebook()
    for request in range(requests):
        looks: list[list[Slot]] = []
        for each in (FIRST, MORE):
            arms = rng.permutation([False] * each + [True] * each)
            replies = [(bool(arm), answers(request, bool(arm), rng)) for arm in arms]
            looks.append([Slot(arm, fields, fields["status"]) for arm, fields in replies])
            if not asks_again(looks[0]):
                break
        notebook.add(request, looks, recorded)
    return notebook


def decided(answers: Answers, plan: Replay | None = None, **how: int | None) -> Judged:
    return judge(played(answers, **how), plan or Replay())  # type: ignore[arg-type]


def steady(request: int, candidate: bool, rng: np.random.Generator, /, **more: str) -> Fields:
    return {"status": "200", "body.id": str(request), **more}


def test_equal_replies_pass_and_say_what_would_have_shown() -> None:
    found = decided(steady)
    assert (found.decision, found.differences) == (Decision.PASS, ())
    assert found.detectable == pytest.approx(1 - 0.05 ** (1 / 200))


def test_one_input_of_two_hundred_that_always_differs_blocks() -> None:
    found = decided(lambda r, c, rng: steady(r, c, rng, **{"body.price": '"7"' if c and r == 41 else "7"}))
    [one] = found.differences
    assert found.decision is Decision.BLOCK
    assert (one.field, one.requests, one.of, one.noise, one.way) == ("body.price", (41,), 200, 0.0, "always")
    assert (one.baseline, one.candidate) == ("7", '"7"')
    assert one.p < one.adjusted + 1e-12 < 0.005


def noisy(share: float, more: float = 0.0) -> Answers:
    def answer(r: int, c: bool, rng: np.random.Generator) -> Fields:
        strays = rng.random() < share + more * c
        return steady(r, c, rng, **{"body.stock": str(rng.integers(10**9)) if strays else "5"})

    return answer


def test_noise_that_the_baseline_has_too_is_none_of_the_candidates() -> None:
    found = decided(noisy(0.2))
    assert found.decision is Decision.PASS
    [(path, share)] = found.noisy
    assert path == "body.stock"
    assert share == pytest.approx(0.36, abs=0.06)  # two replies differ unless both have the usual value


def test_noise_that_grows_blocks_unless_it_is_too_little_to_matter() -> None:
    [one] = decided(noisy(0.02, 0.10)).differences
    assert one.way == "at times"
    assert one.strays[1] > one.strays[0]
    assert decided(noisy(0.02, 0.10), Replay(smallest_shift=0.3)).decision is Decision.PASS


def fresh(kind: Callable[[bool, np.random.Generator], str]) -> Answers:
    return lambda r, c, rng: steady(r, c, rng, **{"body.token": kind(c, rng)})


def test_values_that_never_repeat_are_compared_by_their_shape() -> None:
    same = decided(fresh(lambda c, rng: f'"{rng.integers(10**9, 10**10)}"'))
    assert (same.decision, same.opaque) == (Decision.PASS, ("body.token",))
    [one] = decided(
        fresh(lambda c, rng: str(rng.integers(10**9, 10**10)) if c else f'"{rng.integers(10**9)}"')
    ).differences
    assert (one.field, one.way) == ("body.token", "shape")


def test_a_field_that_was_added_may_be_allowed() -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        return steady(r, c, rng, **({"body.new": "1"} if c else {}))

    assert decided(answers).decision is Decision.BLOCK
    assert decided(answers, Replay(added_fields="allow")).decision is Decision.PASS
    assert (
        decided(lambda r, c, rng: answers(r, not c, rng), Replay(added_fields="allow")).decision
        is Decision.BLOCK
    )


def test_few_inputs_are_undecided_and_say_so() -> None:
    found = decided(steady, requests=20)
    assert found.decision is Decision.UNDECIDED
    assert "20 distinct inputs sent, at least 150 wanted" in found.reasons[0]


def test_few_inputs_that_differ_block_all_the_same() -> None:
    found = decided(lambda r, c, rng: {**steady(r, c, rng), "status": "500" if c else "200"}, requests=5)
    assert found.decision is Decision.BLOCK


@pytest.mark.parametrize(
    ("status", "recorded", "says"),
    [
        ("500", 500, "gave 500"),
        ("401", None, "--header"),
        ("429", 429, "--rate"),
        ("no answer", None, "no answer"),
    ],
)
def test_a_baseline_that_answers_nothing_worth_comparing_is_undecided(
    status: str, recorded: int | None, says: str
) -> None:
    found = decided(lambda r, c, rng: {**steady(r, c, rng), "status": status}, recorded=recorded)
    assert (found.decision, found.usable) == (Decision.UNDECIDED, 0)
    assert says in found.reasons[0]


def test_a_refusal_that_production_gave_too_is_worth_comparing() -> None:
    found = decided(lambda r, c, rng: {**steady(r, c, rng), "status": "404"}, recorded=404)
    assert found.decision is Decision.PASS


def test_what_the_candidate_mended_is_told_and_does_not_block() -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        return {**steady(r, c, rng), "status": "500" if r == 3 and not c else "200"}

    found = decided(answers)
    assert (found.decision, found.mended) == (Decision.PASS, (3,))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_failures_that_both_have_at_times_are_noise(share: float) -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        return {**steady(r, c, rng), "status": "503" if rng.random() < share else "200"}

    for seed in range(2):
        assert decided(answers, requests=120, seed=seed).differences == ()


def test_a_candidate_that_mends_some_and_breaks_others_blocks_for_those() -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        return {**steady(r, c, rng), "status": "500" if (r < 9) is not c and (r < 9 or r > 190) else "200"}

    found = decided(answers)
    assert found.mended == tuple(range(9))
    assert {one.requests for one in found.differences} == {tuple(range(191, 200))}


def test_bodies_of_which_nothing_repeats_are_undecided() -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        return {"status": "200", "body~kind": "text", "body.lines[]": str(rng.random())}

    found = decided(answers)
    assert (found.decision, found.usable, found.seen) == (Decision.UNDECIDED, 200, 0)


def test_trouble_keeps_a_replay_from_passing() -> None:
    assert judge(played(steady), Replay(), ["the baseline stopped answering"]).decision is Decision.UNDECIDED


def test_fields_without_end_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amends.prevention.replay.notebook.MOST_FIELDS", 10)
    notebook = played(lambda r, c, rng: steady(r, c, rng, **{f"body.by.{r}": "1" if c else "2"}), requests=30)
    assert len(notebook.present) == 11
    assert "(more fields)" in {one.field for one in judge(notebook, Replay()).differences}


@pytest.mark.parametrize("seed", range(6))
def test_noise_in_bursts_and_of_any_size_raises_no_alarm(seed: int) -> None:
    def answers(r: int, c: bool, rng: np.random.Generator) -> Fields:
        burst = r % 40 < 12
        values = {
            f"body.f{n}": str(rng.integers(4)) if burst and rng.random() < n / 8 else "x" for n in range(8)
        }
        return steady(r, c, rng, **values)

    assert decided(answers, requests=120, seed=seed).differences == ()
