"""A checked policy, as it is told."""

from __future__ import annotations

from amends.adapters.policyfile import parse_policy
from amends.cli.policy_texts import Checked, checked_text

POLICY = "service: shop\nteam: shop-team\nenvironments: [production]\ngates:\n  production:\n"
GATE = "    - {tests: {suites: [unit]}, mode: block}\n"


def test_gates_are_counted_as_people_count() -> None:
    one, two = (Checked(parse_policy(POLICY + GATE * many), [], with_log=True) for many in (1, 2))
    assert checked_text(one).endswith("the policy of shop is sound (1 gate)")
    assert checked_text(two).endswith("the policy of shop is sound (2 gates)")
