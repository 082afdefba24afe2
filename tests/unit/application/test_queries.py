"""Read models say what the log says."""

from __future__ import annotations

import pytest

from amends.application.queries import (
    BoardFollower,
    changes_since,
    chart_series,
    deployment_view,
    event_view,
    log_page,
    release_view,
)
from amends.application.queries.environments import environments_of, in_order
from amends.errors import NotFoundError
from amends.events import payloads as p
from tests.story import BAD, COMMITS, FIXED, GOOD, NEXT, SERVICE, Story


@pytest.fixture(scope="module")
def story() -> Story:
    return Story().tell()


def test_the_board_says_what_is_where_and_what_waits(story: Story) -> None:
    board = BoardFollower(story.log).read(story.clock.now())
    assert board.environments == ("dev", "staging", "production")
    cells = {cell.environment: cell for cell in board.rows[0].cells}
    assert cells["production"].standing is not None
    assert cells["production"].standing.release == GOOD
    waiting = {(place, w.release): w.decision for place, cell in cells.items() for w in cell.waiting}
    assert waiting == {("staging", NEXT): "block", ("production", NEXT): "undecided"}
    assert [w.deployment.id for w in board.deployments] == [story.open_deployment]
    assert [i.id for i in board.incidents] == [story.incident]
    assert [(service, q.release, q.incident) for service, q in board.quarantines] == [
        (SERVICE, BAD, story.incident)
    ]


def test_a_follower_that_saw_half_comes_to_the_same_board() -> None:
    story = Story()
    follower = BoardFollower(story.log)
    assert follower.read(story.clock.now()).empty
    story.add("policy.adopted", p.PolicyAdopted(service=SERVICE, digest="x", text="environments: [b, a]"))
    follower.read(story.clock.now())
    story.tell()
    now = story.clock.now()
    assert follower.read(now) == BoardFollower(story.log).read(now)


def test_an_override_is_there_until_it_expires(story: Story) -> None:
    follower = BoardFollower(story.log)
    (held,) = follower.overrides(story.clock.now())
    assert held.granted.release == FIXED
    assert follower.overrides(held.granted.expires_at) == ()


def test_what_was_let_in_waits_no_longer() -> None:
    story = Story()
    story.release(GOOD)
    story.gates(GOOD, "production", "undecided")
    story.later(hours=1)
    story.deployed(GOOD, "production")
    (row,) = BoardFollower(story.log).read(story.clock.now()).rows
    assert [cell.waiting for cell in row.cells] == [()]


def test_a_release_is_found_by_its_commit_with_all_that_names_it(story: Story) -> None:
    view = release_view(story.log, SERVICE, COMMITS[BAD])
    assert view.version == BAD
    assert [e.environment for e in view.gates] == ["dev", "staging", "production"]
    assert [c.approvals for c in view.changes] == [1]
    assert view.quarantine is not None
    assert "rolled back" in {stay.what for stay in view.stays}


def test_a_release_that_no_event_names_is_not_found(story: Story) -> None:
    with pytest.raises(NotFoundError, match=NEXT.replace(".", r"\.")):
        release_view(story.log, SERVICE, "9.9.9")


def test_a_deployment_says_why_it_went_back(story: Story) -> None:
    view = deployment_view(story.log, story.bad_deployment, story.clock.now())
    assert view.why.startswith("errors: ")
    assert [order.outcome for order in view.orders] == ["done"] * 3
    assert view.can == ()
    last = chart_series(view.watched)[1]["points"][-1]
    assert last["evidence"] >= last["line"]
    assert last["candidate"] > last["baseline"]
    assert 1 < last["lower"] < last["effect"] < last["upper"]


def test_changes_tell_only_what_is_new() -> None:
    story = Story().tell()
    before = story.log.store.last_position()
    assert changes_since(story.log, story.open_deployment, before) == (before, None)
    story.deployed(NEXT, "dev")
    after, message = changes_since(story.log, story.open_deployment, before)
    assert (after > before, message) == (True, None)
    story.watch(story.open_deployment, 1, 2, errors=0.004)
    _, message = changes_since(story.log, story.open_deployment, after)
    assert message == {"looks": 2, "finished": False}


def test_what_decides_is_the_evidence_of_all_metrics_together(story: Story) -> None:
    view = deployment_view(story.log, story.bad_deployment, story.clock.now())
    last = view.watched[-1]
    assert (last.verdict, last.cause, last.moved) == ("roll_back", "proven_worse", ("errors",))
    own = [row.log_evidence for row in last.rows]
    assert last.log_evidence is not None
    assert last.log_threshold is not None
    assert min(own) < last.log_threshold <= last.log_evidence < max(own)
    assert all((look.log_evidence or 0) < last.log_threshold for look in view.watched[:-1])


def test_looks_that_did_not_record_it_have_no_joint_evidence(story: Story) -> None:
    story.ask("dep-old", BAD, "1.3.0")
    story.add("watch.assessed", p.WatchAssessed(
        deployment="dep-old", service=SERVICE, environment="production", step=1, tick=1, verdict="watching",
        reason="too little data", state={},
    ))  # fmt: skip
    view = deployment_view(story.log, "dep-old", story.clock.now())
    assert [look.log_evidence for look in view.watched] == [None]
    assert chart_series(view.watched) == []


def test_pages_of_the_log_hold_each_event_once(story: Story) -> None:
    pages = [log_page(story.log)]
    while pages[-1].older:
        pages.append(log_page(story.log, before=pages[-1].older))
    seen = [fact.id for found in pages for fact in found.facts]
    assert seen == [record.id for record in story.log.store.records()][::-1]
    assert len(pages) > 2
    assert pages[0].newer is None
    # Back again: whole pages, and at last the newest one.
    back = log_page(story.log, after=pages[-1].newer)
    assert back.facts == pages[-2].facts
    assert log_page(story.log, after=pages[1].newer) == pages[0]


def test_a_second_filter_of_the_log_does_not_end_its_pages(story: Story) -> None:
    whole = [f.id for f in story.log.facts(tags=("env:shop/production",))][::-1]
    found = log_page(story.log, service=SERVICE, tag="env:shop/production")
    more = log_page(story.log, service=SERVICE, tag="env:shop/production", before=found.older)
    assert [f.id for f in (*found.facts, *more.facts)] == whole[:100]
    assert len(whole) > 50


def test_filters_of_the_log_hold_together(story: Story) -> None:
    found = log_page(story.log, service=SERVICE, tag=f"incident:{story.incident}", kind="note.taken")
    assert [fact.kind for fact in found.facts] == ["note.taken"]
    assert log_page(story.log, service="other", tag=f"incident:{story.incident}").facts == ()


def test_an_event_knows_who_cites_it(story: Story) -> None:
    suite = story.log.facts(tags=(f"release:{SERVICE}@{BAD}",), kinds=("testsuiterun.finished",))[0]
    view = event_view(story.log, suite.id)
    assert view.intact
    assert {fact.kind for fact in view.cited_by} == {"gates.decided"}
    with pytest.raises(NotFoundError):
        event_view(story.log, "nobody")


@pytest.mark.parametrize("text", ["environments: nothing", "[", "environments: {a: b}", "- a", ""])
def test_a_text_that_is_no_policy_states_no_order(text: str) -> None:
    assert environments_of(text) == ()


def test_environments_stand_in_the_order_of_the_policies() -> None:
    stated = [("alpha", "live"), ("alpha", "beta", "live")]
    assert in_order(("live", "dev", "zeta"), stated) == ("dev", "alpha", "beta", "live", "zeta")
    assert in_order(("production", "qa", "dev"), []) == ("dev", "qa", "production")


def test_what_went_around_its_gates_is_on_the_board_and_on_the_releases_page() -> None:
    story = Story().tell()
    follower = BoardFollower(story.log)
    cells = {cell.environment: cell for cell in follower.read(story.clock.now()).rows[0].cells}
    assert cells["production"].bypass is None
    story.deployed("9.9", "production", GOOD)
    cells = {cell.environment: cell for cell in follower.read(story.clock.now()).rows[0].cells}
    assert cells["production"].bypass is not None
    assert cells["production"].bypass.reason == "9.9 met production without a decision of its gates"
    assert follower.bypasses(1)[0].release == "9.9"
    assert [one.environment for one in release_view(story.log, SERVICE, "9.9").bypasses] == ["production"]
    past = release_view(story.log, SERVICE, GOOD).bypasses
    assert "production" not in [one.environment for one in past]
