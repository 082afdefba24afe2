"""The shape of a policy, its snapshot and its schema."""

from __future__ import annotations

import jsonschema
import pytest

from amends.gates.policy import Deploy, Policy, Rollout, Watch, policy_digest
from amends.gates.shape import format_duration, parse_duration

FULL = {
    "service": "shop", "team": "pay", "tier": "system-wide", "test": "pytest",
    "environments": ["dev", "staging", "production"],
    "gates": {
        "dev": [],
        "production": [
            {"review": {"approvals": 1, "not_author": True, "owners": True}, "mode": "block", "owner": "pay"},
            {"tests": {"suites": ["unit", "integration"]}, "because": "added after INC-7"},
            {"sign_off": {"role": "qa", "environment": "staging"}},
            {"soak": {"environment": "staging", "for": "7d", "min_requests": 1000}},
            {"window": {"days": ["mon..thu"], "hours": "09:00-16:00", "time_zone": "Europe/Berlin",
                        "freezes": "freezes.ics", "holidays": {"country": "DE", "subdivision": "BE"}}},
            {"watchers": {"team": "pay", "role": "on-call",
                          "at_least": {"system-wide": 2, "client-specific": 1}}},
        ],
    },
    "rollout": {"steps": [{"weight": 10, "for": "5m"}, {"weight": 50, "for": "10m"}], "approval": True},
    "watch": {
        "alpha": 0.01, "interval": "10s", "min_requests": 200, "warmup": "0s", "on_inconclusive": "ask",
        "source": {"prometheus": {"url": "http://prometheus:9090", "bearer_env": "PROM_TOKEN"}},
        "metrics": [
            {"name": "errors", "kind": "ratio",
             "events": 'http_requests_total{code=~"5..",version="$version"}',
             "total": 'http_requests_total{version="$version"}', "smallest_effect": 1.5, "margin": 1.2,
             "limit": {"above": 0.2, "min_requests": 200}},
            {"name": "latency", "kind": "latency", "histogram": 'took_seconds{version="$version"}'},
        ],
    },
    "deploy": {"process": {"run": "python -m shop {port}", "ports": {"production": 8080}}},
}  # fmt: skip


def test_a_snapshot_validates_again_part_by_part() -> None:
    policy = Policy.model_validate(FULL)
    plan = policy.snapshot()
    assert Rollout.model_validate(plan["rollout"]) == policy.rollout
    assert Watch.model_validate(plan["watch"]) == policy.watch
    assert Deploy.model_validate(plan["deploy"]) == policy.deploy
    assert (plan["team"], plan["tier"]) == ("pay", "system-wide")
    assert [step.seconds for step in policy.rollout.steps] == [300.0, 600.0]


def test_the_watch_becomes_a_plan() -> None:
    plan = Policy.model_validate(FULL).watch.plan()
    assert [metric.name for metric in plan.metrics] == ["errors", "latency"]
    assert plan.metrics[0].limit is not None
    assert plan.metrics[0].limit.above == 0.2
    assert plan.min_requests == 200


def test_the_published_schema_takes_the_policy_and_refuses_a_typo() -> None:
    schema = Policy.model_json_schema()
    jsonschema.validate(FULL, schema)
    for wrong in ({"reveiw": {}}, {"review": {}, "tests": {"suites": ["unit"]}}, {"mode": "block"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**FULL, "gates": {"production": [wrong]}}, schema)


def test_a_new_gate_observes() -> None:
    modes = [entry.mode for entry in Policy.model_validate(FULL).gates["production"]]
    assert modes == ["block", *["observe"] * 5]


def test_a_gate_may_stand_alone_with_its_defaults() -> None:
    plain = {
        "service": "shop",
        "environments": ["production"],
        "gates": {"production": ["review", {"review": None}]},
    }
    assert [entry.kind for entry in Policy.model_validate(plain).gates["production"]] == ["review", "review"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("7d", 604800), ("250ms", 0.25), (45, 45)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7 days", "5", "-3s", -1, True, None, "m5"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a number with a unit"):
        parse_duration(text)


def test_durations_are_spoken_to_two_units() -> None:
    assert [format_duration(s) for s in (0, 45, 5400, 90061)] == ["0s", "45s", "1h 30m", "1d 1h"]


def test_the_digest_covers_what_the_calendars_say() -> None:
    assert policy_digest("a", {}) != policy_digest("b", {})
    assert policy_digest("a", {"file:f.ics": "1"}) != policy_digest("a", {"file:f.ics": "2"})


def test_prometheus_is_asked_for_each_version_apart() -> None:
    same = {"source": {"prometheus": {"url": "http://p"}}, "metrics": [{"name": "e", "kind": "ratio",
            "events": 'errors{version="$version"}', "total": "requests"}]}  # fmt: skip
    with pytest.raises(ValueError, match=r"`total` of e asks Prometheus the same for both versions"):
        Watch.model_validate(same)
    Watch.model_validate({**same, "source": {"scrape": {}}})
