"""Who is told when: by severity and duration, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from amends.reviews.audiences.escalation import Standing, Told, due, next_at, tellings
from amends.reviews.audiences.settings import Audience, NoticePolicy, Rule

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OPEN = Standing("INC-1", "shop", "production", "major", AT)
AUDIENCES = {
    "team": Audience(kind="team"),
    "leads": Audience(kind="leadership"),
    "payments": Audience(kind="dependants", services=["billing"]),
}


def policy(*rules: Rule) -> NoticePolicy:
    return NoticePolicy(audiences=AUDIENCES, escalation=list(rules))


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def who(p: NoticePolicy, standing: Standing, now: datetime, told: Told = ()) -> list[tuple[str, str, str]]:
    return [(one.audience, one.occasion, one.by) for one in due(tellings(p, standing, told, now), now)]


LONG = policy(Rule(tell=["team"]), Rule(tell=["leads"], after=1800, severities=["Major", "critical"]))


def test_duration_decides_and_the_next_moment_is_known() -> None:
    assert who(LONG, OPEN, after(29)) == [("team", "opened", "now")]
    assert next_at(tellings(LONG, OPEN, (), after(29)), after(29)) == after(30)
    assert ("leads", "opened", "now") in who(LONG, OPEN, after(30))


def test_what_was_over_before_its_time_tells_nobody() -> None:
    over = replace(OPEN, mitigated_at=after(10))
    assert who(LONG, over, after(600)) == [("team", "opened", "now")]
    lasted = replace(OPEN, mitigated_at=after(40))
    assert ("leads", "opened", "now") in who(LONG, lasted, after(50))


def test_severity_decides() -> None:
    assert who(LONG, replace(OPEN, severity="minor"), after(60)) == [("team", "opened", "now")]
    assert who(LONG, replace(OPEN, severity="CRITICAL"), after(60))[1][0] == "leads"


def test_each_is_told_once_an_occasion() -> None:
    twice = policy(Rule(tell=["team"]), Rule(tell=["team"], severities=["major"]))
    assert who(twice, OPEN, AT) == [("team", "opened", "now")]
    assert who(twice, OPEN, AT, {("team", "opened", "now")}) == []
    both = policy(Rule(tell=["team"]), Rule(tell=["team"], when="resolved"))
    resolved = replace(OPEN, resolved_at=after(5))
    assert who(both, resolved, after(6), {("team", "opened", "now")}) == [("team", "resolved", "now")]


def test_a_sharper_rule_does_not_wait_for_the_digest() -> None:
    p = policy(Rule(tell=["leads"], by="digest"), Rule(tell=["leads"], after=600))
    assert who(p, OPEN, AT) == [("leads", "opened", "digest")]
    assert next_at(tellings(p, OPEN, {("leads", "opened", "digest")}, AT), AT) == after(10)
    assert who(p, OPEN, after(10), {("leads", "opened", "digest")}) == [("leads", "opened", "now")]


def test_an_audience_hears_of_its_own_services_alone() -> None:
    p = policy(Rule(tell=["payments"]))
    assert who(p, OPEN, AT) == []
    assert who(p, replace(OPEN, service="billing"), AT) == [("payments", "opened", "now")]


def test_what_is_long_over_is_no_news_and_what_goes_on_is() -> None:
    p = policy(Rule(tell=["team"]))
    month = AT + timedelta(days=30)
    assert who(p, replace(OPEN, resolved_at=after(60)), month) == []
    assert who(p, OPEN, month) == [("team", "opened", "now")]


def test_a_rule_may_name_environments() -> None:
    p = policy(Rule(tell=["team"], environments=["production"]))
    assert who(p, replace(OPEN, environment="staging"), AT) == []
    assert who(p, OPEN, AT)


def test_the_owners_of_neighbours_that_it_concerns_are_told() -> None:
    rules = policy(Rule(tell=["payments"], services=["billing"]))
    assert who(rules, OPEN, after(1)) == []
    concerned = replace(OPEN, neighbours=frozenset({"billing"}))
    assert who(rules, concerned, after(1)) == [("payments", "opened", "now")]
