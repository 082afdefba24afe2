"""A guard that was deleted, skipped or weakened since its proof holds no more; the unreadable is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from amends.amendments.holding import judge_gate_now, judge_test_now
from amends.gates.entry import GateEntry

PATH = "tests/test_share.py"
PROVEN = """import pytest
from shop.price import share

def test_nobody():
    answer = share(100, [])
    assert answer == 100
    with pytest.raises(ValueError):
        share(-1, [])
"""
OTHER = "\n\ndef test_other():\n    assert True is True\n"


@pytest.mark.parametrize(
    ("now", "holding"),
    [
        (PROVEN + OTHER, "holds"),
        (PROVEN.replace("    answer", "    # why\n    answer"), "holds"),
        (None, "deleted"),
        (OTHER, "deleted"),
        (PROVEN.replace("def test_nobody", "@pytest.mark.skip\ndef test_nobody"), "skipped"),
        (PROVEN.replace("def test_nobody", "@pytest.mark.xfail(reason='x')\ndef test_nobody"), "skipped"),
        (PROVEN.replace("def test_nobody", "pytestmark = pytest.mark.skip\ndef test_nobody"), "skipped"),
        (PROVEN.replace("    answer", "    pytest.skip('slow')\n    answer"), "skipped"),
        (PROVEN.replace("assert answer == 100", "assert True"), "weakened"),
        (PROVEN.replace("assert answer == 100", "assert answer"), "weakened"),
        (PROVEN.replace("    assert answer == 100", "    return\n    assert answer == 100"), "weakened"),
        (
            PROVEN.replace(
                "    assert answer == 100",
                "    try:\n        assert answer == 100\n    except AssertionError:\n        pass",
            ),
            "weakened",
        ),
        ("def test_nobody(:\n", "unknown"),
    ],
)
def test_a_test_is_held_against_its_text_when_it_was_proven(now: str | None, holding: str) -> None:
    found = judge_test_now(PATH, "test_nobody", PROVEN, now)
    assert found.holding == holding, found.reason
    assert found.lapses == (holding in ("deleted", "skipped", "weakened"))


def test_a_mark_that_was_there_when_it_was_proven_switches_nothing_off() -> None:
    marked = PROVEN.replace("def test_nobody", "@pytest.mark.skipif(WINDOWS)\ndef test_nobody")
    assert judge_test_now(PATH, "test_nobody", marked, marked + OTHER).holding == "holds"


def test_a_method_is_found_in_its_class_and_another_class_is_not_it() -> None:
    text = "class TestShare:\n    def test_a(self):\n        self.assertEqual(1, 1)\n"
    assert judge_test_now(PATH, "TestShare::test_a[x]", text, text).holding == "holds"
    assert judge_test_now(PATH, "TestOther::test_a", text, text).holding == "deleted"


def test_without_the_proven_text_nothing_is_said_to_hold() -> None:
    assert judge_test_now(PATH, "test_nobody", None, PROVEN).holding == "unknown"
    assert judge_test_now("tests/share.sh", "", "exit 1", "exit 0").holding == "unknown"


PROVEN_GATE: dict[str, Any] = {"tests": {"suites": ["regression"]}, "mode": "block"}


def test_fewer_suites_than_were_proven_are_weaker() -> None:
    proven = {"tests": {"suites": ["regression", "smoke"]}, "mode": "block"}
    found = judge_gate_now(proven, "production", {"production": [GateEntry.model_validate(PROVEN_GATE)]})
    assert found.holding == "weakened"


@pytest.mark.parametrize(
    ("now", "holding"),
    [
        ([PROVEN_GATE], "holds"),
        ([{"tests": {"suites": ["unit"]}, "mode": "block"}, PROVEN_GATE], "holds"),
        ([{"tests": {"suites": ["regression", "smoke"]}, "mode": "block", "owner": "qa"}], "holds"),
        ([], "deleted"),
        ([{"sign_off": {"role": "qa"}, "mode": "block"}], "deleted"),
        ([{"tests": {"suites": ["regression"]}}], "weakened"),
        ([{"tests": {"suites": ["smoke"]}, "mode": "block"}], "deleted"),
        ([{**PROVEN_GATE, "when": {"paths": ["docs/**"]}}], "weakened"),
    ],
)
def test_a_gate_is_held_against_the_policy(now: list[dict[str, Any]], holding: str) -> None:
    entries = [GateEntry.model_validate(entry) for entry in now]
    found = judge_gate_now(PROVEN_GATE, "production", {"production": entries})
    assert found.holding == holding, found.reason
