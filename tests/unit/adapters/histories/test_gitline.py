"""Which tags are releases, and what messages say."""

from __future__ import annotations

import pytest

from amends.adapters.histories.gitline import choose_tags
from amends.adapters.histories.gitreading import Tag
from amends.adapters.histories.gittrailers import Names, mended_by, reverted_by
from tests.past import START


def names(*tags: str, patterns: tuple[str, ...] = ()) -> tuple[list[str], int, int]:
    found, early, other = choose_tags([Tag(tag, "c", START) for tag in tags], patterns)
    return [tag.name for tag in found], early, other


def test_versions_are_releases_and_pre_releases_are_not() -> None:
    tags = (
        "v1.0.0",
        "1.1",
        "v2.0.0-rc.1",
        "v2.0.0rc2",
        "2.0.0b1",
        "shop-3.4",
        "v1.2.3-alpha",
        "release-20260320",
    )
    assert names(*tags) == (["v1.0.0", "1.1", "shop-3.4", "release-20260320"], 4, 0)
    assert names("nightly", "latest", "v1") == (["v1"], 0, 2)


def test_patterns_choose_tags_whatever_they_look_like() -> None:
    assert names("nightly", "v1", "v2-rc1", patterns=("v*",)) == (["v1", "v2-rc1"], 0, 0)


@pytest.mark.parametrize(
    ("message", "commits"),
    [
        ("This reverts commit 0123456789ab.", ["0123456789ab"]),
        ("This partially reverts commit 0123456.", ["0123456"]),
        ('Reverts commit 0fb2c9842b20 ("net: x")', ["0fb2c9842b20"]),
        ("Reverts: 0123456", ["0123456"]),
        ("This reverts commit 0123456, reversing\nchanges made to abcdef0.", ["0123456"]),
        ("This reverts commit 0123456.\nThis reverts commit 7654321.", ["0123456", "7654321"]),
        ("> This reverts commit 0123456.", []),
        ("we may revert 1234567 users to the old page", []),
        ("Revert the colour", []),
    ],
)
def test_which_commits_a_message_reverts(message: str, commits: list[str]) -> None:
    assert reverted_by(message) == commits


def test_which_commits_a_message_mends() -> None:
    assert mended_by('Fixes: 0123456 ("shop: x")\nFixes: #12\nfixes: commit abcdef0') == [
        "0123456",
        "abcdef0",
    ]


def test_a_shortened_name_means_one_commit_or_none() -> None:
    known = Names(["aaaa1", "aaab2", "bbbb3"])
    assert (known.find("bbb"), known.find("aaa"), known.find("aaab"), known.find("c")) == (
        "bbbb3",
        "",
        "aaab2",
        "",
    )
