"""When an amendment is proven.

A *test* is proven when it is red on the escaped release with the failure's signature and green on the fix,
three times each, in fresh worktrees. Red for another reason is no proof, and a run that could not be tried is
neither red nor green. A *gate* is proven when the evaluator that decides live answers ``block`` for the
escaped release as of its own deployment; ``undecided`` is not proof but "not replayable".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from amends.events.payloads import Price, PricedRelease, ProofRun, Signature
from amends.verdicts import Decision

ATTEMPTS = 3

Kind = Literal["amendment.proven", "amendment.disproven", "amendment.unreplayable", "unconfirmed"]
Describe = Callable[[Signature], str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a proof came to: the kind of event that records it, and why in a sentence or two.

    ``unconfirmed`` is none, and nothing is recorded: a person has to say that what was ``seen`` is the
    failure.
    """

    kind: Kind
    reason: str
    seen: Signature = field(default_factory=Signature)

    @property
    def proven(self) -> bool:
        return self.kind == "amendment.proven"


def judge_test(runs: Sequence[ProofRun], expected: Signature, describe: Describe) -> Judgement:
    """Judge a test from its runs on the escaped release (``on="bad"``) and on the fix (``on="good"``).

    ``expected`` is the failure's signature, as it was captured, stated or confirmed. Where it is empty the
    runs were held against the test's own assertion, and good ones are ``unconfirmed``.
    """
    bad = [run for run in runs if run.on == "bad"]
    good = [run for run in runs if run.on == "good"]
    broken = next((run for run in (*bad, *good) if run.outcome == "untestable"), None)
    if broken is not None:
        where = "escaped release" if broken.on == "bad" else "fix"
        return Judgement(
            "amendment.unreplayable",
            f"It could not be tried on the {where}: {broken.note or 'no reason known'}.",
        )
    if len(bad) < ATTEMPTS or len(good) < ATTEMPTS:
        counts = f"{len(bad)} of {ATTEMPTS} runs on the escaped release, {len(good)} of {ATTEMPTS} on the fix"
        return Judgement("amendment.unreplayable", f"The proof is not complete: {counts}.")
    failed = judge_red(bad, expected, describe) or _green(good, describe)
    return failed or confirmable(_proven(bad, describe), bad, expected, describe)


def judge_red(bad: Sequence[ProofRun], expected: Signature, describe: Describe) -> Judgement | None:
    """Return why the runs on the escaped release are no proof, or ``None`` when they may be one."""
    red = [run for run in bad if run.outcome == "red"]
    if not red:
        return Judgement(
            "amendment.disproven",
            f"It does not catch it: green on the escaped release, {len(bad)} of {len(bad)}.",
        )
    if len(red) < len(bad):
        return Judgement(
            "amendment.disproven",
            f"It is flaky: red on the escaped release in {len(red)} of {len(bad)} runs; required: all.",
        )
    other = next((run for run in red if not run.matches), None)
    if other is not None:
        wanted = describe(expected) if expected != Signature() else "the test's own assertion"
        return Judgement(
            "amendment.disproven",
            f"Red for another reason: found {describe(other.signature)}, expected {wanted}.",
        )
    seen = list(dict.fromkeys(describe(run.signature) for run in red))
    if len(seen) > 1:
        return Judgement("amendment.disproven", f"It is red for different reasons: {'; '.join(seen)}.")
    return None


def _green(good: Sequence[ProofRun], describe: Describe) -> Judgement | None:
    red = [run for run in good if run.outcome == "red"]
    if not red:
        return None
    return Judgement(
        "amendment.disproven",
        f"Not green on the fix: red in {len(red)} of {len(good)} runs, with {describe(red[0].signature)}.",
    )


def _proven(bad: Sequence[ProofRun], describe: Describe) -> Judgement:
    found = describe(bad[0].signature)
    reason = f"Red on the escaped release, {len(bad)} of {len(bad)}, with {found}; green on the fix as often."
    return Judgement("amendment.proven", reason)


def confirmable(
    judgement: Judgement, bad: Sequence[ProofRun], expected: Signature, describe: Describe
) -> Judgement:
    """Return the judgement; ``unconfirmed`` where it rests on runs and nobody said what the failure is."""
    red = [run.signature for run in bad if run.on == "bad" and run.outcome == "red"]
    if not judgement.proven or expected != Signature() or not red:
        return judgement
    reason = (
        f"{judgement.reason} Nobody recorded the failure: whether {describe(red[0])} is it, a person says."
    )
    return Judgement("unconfirmed", reason, red[0])


def confirmed(judgement: Judgement, role: str) -> Judgement:
    """Add who said what the failure is."""
    return Judgement(
        judgement.kind, f"{judgement.reason} That this is the failure was confirmed by {role}, not captured."
    )


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the evaluator answers for one release at one moment, from recorded or from produced evidence."""

    decision: Decision
    reason: str


def judge_gate(recorded: GateAnswer, produced: GateAnswer | None, guard: str = "") -> Judgement:
    """Judge a gate from its answer about the escaped release as of its deployment.

    ``produced`` is its answer with evidence that was produced later, by running the guard's test on that
    release; ``None`` when there was no test to run. ``guard`` says what was run and what came of it.
    """
    if recorded.decision is Decision.BLOCK:
        return Judgement(
            "amendment.proven",
            f"On the evidence recorded then it blocks the escaped release: {recorded.reason}.",
        )
    if recorded.decision is Decision.PASS:
        return Judgement(
            "amendment.disproven",
            f"On the evidence recorded then it lets the escaped release pass: {recorded.reason}.",
        )
    then = f"on the evidence recorded then it is {recorded.decision} ({recorded.reason})"
    if produced is None:
        return Judgement("amendment.unreplayable", f"Not replayable: {then}{f'; {guard}' if guard else ''}.")
    later = f"with evidence produced later ({guard})"
    if produced.decision is Decision.BLOCK:
        return Judgement(
            "amendment.proven",
            f"{later.capitalize()} it blocks the escaped release: {produced.reason}; {then}.",
        )
    if produced.decision is Decision.PASS:
        return Judgement(
            "amendment.disproven",
            f"{later.capitalize()} it lets the escaped release pass: {produced.reason}.",
        )
    return Judgement(
        "amendment.unreplayable",
        f"Not replayable: {then}, and {later} it is {produced.decision} ({produced.reason}).",
    )


def price_of(releases: Sequence[PricedRelease]) -> Price:
    """Add up what a gate would have cost past good releases.

    ``held`` are those that it blocks or holds for a known time; ``undecided`` those about which nobody can
    tell. ``held_seconds`` adds the known times and is ``None`` when one of them is not known.
    """
    held = [
        r for r in releases if r.decision == "block" or (r.decision == "undecided" and r.seconds is not None)
    ]
    unknown = [
        r for r in releases if r.decision == "error" or (r.decision == "undecided" and r.seconds is None)
    ]
    times = [r.seconds for r in held]
    known = [seconds for seconds in times if seconds is not None]
    return Price(
        good_releases=len(releases),
        held=tuple(r.release for r in held),
        undecided=tuple(r.release for r in unknown),
        held_seconds=sum(known) if len(known) == len(times) else None,
        releases=tuple(releases),
    )
