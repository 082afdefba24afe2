import math

import pytest

from amends.stats.restarts import FIRST_STAKE, next_stake, restarted_evidence

STEPS = [0.02, 7.0, 0.5, 30.0]  # each step's e-value at its end


def stake(until: int) -> float:
    found = FIRST_STAKE
    for step in range(1, until):
        found = next_stake(found, math.log(STEPS[step - 1]), step)
    return found


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_it_is_the_weighted_mean_of_the_watch_and_all_restarts(step: int) -> None:
    """Each restart written out: from its step on, the product of the steps' e-values; 1 before it begins."""
    whole = 0.3
    restarts = sum(2.0 ** -(k + 1) * math.prod(STEPS[k - 1 : step]) for k in range(1, step + 1))
    expected = whole / 2 + restarts + sum(2.0 ** -(k + 1) for k in range(step + 1, 60))
    found = restarted_evidence(math.log(whole), math.log(STEPS[step - 1]), stake(step), step)
    assert math.exp(found) == pytest.approx(expected)


def test_it_begins_at_one() -> None:
    assert restarted_evidence(0.0, 0.0, FIRST_STAKE, 1) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("step", [2, 3])
def test_a_step_costs_its_weight_whatever_came_before(step: int) -> None:
    """Ten thousand nats against harm in the steps before leave the step's own evidence whole."""
    before = FIRST_STAKE
    for k in range(1, step):
        before = next_stake(before, -10_000.0, k)
    assert restarted_evidence(-10_000.0, 50.0, before, step) == pytest.approx(50 - (step + 1) * math.log(2))
