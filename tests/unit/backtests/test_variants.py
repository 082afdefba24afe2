"""Variants of a policy, from what people write on the command line."""

from __future__ import annotations

import pytest

from amends.adapters.policyfile import parse_policy
from amends.backtests.variants import parse_variation, usual_variations, variants
from amends.errors import UsageError

POLICY = parse_policy("""
service: shop
environments: [staging, production]
gates:
  production:
    - review: {approvals: 2}
      mode: block
      because: added after INC-7
    - soak: {environment: staging, for: 2d, min_requests: 50}
    - window: {days: [mon..thu]}
""").policy


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("review.approvals=1..3", ("1", "2", "3")),
        ("soak.for=1d..3d", ("1d", "2d", "3d")),
        ("soak.for=12h..2d/12h", ("12h", "1d", "1d12h", "2d")),
        ("soak.for=1d,1w", ("1d", "1w")),
        ("window.days=mon..thu,mon..sun", ("mon..thu", "mon..sun")),
    ],
)
def test_values_are_read_as_people_write_them(text: str, values: tuple[str, ...]) -> None:
    assert parse_variation(text).values == values


@pytest.mark.parametrize("text", ["review", "review.approvals", "review.approvals=", "review.approvals=3..1"])
def test_what_is_no_variation_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_variation(text)


def test_a_variant_keeps_everything_else_and_the_policy_itself_comes_first() -> None:
    found = variants(POLICY, "production", [parse_variation("review.approvals=1..3")])
    assert [one.label for one in found] == ["as it is", "review.approvals 1", "review.approvals 3"]
    assert [one.current for one in found] == [True, False, False]
    entry = found[2].policy.gates["production"][0]
    assert (entry.review and entry.review.approvals, entry.mode, entry.because) == (
        3,
        "block",
        "added after INC-7",
    )
    assert found[2].policy.gates["production"][1:] == POLICY.gates["production"][1:]


def test_parameters_combine() -> None:
    chosen = [parse_variation("soak.for=1d..2d"), parse_variation("window.days=mon..thu,mon..fri")]
    found = variants(POLICY, "production", chosen)
    assert len(found) == 4  # two by two, one of which is the policy as it is
    soaks = {one.policy.gates["production"][1].soak for one in found}
    assert {soak.seconds for soak in soaks if soak} == {86400.0, 172800.0}
    assert {soak.min_requests for soak in soaks if soak} == {50}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests.suites=unit", "no gate 'tests'"),
        ("review.speed=1", "no parameter 'speed'"),
        ("review.approvals=0", "cannot be '0'"),
        ("review.approvals=1..500", "too many steps"),
    ],
)
def test_what_does_not_fit_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        variants(POLICY, "production", [parse_variation(text)])


def test_soaks_and_approvals_are_varied_when_nobody_says() -> None:
    found = {one.name: len(one.values) for one in usual_variations(POLICY, "production")}
    assert found == {"review.approvals": 3, "soak.for": 14}
    with pytest.raises(UsageError, match="nothing usual"):
        usual_variations(POLICY, "staging")
