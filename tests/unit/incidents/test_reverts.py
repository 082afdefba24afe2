"""Reverts are classified by stated rules, each with an example that it decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from amends.incidents.reverts import RULES, Rule, judge_revert, original_title, reason_of


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_decides_its_example(rule: Rule) -> None:
    said = {"reason": rule.example} if rule.about == "reason" else {"reason": "", "title": rule.example}
    judged = judge_revert(**said)
    assert (judged.rule, judged.classified) == (rule.name, rule.classified)


@pytest.mark.parametrize("reason", ["", "  ", "see the chat", "b/1234"])
def test_nothing_is_presumed_of_a_revert_without_a_telling_reason(reason: str) -> None:
    assert judge_revert(reason).classified == "uncertain"


def test_what_the_reverted_change_says_that_it_mends_is_no_fault_of_it() -> None:
    assert judge_revert("", title='Revert "Fix a crash that broke checkout"').classified == "uncertain"


def test_the_revert_of_a_revert_lands_again_and_the_third_takes_back() -> None:
    assert judge_revert("", title='Revert "Revert "Cache""').rule == "landed-again"
    assert judge_revert("it crashes", title='Revert "Revert "Revert "Cache"""').classified == "failure"
    assert judge_revert("it crashes", title='Revert "Reland "Cache""').classified == "failure"


def test_a_reason_is_the_reverters_own_words_alone() -> None:
    body = """This reverts commit 0123456789abcdef0123456789abcdef01234567.

Reason for revert: slows the start down, see https://example.com/crash

Original change's description:
> Fix a crash
>
> Reviewed-by: Ana <ana@example.com>

Change-Id: I1234
Bug: 77"""
    assert reason_of(body) == "slows the start down, see"


def test_a_reason_before_the_sentence_counts_too() -> None:
    assert reason_of("Fails on Windows\n\nThis reverts commit 0123456789.\n") == "Fails on Windows"
    assert reason_of("This reverts commit 0123456789, reversing\nchanges made to abcdef0123.") == ""


def test_an_endless_message_is_read_in_little_time() -> None:
    assert len(reason_of("reverts " * 200_000)) <= 500
    assert judge_revert("not " * 10_000, title="Revert " * 10_000).rule


def test_the_title_of_what_was_reverted() -> None:
    assert original_title('Revert "Depool db1"') == "Depool db1"
    assert original_title("Change the colour") == ""


def test_the_reference_lists_the_rules_in_their_order() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/reverts.md").read_text(encoding="utf-8")
    rows = [f"| `{r.name}` | {r.classified.replace('_', ' ')} | {r.about} | {r.example} |" for r in RULES]
    assert "\n".join(rows) in page
