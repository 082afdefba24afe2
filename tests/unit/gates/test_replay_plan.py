from __future__ import annotations

import pytest

from amends.adapters.policyfile import parse_policy
from amends.errors import PolicyError
from amends.gates.differences import compare_policies

POLICY = "service: shop\nenvironments: [production]\n"


def test_a_pattern_that_is_none_is_told_by_line() -> None:
    with pytest.raises(PolicyError, match="no regular expression") as met:
        parse_policy(POLICY + "replay:\n  replace:\n    - {pattern: '(', with: x}\n")
    assert met.value.where == "amends.yaml:5"


def test_what_a_replay_leaves_aside_shows_when_policies_are_compared() -> None:
    old, new = (parse_policy(POLICY + more).policy for more in ("", "replay: {ignore: [body.total]}\n"))
    assert [one.text for one in compare_policies(old, new)] == ["replay differs in ignore"]
