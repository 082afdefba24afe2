"""A watch as people read it: pictures that are honest, tables beside them, files that can be shared."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import msgspec
import pytest

from amends.watch.assessment import ArmSummary, Effect
from amends.watch.charts import effect_chart, evidence_chart, say_effect, say_odds
from amends.watch.distribution import distribution_chart
from amends.watch.headline import Headline, began_of, cleaned
from amends.watch.looks import Look, Seen, look_of, metrics_of, row_of, thin
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, MetricSpec, WatchPlan
from amends.watch.plotting import even_ticks, log_ticks, time_ticks
from amends.watch.poster import poster
from amends.watch.report import WatchReport, decisive, report_data, report_of
from tests.unit.watch.watch_feed import START, Feed

ERRORS = MetricSpec("5xx", MetricKind.RATIO, events="e", total="t")
LATENCY = MetricSpec("latency", MetricKind.LATENCY, histogram="h")
PLAN = WatchPlan(metrics=(ERRORS, LATENCY))
HEAD = Headline("shop 1.4.0 in production", "rolled back", "5xx: 2.1% against 0.4%", tone="block")
SVG = "{http://www.w3.org/2000/svg}"


def watched(ticks: int = 40, candidate: float = 0.02, plan: WatchPlan = PLAN, **more: float) -> list[Look]:
    feed = Feed(plan)
    feed.run(ticks, candidate, **more)
    return [look_of(said) for said in feed.looks]


def seen_of(looks: list[Look], name: str = "5xx") -> list[Seen]:
    return metrics_of(looks)[name]


def with_effect(look: Look, **effect: float | None) -> Look:
    return replace(look, rows=tuple(replace(r, effect=Effect(**effect)) for r in look.rows))


def paths(svg: str, kind: str) -> list[str]:
    return [p.attrib["d"] for p in ET.fromstring(svg).iter(f"{SVG}path") if p.attrib["class"] == kind]


def test_every_picture_is_sound_and_carries_no_style_or_script() -> None:
    report = report_of(watched(), PLAN)
    svgs = [p.svg for m in report.metrics for p in m.pictures]
    assert [len(m.pictures) for m in report.metrics] == [3, 4]
    assert report.joint is not None
    for svg in (report.joint.svg, *svgs, poster(HEAD, report)):
        root = ET.fromstring(svg)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]
        assert not [
            e for e in root.iter() if "style" in e.attrib or e.tag.endswith(("script", "image", "use"))
        ]


def test_a_name_that_is_markup_stays_text() -> None:
    name = "<script>alert(1)</script>&\"'" * 3
    looks = [replace(k, rows=tuple(replace(r, metric=name) for r in k.rows[:1])) for k in watched(5)]
    report = report_of(looks, PLAN)
    for svg in (poster(replace(HEAD, sentence=name), report), report.metrics[0].pictures[0].svg):
        assert "<script" not in svg
        ET.fromstring(svg)


def test_a_watch_without_looks_and_one_with_a_single_empty_look_are_told() -> None:
    nothing = report_of([], PLAN)
    assert (nothing.last, nothing.metrics, decisive(nothing)) == (None, (), None)
    ET.fromstring(poster(HEAD, nothing))
    once = report_of(watched(0), PLAN)
    assert len(once.looks) == 1
    rates = once.metrics[0].pictures[1].svg
    assert "nothing compared yet" in rates
    assert once.metrics[1].distribution is None


def test_an_open_side_has_no_line_and_the_band_reaches_the_edge() -> None:
    looks = [with_effect(k, estimate=3.0, lower=2.0, upper=None) for k in watched(10, 0.004)]
    picture = effect_chart(seen_of(looks), ERRORS)
    assert picture is not None
    assert len(paths(picture.svg, "line edge")) == 1
    (band,) = paths(picture.svg, "band sure")
    assert " 38.0" in band  # the plot's upper edge
    closed = effect_chart(
        seen_of([with_effect(k, estimate=3.0, lower=2.0, upper=4.0) for k in looks]), ERRORS
    )
    assert closed is not None
    assert len(paths(closed.svg, "line edge")) == 2


def test_the_confidence_sequence_begins_anew_with_each_step() -> None:
    looks = [
        with_effect(replace(k, step=1 + (i > 5)), estimate=1.1, lower=0.5, upper=2.0)
        for i, k in enumerate(watched(12, 0.004))
    ]
    picture = effect_chart(seen_of(looks), ERRORS)
    assert picture is not None
    assert len(paths(picture.svg, "band sure")) == 2
    assert paths(picture.svg, "line ours")[0].count("M") == 2
    assert len(paths(picture.svg, "border")) == 1


@pytest.mark.parametrize(
    ("direction", "rules"), [(Direction.HIGHER, 2), (Direction.LOWER, 2), (Direction.BOTH, 4)]
)
def test_the_lines_that_matter_stand_on_the_side_that_is_worse(direction: Direction, rules: int) -> None:
    picture = effect_chart(seen_of(watched(10)), replace(ERRORS, direction=direction))
    assert picture is not None
    assert len(paths(picture.svg, "rule margin") + paths(picture.svg, "rule matters")) == rules


def test_evidence_stays_within_its_plot_however_far_it_falls() -> None:
    looks = [
        replace(k, rows=tuple(replace(r, log_evidence=-50.0 * i) for r in k.rows))
        for i, k in enumerate(watched(10))
    ]
    line, _ = paths(evidence_chart(seen_of(looks), alone=True).svg, "line ours")
    assert all(38 <= float(spot.split()[1]) <= 198 for spot in line.removeprefix("M").split("L"))


def test_quantiles_are_marked_on_their_curve() -> None:
    picture = distribution_chart(seen_of(watched(20, slower=1.5), "latency"))
    assert picture is not None
    marks = [c.attrib for c in ET.fromstring(picture.svg).iter(f"{SVG}circle")]
    levels = {d.split()[1].partition("H")[0] for d in paths(picture.svg, "rule even")}
    assert {mark["cy"] for mark in marks} == levels
    assert len(marks) == 4


def test_requests_that_are_all_fast_leave_no_empty_picture() -> None:
    arm = ArmSummary(exposure=100.0, p50=0.0025, p99=0.00495, buckets=((0.005, 100.0), (1.0, 100.0)))
    looks = [
        replace(k, rows=tuple(replace(r, baseline=arm, candidate=arm) for r in k.rows)) for k in watched(3)
    ]
    picture = distribution_chart(seen_of(looks, "latency"))
    assert picture is not None
    marks = [float(c.attrib["cx"]) for c in ET.fromstring(picture.svg).iter(f"{SVG}circle")]
    assert 50 < min(marks) < 200 < max(marks) < 348


def test_a_long_watch_is_thinned_and_says_so() -> None:
    looks = watched(360, 0.004)
    report = report_of(looks, PLAN)
    table = report.metrics[0].table
    assert (len(table.rows), table.left_out) == (12, len(looks) - 12)
    assert (table.rows[0][0], table.rows[-1][0]) == ("30 min", "0 s")
    assert all(len(picture.svg) < 12_000 for metric in report.metrics for picture in metric.pictures)
    assert len(report_data(report)["looks"]) == len(looks)


def test_the_metric_that_decided_is_the_one_in_the_picture() -> None:
    report = report_of(watched(60, 0.05), PLAN)
    assert report.last is not None
    assert report.last.verdict == "roll_back"
    assert decisive(report) is report.metrics[0]
    assert "5xx" in poster(HEAD, report)


def test_the_data_of_a_report_are_plain_and_say_how_it_was_judged() -> None:
    data = json.loads(json.dumps(report_data(report_of(watched(3), PLAN, {"5xx": ("found after 4 min",)}))))
    assert data["alpha"] == 0.01
    assert data["judged"][1] == {
        "metric": "latency", "kind": "latency", "worse": "higher", "smallest_effect": "×1.1",
        "margin": "×2", "limit": "none",
    }  # fmt: skip
    assert {"metric", "effect", "baseline"} <= data["looks"][-1]["metrics"][0].keys()


def test_what_is_shared_is_cleaned_in_every_sentence() -> None:
    looks = [replace(k, problems=("db-7.internal is silent",), event="e1") for k in watched(3)]
    told = json.dumps(report_data(report_of(cleaned(looks, lambda text: text.replace("5xx", "X")), PLAN)))
    assert "5xx: " not in told
    clean = cleaned(looks, lambda _: "gone")
    assert {text for k in clean for text in (k.reason, *k.problems, *(r.reason for r in k.rows))} == {"gone"}
    assert began_of(looks) == START


def test_a_recorded_row_may_lack_what_it_does_not_know() -> None:
    whole = watched(3)[-1].rows[0]
    assert row_of(msgspec.to_builtins(whole)) == whole
    bare = row_of({"metric": "5xx", "log_evidence": None})
    assert bare is not None
    assert say_effect(bare) == "not bounded yet"
    assert row_of({}) is None
    assert row_of({"metric": "5xx", "effect": "large"}) is None
    look = Look(START, 5.0, rows=(bare,))
    assert isinstance(report_of([look]), WatchReport)


def test_a_level_is_held_to_its_limit_and_has_no_effect() -> None:
    data = {"metric": "memory", "kind": "gauge", "baseline": {"rate": 5.0, "exposure": 3.0}}
    row = row_of(data)
    assert row is not None
    (metric,) = report_of([Look(START, 5.0, rows=(row,))]).metrics
    assert [picture.title for picture in metric.pictures] == ["Level: candidate against baseline"]


def test_ticks_are_round_and_few() -> None:
    assert time_ticks(265) == [0, 120, 240]
    assert even_ticks(0.018) == pytest.approx([0, 0.005, 0.01, 0.015])
    assert log_ticks(0.3, 12) == pytest.approx([0.5, 1, 2, 5, 10])
    for high in (1e-6, 0.07, 1.0, 33.0, 9e9):
        assert 2 <= len(even_ticks(high)) <= 5
        assert len(log_ticks(high / 1e5, high)) <= 5
        assert 1 <= len(time_ticks(high)) <= 5
    assert len(time_ticks(40 * 86400)) <= 5


def test_odds_are_said_as_people_read_them() -> None:
    assert [say_odds(tens) for tens in (-1, 0, 2, 3.1, 12)] == ["×0.1", "×1", "×100", "×1,259", "×10¹²"]


def test_thinning_keeps_both_ends() -> None:
    shown = thin(list(range(1000)), 5)
    assert (shown[0], shown[-1], len(shown)) == (0, 999, 5)
