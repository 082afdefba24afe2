"""A git history becomes changes, reviews, reverts, releases and deployments; nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.stores import open_store
from amends.events import payloads as p
from amends.events.codec import Fact, decode
from tests.past import PastRepo

Amends = Callable[..., tuple[int, str, str]]

POLICY = """\
service: shop
team: shop-team
environments: [staging, production]
gates:
  staging: []
  production:
    - review: {approvals: 1}
      mode: block
"""


def facts(folder: Path, kind: str = "") -> list[Fact]:
    store = open_store(str(folder / ".amends/log.db")).store
    try:
        return [fact for record in store.records() if (fact := decode(record)) and kind in ("", fact.kind)]
    finally:
        store.close()


def payloads(folder: Path, kind: str) -> list[Any]:
    return [fact.payload for fact in facts(folder, kind)]


@pytest.fixture
def repo(tmp_path: Path) -> PastRepo:
    (tmp_path / "amends.yaml").write_text(POLICY)
    return PastRepo(tmp_path / "repo")


def summary(amends: Amends, *words: str) -> dict[str, Any]:
    code, out, err = amends("import", "git", "repo", "--format", "json", *words)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_merge_is_one_change_by_whoever_made_what_it_brought(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    repo.commit("Begin")
    repo.git("switch", "-q", "-c", "feature")
    repo.commit("One\n\nReviewed-by: Cleo <cleo@example.com>", who="dan", file="one.py")
    repo.commit(
        "Two\n\nReviewed-by: Cleo <cleo@example.com>\nReviewed-by: Eve <eve@example.com>",
        who="dan",
        file="two.py",
    )
    repo.git("switch", "-q", "main")
    merge = repo.merge("feature", "Merge feature", who="bo")
    summary(amends)
    first, change = payloads(tmp_path, "change.merged")
    assert change.change == merge
    assert change.paths == ("one.py", "two.py")
    assert (change.files, change.lines, change.unrecorded) == (2, change.lines, ())
    [review] = payloads(tmp_path, "change.reviewed")  # by who approved all that it brought, and nobody else
    assert review.change == merge
    assert len({first.author, change.author, review.reviewer}) == 3
    assert first.unrecorded == ("reviews",)


def test_trailers_may_be_said_to_be_complete(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    repo.commit("Begin")
    summary(amends, "--reviews-in-trailers")
    assert [change.unrecorded for change in payloads(tmp_path, "change.merged")] == [()]


def test_tags_are_releases_with_what_came_since_the_one_before(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    one = repo.commit("One")
    repo.tag("v1.0.0")
    two = repo.commit("Two\n\nTested-by: Quinn <quinn@example.com>")
    repo.tag("v1.1.0-rc1")
    three = repo.commit("Three\n\nTested-by: Quinn <quinn@example.com>")
    repo.tag("v1.1.0")
    repo.commit("Not released")
    said = summary(amends)
    releases = payloads(tmp_path, "artifact.packaged")
    assert [(r.version, r.commit, r.changes) for r in releases] == [
        ("1.0.0", one, (one,)),
        ("1.1.0", three, (two, three)),
    ]
    moves = [f.payload for f in facts(tmp_path) if isinstance(f.payload, p.ServiceDeployed)]
    assert [(m.release, m.environment, m.previous) for m in moves] == [
        ("1.0.0", "production", ""), ("1.1.0", "production", "1.0.0"),
    ]  # fmt: skip
    assert any(
        "taken" in text or "was deployed to production when it was tagged" in text for text in said["assumed"]
    )
    assert any("1 tags of pre-releases" in text for text in said["left_out"])
    assert [signed.release for signed in payloads(tmp_path, "signoff.given")] == ["1.1.0"]


def test_without_tags_each_change_is_deployed_and_that_is_said(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    shas = [repo.commit("One"), repo.commit("Two")]
    said = summary(amends)
    releases = payloads(tmp_path, "artifact.packaged")
    assert [(r.version, r.commit, r.changes) for r in releases] == [(sha[:12], sha, (sha,)) for sha in shas]
    assert [f.kind for f in facts(tmp_path) if f.kind.startswith("service.")] == [
        "service.deployed",
        "service.upgraded",
    ]
    assert "when it reached the main line" in said["assumed"][0]


def test_nothing_is_deployed_when_that_is_asked_for(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    repo.commit("One")
    repo.tag("v1")
    summary(amends, "--deployed", "none")
    kinds = {fact.kind for fact in facts(tmp_path)}
    assert kinds == {"change.merged", "artifact.packaged"}


def test_a_revert_names_what_it_took_back_and_why(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    bad = repo.commit("Round prices")
    repo.git("switch", "-q", "-c", "fix")
    repo.commit(f'Revert "Round prices"\n\nThis reverts commit {bad[:10]}.\n\nCheckout fails.', file="x.py")
    repo.git("switch", "-q", "main")
    merge = repo.merge("fix", "Merge fix")
    again = repo.commit(
        f'Revert "Revert "Round prices""\n\nThis reverts commit {merge}, reversing\nchanges made to {bad}.'
    )
    said = summary(amends)
    first, second = payloads(tmp_path, "change.reverted")
    assert (first.change, first.by, first.classified, first.rule, first.reason) == (
        bad, merge, "failure", "fails", "Checkout fails",
    )  # fmt: skip
    assert (second.change, second.by, second.classified) == (merge, again, "not_failure")
    assert said["reverts"] == {"failure": 1, "not_failure": 1, "uncertain": 0}


def test_what_came_and_went_in_one_merge_is_no_revert(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    repo.commit("Begin")
    repo.git("switch", "-q", "-c", "feature")
    bad = repo.commit("Try", file="x.py")
    repo.commit(f"Revert it\n\nThis reverts commit {bad}.", file="y.py")
    repo.git("switch", "-q", "main")
    repo.merge("feature", "Merge feature")
    said = summary(amends)
    assert payloads(tmp_path, "change.reverted") == []
    assert any("1 reverts of what the same merge brought" in text for text in said["left_out"])


def test_a_fix_of_what_was_deployed_is_an_incident_and_of_what_was_not_is_none(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    escaped = repo.commit("Round prices")
    repo.tag("v1.0")
    early = repo.commit("Colour")
    repo.commit(f'Mend colour\n\nFixes: {early[:12]} ("Colour")')
    repo.commit(f'Mend prices\n\nFixes: {escaped[:12]} ("Round prices")')
    repo.tag("v1.1")
    said = summary(amends)
    [incident] = payloads(tmp_path, "incident.detected")
    assert (incident.release, incident.environment, incident.opened_by) == ("1.0", "production", "person")
    [ended] = payloads(tmp_path, "incident.resolved")
    assert ended.incident == incident.incident
    assert any("1 defects that were mended before they were deployed" in text for text in said["left_out"])
    assert any("--fixes none" in text for text in said["assumed"])
    other = tmp_path / "other.db"
    summary(amends, "--fixes", "none", "--store", str(other))
    assert "incident.detected" not in {decode(r).kind for r in open_store(str(other)).store.records()}


def test_a_clock_that_runs_backwards_is_reported_and_the_rest_imported(
    amends: Amends, repo: PastRepo
) -> None:
    from datetime import timedelta

    repo.commit("One")
    repo.at -= timedelta(days=3)
    repo.commit("Two")
    said = summary(amends)
    assert [fault["fault"] for fault in said["faults"]] == ["time-runs-backwards"]
    assert said["facts"]["change.merged"]["new"] == 2


def test_a_commit_from_the_future_is_kept_and_undated(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    from datetime import timedelta

    repo.at += timedelta(days=365 * 40)
    repo.commit("Later")
    said = summary(amends)
    assert {fault["fault"] for fault in said["faults"]} == {"in-the-future"}
    assert all(fact.known_at is None for fact in facts(tmp_path))


def test_a_release_branch_beside_the_main_line_is_asked_for(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    repo.commit("One")
    repo.tag("v1.0")
    repo.git("switch", "-q", "-c", "release")
    hotfix = repo.commit("Hotfix")
    repo.tag("v1.0.1")
    repo.git("switch", "-q", "main")
    repo.commit("Two")
    repo.tag("v1.1")
    said = summary(amends)
    assert any("1 tags beside the branch" in text for text in said["left_out"])
    summary(amends, "--all-tags", "--store", "all.db")
    found = [decode(r).payload for r in open_store(str(tmp_path / "all.db")).store.records()]
    changes = {r.version: r.changes for r in found if isinstance(r, p.ReleaseDeclared)}
    assert changes["1.0.1"] == (hotfix,)
    assert len(changes["1.1"]) == 1


def test_what_was_recorded_as_it_happened_stays(amends: Amends, repo: PastRepo, tmp_path: Path) -> None:
    repo.commit("One")
    assert amends("record", "change", "--from-git", "..HEAD", "--repo", "repo")[0] == 0
    said = summary(amends)
    assert said["facts"]["change.merged"] == {"new": 0, "known": 0, "otherwise": 1}
    [live] = facts(tmp_path, "change.merged")
    assert not live.recorded.event.imported


def test_a_gate_can_be_asked_about_an_imported_release(amends: Amends, repo: PastRepo) -> None:
    repo.commit("One\n\nReviewed-by: Bo <bo@example.com>")
    repo.tag("v1.0")
    repo.commit("Two")
    repo.tag("v1.1")
    summary(amends)
    assert amends("gate", "--release", "1.0", "--to", "production")[0] == 0


def test_an_empty_repository_and_no_repository_are_told_apart(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    code, _, err = amends("import", "git", "repo")
    assert code == 4
    assert "has no commit yet" in err
    (tmp_path / "nothing").mkdir()
    code, _, err = amends("import", "git", str(tmp_path / "nothing"))
    assert (code, "not inside a git repository" in err) == (2, True)


def test_the_account_in_words_says_what_was_assumed(amends: Amends, repo: PastRepo) -> None:
    repo.commit("One")
    repo.tag("v1")
    code, out, err = amends("import", "git", "repo")
    assert code == 0
    assert "assumed: each of 1 tagged releases was deployed to production" in out
    assert "everything else was understood" in out
    assert err == "reading git repo …\n"


def test_a_shallow_clone_is_imported_with_a_word_of_warning(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    for name in ("One", "Two", "Three"):
        repo.commit(name)
    repo.tag("v1")
    repo.git("clone", "-q", "--depth", "2", f"file://{repo.path}", str(tmp_path / "shallow"))
    code, out, _ = amends("import", "git", "shallow", "--format", "json")
    said = json.loads(out)
    assert code == 0
    assert any("shallow" in note for note in said["notes"])
    assert [r.changes for r in payloads(tmp_path, "artifact.packaged")] == [()]  # nobody knows all of them


def test_a_clone_without_contents_leaves_lines_unrecorded(
    amends: Amends, repo: PastRepo, tmp_path: Path
) -> None:
    repo.commit("One")
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{repo.path}", str(tmp_path / "partial"))
    code, _, err = amends("import", "git", "partial")
    assert code == 0, err
    [change] = payloads(tmp_path, "change.merged")
    assert (change.paths, change.lines, change.files) == (("shop.py",), None, 1)


def test_interrupting_says_how_to_go_on(
    amends: Amends, repo: PastRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("One")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("amends.application.importing.import_history", interrupt)
    code, _, err = amends("import", "git", "repo")
    assert (code, "run the same again" in err) == (130, True)
