"""The door: links, sessions, hosts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amends.web.security import LINK_LIFETIME, SESSION_LIFETIME, Doorkeeper, csrf_token
from tests.story import HeldClock, Story


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def keeper(clock: HeldClock) -> Doorkeeper:
    return Doorkeeper(Story().opened.tokens, clock, frozenset({"amends.example"}))


def test_a_link_signs_in_once(keeper: Doorkeeper) -> None:
    secret = keeper.make_link()
    session = keeper.redeem(secret)
    assert session is not None
    assert keeper.who(session)
    assert keeper.redeem(secret) is None


def test_an_old_link_is_worth_nothing(keeper: Doorkeeper, clock: HeldClock) -> None:
    secret = keeper.make_link()
    clock.later((LINK_LIFETIME + timedelta(seconds=1)).total_seconds())
    assert keeper.redeem(secret) is None


def test_an_accelerated_story_does_not_age_its_readers(keeper: Doorkeeper, clock: HeldClock) -> None:
    clock.accelerated = True
    secret = keeper.make_link()
    clock.later(SESSION_LIFETIME.total_seconds() * 2)
    session = keeper.redeem(secret)
    clock.later(SESSION_LIFETIME.total_seconds() * 2)
    assert session is not None
    assert keeper.who(session)


def test_a_session_ends_and_is_forgotten(keeper: Doorkeeper, clock: HeldClock) -> None:
    session = keeper.begin_session()
    clock.later(SESSION_LIFETIME.total_seconds() + 2 * 86400)
    assert keeper.who(session) is None
    assert keeper.tokens.check(session) is None


def test_two_browsers_do_not_sign_each_other_out(keeper: Doorkeeper) -> None:
    first, second = keeper.begin_session(), keeper.begin_session()
    assert keeper.who(first)
    assert keeper.who(second)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8787", True), ("localhost", True), ("[::1]:8787", True), ("Amends.Example", True),
        ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        ("192.0.2.7", False), ("localhost.evil.example:80", False),
    ],
)  # fmt: skip
def test_only_its_own_names_are_answered(keeper: Doorkeeper, host: str, allowed: bool) -> None:
    assert keeper.allows_host(host) is allowed


def test_a_form_token_is_its_sessions_own() -> None:
    assert csrf_token("one") != csrf_token("two")


def test_an_errand_is_no_token(keeper: Doorkeeper) -> None:
    assert keeper.is_errand(keeper.errand)
    assert not keeper.is_errand("")
    assert keeper.who(keeper.errand) is None
