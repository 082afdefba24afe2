"""Which incidents are like one, and the reasons that are told."""

from __future__ import annotations

from amends.events.payloads import Signature
from amends.learning.entries import parts_of_names
from amends.learning.similarity import LEAST, Portrait, likeness, most_like, rarest, rarity, words_of

EVEN = rarity({}, 100)
COMMON = rarity({"orders": 100, "fail": 100}, 100)
DIVIDES = Signature(exception="ZeroDivisionError", frame="shop/pricing.py:discount")


def portrait(name: str, text: str, **more: object) -> Portrait:
    return Portrait(name, str(more.pop("service", "shop")), text, **more)  # type: ignore[arg-type]


def test_rare_words_in_common_say_more_than_frequent_ones() -> None:
    mine = portrait("A", "orders fail with a negative coupon")
    coupon = portrait("B", "negative coupon in an invoice")
    orders = portrait("C", "orders fail at night")
    assert most_like(mine, [orders, coupon], COMMON)[0].incident == "B"
    assert likeness(mine, coupon, COMMON).reasons[0] == "words in common: coupon, negative"


def test_the_same_failure_in_the_same_place_weighs_more_than_the_same_exception() -> None:
    mine = portrait("A", "one", failures=(DIVIDES,))
    same = portrait("B", "two", failures=(DIVIDES,))
    elsewhere = portrait("C", "three", failures=(Signature(exception="ZeroDivisionError", frame="x.py:y"),))
    first, second = likeness(mine, same, EVEN), likeness(mine, elsewhere, EVEN)
    assert first.score > second.score > 0
    assert "same failure: ZeroDivisionError in shop/pricing.py:discount" in first.reasons
    assert "same component: shop/pricing.py of shop" in first.reasons


def test_gates_alone_make_nothing_alike() -> None:
    gates = frozenset({("tests", "ran blind"), ("review", "ran, sight unknown")})
    mine = portrait("A", "alpha", gates=gates)
    other = portrait("B", "beta", gates=gates, service="mail")
    assert likeness(mine, other, EVEN).score == 0
    same_place = portrait("C", "alpha", gates=gates)
    assert any("got past the same gates" in reason for reason in likeness(mine, same_place, EVEN).reasons)


def test_factors_in_common_are_named() -> None:
    mine = portrait("A", "alpha", factors=frozenset({"test data unlike production", "coordination"}))
    other = portrait("B", "alpha", factors=frozenset({"test data unlike production"}))
    assert (
        "contributing factors in common: test data unlike production" in likeness(mine, other, EVEN).reasons
    )


def test_an_incident_is_not_like_itself_and_the_unlike_are_left_out() -> None:
    mine = portrait("A", "negative coupon", failures=(DIVIDES,))
    far = portrait("B", "the disk is full", service="mail")
    assert most_like(mine, [mine, far], EVEN) == ()
    assert 0 < LEAST < 1


def test_likeness_stays_between_nothing_and_everything() -> None:
    gates = frozenset({("tests", "ran blind")})
    mine = portrait("A", "negative coupon", failures=(DIVIDES,), factors=frozenset({"x"}), gates=gates)
    twin = portrait("B", "negative coupon", failures=(DIVIDES,), factors=frozenset({"x"}), gates=gates)
    assert likeness(mine, twin, EVEN).score == 1.0


def test_words_are_told_apart_without_accents_and_numbers() -> None:
    assert words_of("Die Prämie war 42 the NULL") == ["die", "pramie", "war", "null"]
    assert rarest("common rare", rarity({"common": 90, "rare": 1}, 100), 1) == ["rare"]


def test_compound_names_are_found_by_their_parts() -> None:
    assert (
        parts_of_names("raised ZeroDivisionError in parse_JSONBody") == "zero division error parse json body"
    )
