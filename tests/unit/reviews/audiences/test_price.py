"""The price of a notice: people × reading time."""

from __future__ import annotations

from amends.reviews.audiences.price import price


def test_it_is_people_times_reading_time() -> None:
    cost = price("word " * 238, 60)
    assert (cost.words, cost.seconds_each, cost.hours) == (238, 60.0, 1.0)
    assert cost.sentence == "60 people × 60 s of reading (238 words) = 1.00 hours"


def test_nobody_declared_is_not_nobody() -> None:
    cost = price("some words", None)
    assert cost.hours is None
    assert "not declared" in cost.sentence
    assert price("some words", 0).hours == 0


def test_what_is_joined_is_one_word() -> None:
    assert price("2026-03-24 15:22:26, https://example.com/a it's ×1.1 – |", 1).words == 6
