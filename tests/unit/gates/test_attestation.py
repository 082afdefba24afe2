"""The attestation gate."""

from __future__ import annotations

from amends.events import payloads as p
from tests.unit.gates.record import HOUR, NOW, RELEASE, ask, declared, fact, suite

GATE = {"attestation": {"suites": ["unit", "slow"]}}


def test_each_suite_must_have_tested_the_release_s_own_artifact() -> None:
    unit, slow = suite("unit", digest="sha256:ABC"), suite("slow", digest="abc")
    row = ask(GATE, declared(), unit, slow)
    assert (row.decision, set(row.events)) == ("pass", {unit.id, slow.id})
    assert ask(GATE, declared(), unit).decision == "undecided"
    row = ask(GATE, declared(), unit, suite("slow", digest="sha256:def"))
    assert row.decision == "block"
    assert "slow tested def, and the release is abc" in row.reason


def test_a_run_that_does_not_say_what_it_tested_is_undecided() -> None:
    row = ask(GATE, declared(), suite("unit"), suite("slow", digest="abc"))
    assert row.decision == "undecided"
    assert "the run of unit does not say which artifact it tested" in row.reason


def test_a_run_that_names_the_release_by_its_digest_tested_that() -> None:
    runs = [suite(name, release=RELEASE.digest) for name in ("unit", "slow")]
    assert ask(GATE, declared(), *runs).decision == "pass"
    assert ask(GATE, declared(), *(suite(name) for name in ("unit", "slow"))).decision == "undecided"


def test_the_latest_run_counts() -> None:
    slow = suite("slow", digest="abc")
    first = suite("unit", digest="abc", at=NOW - 3 * HOUR)
    assert ask(GATE, declared(), slow, first).decision == "pass"
    assert ask(GATE, declared(), slow, first, suite("unit", digest="def")).decision == "block"


def test_a_release_without_a_digest_is_undecided() -> None:
    from amends.gates.evaluate import evaluate_policy
    from amends.gates.evidence import Question, collect_evidence
    from amends.releases.actuation import ReleaseRef
    from tests.unit.gates.record import policy

    bare = fact("artifact.packaged", p.ReleaseDeclared(service="shop", version="1.2.0"))
    asked = Question("shop", ReleaseRef("shop", "1.2.0"), "production", NOW)
    table = collect_evidence([bare, suite("unit", digest="abc"), suite("slow", digest="abc")], [asked])
    row = evaluate_policy(policy(GATE), "production", table)[0].rows[1]
    assert row.decision == "undecided"
    assert "1.2.0 was declared without a digest" in row.reason
