"""Amendments and their proofs."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from amends.events.payloads.base import Moment, Payload
from amends.events.payloads.incidents import Signature


class Reduction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a test's input was made from a captured one. Sizes are in characters.

    ``oracle`` says who knows the right answer: ``fix``, ``person``, or nobody, where any answer will do that
    is not the failure.
    """

    capture: str = ""
    original: int
    reduced: int
    evaluations: int = 0
    input: str = ""
    oracle: str = ""


class AmendmentProposed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A test or a gate is proposed as the guard against an escape.

    ``selector`` is the command for a test (``pytest path::name``); ``gate`` the policy entry for a gate,
    to stand in ``environment``. ``test_text`` holds the text of a test that is not in the repository yet;
    ``reduction`` is set where amends wrote it.
    """

    amendment: str
    incident: str
    service: str
    kind: Literal["test", "gate"]
    title: str
    team: str = ""
    role: str = ""
    selector: str = ""
    test_path: str = ""
    test_text: str = ""
    gate: dict[str, Any] = {}
    environment: str = ""
    bad: str = ""
    good: str = ""
    signature: Signature = Signature()
    reduction: Reduction | None = None


class ProofRun(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a guard on one release, in a fresh worktree.

    ``produced_later`` is true when the evidence did not exist at the time: it is never mixed with recorded
    evidence.
    """

    amendment: str
    incident: str
    service: str
    on: Literal["bad", "good", "past"]
    release: str
    commit: str
    attempt: int
    outcome: Literal["red", "green", "untestable"]
    signature: Signature = Signature()
    matches: bool = False
    output: str = ""
    produced_later: bool = True
    note: str = ""


class PricedRelease(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a gate answers for one past good release, as of its own deployment.

    ``seconds`` is for how long it would have been held up: 0 when it passes, ``None`` when nobody can say.
    """

    release: str
    at: Moment
    decision: Literal["pass", "block", "undecided", "error"]
    reason: str = ""
    seconds: float | None = None
    produced_later: bool = False


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a gate would have cost on past good releases. ``held`` names those it would have held.

    ``incidents`` are those on record beside the one for which the gate is proposed, ``stopped`` those of them
    whose release it would have held. ``verdict`` (helps, no evidence, harms) and ``interval`` are the
    backtest's, without that one; empty in prices from before there were backtests.
    """

    good_releases: int = 0
    held: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    held_seconds: float | None = None
    releases: tuple[PricedRelease, ...] = ()
    incidents: int = 0
    stopped: tuple[str, ...] = ()
    undecided_incidents: int = 0
    verdict: str = ""
    interval: tuple[float, ...] = ()


class AmendmentJudged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The proof's answer; the event's kind says proven, disproven or not replayable."""

    amendment: str
    incident: str
    service: str
    reason: str
    runs: tuple[str, ...] = ()
    price: Price | None = None


class AmendmentMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An amendment became active, lapsed, or was accepted as a risk; the event's kind says which.

    ``until`` is when an accepted risk is to be looked at again; ``guard`` is the text of the test's file when
    it became active, against which it is held later.
    """

    amendment: str
    incident: str
    service: str
    reason: str = ""
    role: str = ""
    diff: str = ""
    policy: str = ""
    until: Moment | None = None
    guard: str = ""


class GuardHeld(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What was found of one active guard: ``holding`` is holds, deleted, skipped, weakened or unknown."""

    amendment: str
    holding: str
    reason: str = ""


class GuardsChecked(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The guards of a service were looked at, by themselves. ``revision`` is the commit that was read.

    It is empty where no checkout of the repository could be reached.
    """

    service: str
    revision: str = ""
    guards: tuple[GuardHeld, ...] = ()
