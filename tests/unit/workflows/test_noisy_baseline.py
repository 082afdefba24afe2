"""A live watch of a baseline with several instances: what it learns, hands on, exports and refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from amends.cli.deployment_texts import page
from amends.watch.deltas import split
from amends.watch.measurements import Arm, MetricKind, MetricSnapshot, Reading
from amends.watch.replaying import replay_watch
from amends.workflows.watchexport import export_watch, recording_of

PODS = ("a", "b", "c", "d")


def fleet(rig: Any, baseline: Any, candidate: float) -> None:
    """Give the baseline four instances; ``baseline`` says each one's error rate at each reading."""
    rng, totals = np.random.default_rng(8), {}

    def read(specs: Any, arms: Any, at: Any) -> MetricSnapshot:
        rates = {(Arm.BASELINE, pod): rate for pod, rate in zip(PODS, baseline(rng), strict=True)}
        rates |= {(Arm.CANDIDATE, pod): candidate for pod in ("new-1", "new-2")}
        found = []
        for (arm, pod), rate in rates.items():
            events, total = totals.get((arm, pod), (0, 0))
            events, total = events + int(rng.binomial(1000, rate)), total + 1000
            totals[arm, pod] = (events, total)
            found.append(
                Reading(arm, pod, "errors", MetricKind.RATIO, at, value=float(events), exposure=float(total))
            )
        return MetricSnapshot(tuple(found))

    rig.world.read = read


def uneven(rng: Any) -> list[float]:
    return [0.2 if pod in split(frozenset(PODS)) else 0.01 for pod in PODS]


def wandering(rng: Any) -> list[float]:
    return list(0.02 * np.exp(rng.normal(0, 0.8, 4)))


def numb(plan: dict[str, Any], dispersion: Any) -> dict[str, Any]:
    plan["watch"]["metrics"][0]["dispersion"] = dispersion
    return plan


def test_a_refused_rollback_is_asked_about_even_if_the_policy_would_promote(rig: Any) -> None:
    fleet(rig, uneven, 0.3)
    deployment = rig.ask(plan=numb(rig.plan(on_inconclusive="promote"), 1.0))
    rig.go(deployment, until="ends: ask")
    assert rig.state(deployment).outcome is None
    assert "a refused rollback is no proof of health" in rig.state(deployment).question
    last = rig.kinds("watch.assessed")[-1].payload
    assert (last.cause, last.verdict) == ("self_test_failed", "watching")
    assert any("limits and a dead candidate still roll back" in problem for problem in last.problems)
    assert any("differ beyond chance" in line for line in page(rig.state(deployment)))


@pytest.fixture
def watched(rig: Any) -> Any:
    """A rig whose first deployment was watched for long, and whose second has begun with what it learnt."""
    fleet(rig, wandering, 0.02)
    plan = numb(rig.plan(on_inconclusive="promote"), "auto")
    plan["rollout"]["steps"] = [{"weight": 50, "for": 900.0}]
    rig.go(rig.ask(plan=plan), limit=900)
    rig.second = rig.ask("3", plan=plan)
    rig.go(rig.second, limit=900)
    return rig


def test_the_next_watch_begins_with_what_the_last_one_learnt(watched: Any) -> None:
    looks = [f.payload for f in watched.kinds("watch.assessed")]
    mine = [look for look in looks if look.deployment == watched.second]
    before = [look for look in looks if look.deployment != watched.second]
    assert before[1].guarantee == "exact"
    assert (mine[0].guarantee, mine[2].guarantee) == ("exact", "approximate")
    assert mine[2].metrics[0]["trust"]["dispersion"] > 1
    assert any("approximate, counts divided by" in line for line in page(watched.state(watched.second)))


def test_a_replay_of_it_begins_with_the_same(watched: Any) -> None:
    lines = [json.loads(json.dumps(line)) for line in export_watch(watched.log, watched.second)]
    again = replay_watch(recording_of(lines))
    lived = [f.payload for f in watched.kinds("watch.assessed") if f.payload.deployment == watched.second]
    assert [t.log_evidence for t in again.ticks] == [look.log_evidence for look in lived]
