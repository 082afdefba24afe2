"""The exact tests of a randomised comparison, against counting every way of dealing out the labels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from amends.stats import randomised
from amends.stats.randomised import (
    Chance,
    Counts,
    apart_test,
    detectable_share,
    is_apart,
    line_of,
    shift_test,
    tells,
    usual_of,
)

BLOCKS: list[list[str]] = [list("aabb"), list("aaab"), list("aabc"), list("abbbbb")]


def dealt(values: list[str], mine: tuple[int, ...]) -> Counts:
    names = list(dict.fromkeys(values))
    return tuple(
        (sum(v == n and i not in mine for i, v in enumerate(values)),
         sum(v == n and i in mine for i, v in enumerate(values)))
        for n in names
    )  # fmt: skip


def all_dealings(blocks: list[list[str]]) -> list[list[Counts]]:
    ways = [[dealt(b, mine) for mine in itertools.combinations(range(len(b)), len(b) // 2)] for b in blocks]
    return [list(one) for one in itertools.product(*ways)]


@pytest.mark.parametrize("blocks", [BLOCKS[:3], BLOCKS[1:], [BLOCKS[0], BLOCKS[0], BLOCKS[2]]])
def test_p_values_are_the_shares_of_dealings_that_are_as_extreme(blocks: list[list[str]]) -> None:
    every = all_dealings(blocks)
    for test in (apart_test, shift_test):
        found = [test(one) for one in every]
        shares = {t.p: np.mean([other.p <= t.p + 1e-12 for other in found]) for t in found}
        # Valid: a p-value of at most p comes up in at most a share p of the dealings.
        assert all(share <= p + 1e-9 for p, share in shares.items())
        assert min(t.p for t in found) >= found[0].least - 1e-12
    apart = [apart_test(one).p for one in every]
    exact = np.mean([all(is_apart(block) for block in one) for one in every])
    if exact:
        assert min(apart) == pytest.approx(exact)


def test_what_says_nothing_is_left_out() -> None:
    equal, different = ((3, 3),), ((1, 0), (0, 1), (1, 0), (0, 1))
    assert not tells(equal)
    assert not tells(different)
    assert apart_test([equal, different]) == shift_test([equal, different]) == Chance()


def test_one_input_that_always_differs_is_a_proof() -> None:
    assert apart_test([((3, 0), (0, 3)), ((8, 0), (0, 8))]).p == pytest.approx(0.1 * 2 / math.comb(16, 8))


def test_noise_that_grows_or_shrinks_is_a_shift_and_equal_noise_is_none() -> None:
    more = [((3, 2), (0, 1))] * 30
    less = [((2, 3), (1, 0))] * 30
    assert shift_test(more).p < 1e-6
    assert shift_test(less).p < 1e-6
    assert shift_test(more + less).p > 0.9
    assert usual_of(((1, 0), (1, 2), (1, 1))) == 1


def test_the_bound_for_long_sums_only_overstates() -> None:
    laws = [randomised._two_points(0.1, 7)] * 60
    for seen in (42, 84, 140, 420):
        exact = randomised._upper_tail(laws, seen)
        assert exact * 0.999 <= randomised._chernoff(laws, seen) <= max(1e-12, exact * 60)


def test_tests_that_cannot_reach_the_line_cost_the_others_nothing() -> None:
    can, cannot = Chance(0.5, 1e-9), Chance(1.0, 0.5)
    assert line_of([can] + [cannot] * 1000, 0.01) == pytest.approx(0.01)
    assert line_of([can] * 40, 0.01) == pytest.approx(0.01 / 40)
    assert line_of([], 0.01) == 0.01


def test_fewer_inputs_miss_larger_changes() -> None:
    assert detectable_share(0) == 1.0
    assert detectable_share(149) == pytest.approx(0.02, rel=0.02)
