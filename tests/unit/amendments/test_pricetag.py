"""A gate's price in sentences."""

from __future__ import annotations

from amends.amendments.pricetag import cost_sentence, worth_sentence
from amends.events.payloads import Price


def test_the_cost_names_what_is_held_and_what_nobody_can_tell() -> None:
    price = Price(good_releases=9, held=("1", "2"), held_seconds=5400.0, undecided=("3",))
    assert cost_sentence(price) == (
        "Of 9 past good releases it would have held 2, for 1h 30m in all; about 1 nobody can tell."
    )
    assert "no end in sight" in cost_sentence(Price(good_releases=9, held=("1",)))
    assert cost_sentence(Price()) == "No past good release is recorded."


def test_the_worth_is_that_of_other_incidents_with_its_verdict() -> None:
    price = Price(
        incidents=4, stopped=("INC-2",), undecided_incidents=1, verdict="no evidence", interval=(-0.1, 0.5)
    )
    assert worth_sentence(price) == (
        "Of 4 other incidents it would have stopped 1 (1 undecided): no evidence, this history cannot "
        "tell it from chance (difference in points: -10 to +50)."
    )
    assert "No other incident" in worth_sentence(Price(verdict="no evidence"))


def test_a_price_from_before_there_were_backtests_has_no_worth() -> None:
    assert worth_sentence(Price(good_releases=3)) == ""
