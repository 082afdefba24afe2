"""Passages: found again however the text around them moved, and never beside words they do not speak of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.reviews.anchoring import Passages, plain

TEXT = """# Review

## Summary

Release **1.4** of `shop` met production at 14:27 [e1].
The watch rolled it back.

## Conditions

- The cache was cold.
- The watch rolled it back, and nobody had a test with an empty cart.

[e1]: /log/events/abc
"""


def test_a_passage_marked_on_the_page_is_found_in_the_markdown() -> None:
    found = Passages(TEXT).find("Release 1.4 of shop met production at 14:27 e1. The watch")
    assert found is not None
    assert (found.line, found.words.startswith("Release **1.4**"), found.words.endswith("The watch")) == (
        5, True, True,
    )  # fmt: skip


def test_among_several_places_the_surroundings_decide() -> None:
    passages = Passages(TEXT)
    lines = [
        passages.find("The watch rolled it back", *around).line  # type: ignore[union-attr]
        for around in (("14:27 [e1].\n", ".\n\n## Cond"), ("was cold.\n- ", ", and nobody had"))
    ]
    assert lines == [6, 11]


def test_a_passage_survives_what_is_written_before_it_and_another_order() -> None:
    moved = "Written first.\n\n" + TEXT.replace("- The cache was cold.\n", "") + "\n- The cache was cold.\n"
    found = Passages(moved).find("The cache was cold.", "Conditions\n\n- ", "\n- The watch")
    assert found is not None
    assert moved[found.start : found.end] == "The cache was cold."


def test_an_edited_passage_is_followed_and_said_to_be_changed() -> None:
    old = Passages(TEXT)
    anchor = old.find("nobody had a test with an empty cart")
    assert anchor is not None
    new = Passages("Before.\n\n" + TEXT.replace("a test with an empty cart", "any test with an empty basket"))
    found = new.follow(old, anchor)
    assert found is not None
    assert (found.how, found.words) == ("changed", "nobody had any test with an empty")


@pytest.mark.parametrize("gone", ["", "Quite another sentence stands here now.\n"])
def test_a_passage_that_is_gone_is_detached(gone: str) -> None:
    old = Passages(TEXT)
    anchor = old.find("The cache was cold.")
    assert anchor is not None
    assert Passages(TEXT.replace("- The cache was cold.\n", gone)).follow(old, anchor) is None


@given(st.text(alphabet="ab *_`#>-\n|[]().1\\", max_size=60), st.data())
def test_any_part_of_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]
    wanted = plain(quote)
    found = Passages(text).find(quote)
    if wanted and wanted in plain(text):
        assert found is not None
        assert 0 <= found.start < found.end <= len(text)


def test_the_words_of_a_long_text_are_found_at_their_place() -> None:
    text = "".join(f"- **Change** {n}\n  merged by `a_team`\n" for n in range(20_000))
    found = Passages(text).find("Change 15000 merged by ateam")
    assert found is not None
    assert (found.line, found.words) == (30_001, "Change** 15000\n  merged by `a_team")
