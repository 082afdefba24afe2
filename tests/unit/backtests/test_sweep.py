"""The frontier, and a pick that is measured where it was not made."""

from __future__ import annotations

from xml.etree import ElementTree

from amends.adapters.policyfile import parse_policy
from amends.application.backtesting import Scope, Swept, sweep_policy
from amends.backtests.folded import FoldedEvidence
from amends.backtests.frontier import draw_frontier
from amends.backtests.variants import parse_variation
from amends.backtests.wording import sweep_sentence
from tests.planted import Change, changes, recorded

TWO = """\
service: shop
environments: [production]
gates:
  production:
    - review: {approvals: 2}
"""


def sweep(plan: list[Change], *vary: str) -> Swept:
    log = recorded(plan)
    chosen = [parse_variation(text) for text in vary or ("review.approvals=1..3",)]
    return sweep_policy(log, FoldedEvidence(log.facts()), parse_policy(TWO), Scope(), chosen)


def test_a_variant_that_stops_less_for_more_delay_is_not_on_the_frontier() -> None:
    found = sweep(changes("helps")).sweep
    by_label = {point.variant.label: point for point in found.points}
    one, two, three = (by_label[label] for label in ("review.approvals 1", "as it is", "review.approvals 3"))
    assert one.whole.stopped < two.whole.stopped == three.whole.stopped
    assert (one.on_frontier, two.on_frontier, three.on_frontier) == (True, True, False)


def test_the_pick_is_made_on_the_earlier_half_and_measured_on_the_later() -> None:
    # One approval tells good from bad in the earlier half, and nothing in the later.
    plan = changes("helps", 400)
    later = changes("nothing", 400, seed=4)[200:]
    found = sweep([*plan[:200], *later]).sweep
    assert found.picked
    assert found.picked.variant.label == "review.approvals 1"
    assert found.picked.late.effect.verdict == "no evidence"
    told = sweep_sentence(found)
    assert f"stops {found.picked.late.stopped} of {found.picked.late.escapes}" in told
    assert told.endswith("no evidence")


def test_where_chance_explains_all_there_is_no_pick() -> None:
    found = sweep(changes("nothing", 120)).sweep
    assert found.picked is None
    assert "none can be told from chance" in sweep_sentence(found)


def test_the_drawing_marks_the_policy_as_it_is_and_every_variant() -> None:
    found = sweep(changes("helps", 120)).sweep
    drawing = ElementTree.fromstring(draw_frontier(found, standing_alone=True))
    places = {tag: drawing.findall(f".//{{*}}{tag}") for tag in ("circle", "rect")}
    dots = [one for one in places["circle"] if one.get("class") != "pick"]
    assert len(dots) == len(found.points) - 1
    assert [one.get("class") for one in places["rect"]] == ["now"]


def test_nothing_on_record_can_be_swept_and_drawn() -> None:
    found = sweep([]).sweep
    assert found.picked is None
    assert ElementTree.fromstring(draw_frontier(found)).tag.endswith("svg")
