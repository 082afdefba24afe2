"""Which release a name means, and what stays ambiguous."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from amends.events import codec
from amends.events import payloads as p
from amends.events.event import Recorded
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import releases_of, resolve_release

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ONE, TWO = "a" * 40, "a" * 8 + "b" * 32


def declared(*told: p.ReleaseDeclared) -> list[codec.Fact]:
    facts = []
    for number, payload in enumerate(told):
        at = START + timedelta(hours=number)
        stream, event = codec.make_event("artifact.packaged", payload, id=f"e{number}", source="/t", at=at)
        facts.append(codec.decode(Recorded(event, stream, number + 1, at, at, "", "", number + 1)))
    return facts


def release(version: str, **more: object) -> p.ReleaseDeclared:
    return p.ReleaseDeclared(service="shop", version=version, **more)  # type: ignore[arg-type]


HISTORY = declared(
    release("1.0", commit=ONE, digest="sha256:0d1"),
    release("1.1-rc1", commit=TWO, digest="sha256:0d2"),
    release("1.1", commit=TWO, digest="sha256:0d3"),
    p.ReleaseDeclared(service="mail", version="9", commit=ONE),
)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("1.0", "1.0"), ("shop@1.0", "1.0"), ("pkg:generic/shop@1.0", "1.0"), (ONE, "1.0"),
        (ONE.upper(), "1.0"), (ONE[:9], "1.0"), ("sha256:0d2", "1.1-rc1"), ("0d2", "1.1-rc1"), (TWO, "1.1"),
    ],
)  # fmt: skip
def test_a_release_is_found_by_each_of_its_names(name: str, version: str) -> None:
    found = resolve_release(HISTORY, "shop", name)
    assert found is not None
    assert found.version == version


@pytest.mark.parametrize("name", ["2.0", "", "aaaaaa", "a" * 8, "9"])
def test_no_release_is_guessed(name: str) -> None:
    # "a" * 8 begins two different commits, six digits are too few, "9" is another service's
    assert resolve_release(HISTORY, "shop", name) is None


def test_a_tag_means_its_version_unless_both_are_declared() -> None:
    both = declared(release("v2.0"), release("2.0"), release("v3.0"))
    meant = [resolve_release(both, "shop", name) for name in ("v2.0", "2.0", "3.0", "v4.0")]
    assert [found and found.version for found in meant] == ["v2.0", "2.0", "v3.0", None]


def test_what_was_said_of_a_commit_holds_for_every_version_built_from_it() -> None:
    goers = [r.version for r in releases_of(HISTORY, "shop") if r.goes_by(TWO)]
    assert goers == ["1.1-rc1", "1.1"]


def test_a_release_follows_the_one_declared_before_it_in_its_own_service() -> None:
    assert [(r.version, r.previous) for r in releases_of(HISTORY)] == [
        ("1.0", ""), ("1.1-rc1", "1.0"), ("1.1", "1.1-rc1"), ("9", ""),
    ]  # fmt: skip


def test_a_later_declaration_fills_in_and_never_overwrites() -> None:
    facts = declared(release("1"), release("1", commit=ONE, digest="sha256:1"), release("1", commit=TWO))
    (found,) = releases_of(facts)
    assert found.ref == ReleaseRef("shop", "1", ONE, "sha256:1")
    assert found.conflicts == ("e2",)
    assert found.declared_at == START
