"""What a gate that ran could see of the failure: its own records, and what it exercised.

Three answers. It *saw* the failure if its records hold the failure's signature. It was *blind* only if
coverage or recorded inputs show that the failing frame or the failing input was never exercised by anything
that it rested on. Otherwise its sight is unknown: that is what missing records mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from amends.events import payloads as p
from amends.events.codec import Fact


class Sight(StrEnum):
    SAW = "saw"
    BLIND = "blind"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """How signatures are read from text, compared and said; given from above (``prevention.signature``)."""

    read: Callable[[str], Sequence[p.Signature]]
    same: Callable[[p.Signature, p.Signature], bool]
    same_path: Callable[[str, str], bool]
    describe: Callable[[p.Signature], str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a gate's sight, in one sentence with its evidence."""

    sight: Sight
    reason: str
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escape:
    """What escaped, and everything recorded about it.

    ``failures`` are the captured failures in the environment of the incident, ``exercises`` what suites of
    the release exercised, ``by_id`` every fact that a gate may have rested on.
    """

    failures: tuple[Fact, ...]
    exercises: tuple[Fact, ...]
    by_id: Mapping[str, Fact]
    recogniser: Recogniser


# What these gates look at is not what a release does, whatever their records say.
_ELSEWHERE = {
    "window": "It looks at the time of the deployment, not at what the release does.",
    "depends_on": "It looks at other services, not at what the release does.",
    "attestation": "It looks at which artifact was tested, not at what the release does.",
    "watchers": "It looks at who is on shift, not at what the release does.",
}


def sight_of(
    kind: str, row: p.GateRow, suites: Iterable[str], elsewhere: Sequence[Fact], escape: Escape
) -> Seen:
    """Return what a gate could see.

    Parameters
    ----------
    kind:
        The gate's family.
    row:
        Its recorded answer; ``row.events`` are the events that it rested on.
    suites:
        Names under which what it exercised may be recorded.
    elsewhere:
        Failures of the release captured in lower environments before the gate decided.
    escape:
        The failure and the records.
    """
    if not escape.failures:
        return Seen(
            Sight.UNKNOWN, "No failure of the release is recorded, so nothing can be looked for in it."
        )
    relied = [escape.by_id[event] for event in row.events if event in escape.by_id]
    saw = _saw([*relied, *elsewhere], escape)
    if saw:
        return saw
    if kind in _ELSEWHERE:
        return Seen(Sight.UNKNOWN, _ELSEWHERE[kind])
    ran = {f.payload.suite for f in relied if isinstance(f.payload, p.SuiteFinished)}
    return _exercised(ran or set(suites), bool(ran), escape)


def _saw(records: Sequence[Fact], escape: Escape) -> Seen | None:
    read = [(record, _signatures(record.payload, escape)) for record in records]
    for failure in escape.failures:
        expected = _signature(failure)
        for record, signatures in read:
            if any(escape.recogniser.same(expected, found) for found in signatures):
                sign = escape.recogniser.describe(expected)
                return Seen(Sight.SAW, f"Its own records hold {sign}.", (record.id, failure.id))
    return None


def _signatures(told: Any, escape: Escape) -> Sequence[p.Signature]:
    if isinstance(told, p.FailureCaptured):
        return (told.signature,)
    texts: list[str] = []
    if isinstance(told, p.SuiteFinished):
        texts = [f"{case.message}\n{case.output}" for case in told.cases if case.message or case.output]
    elif isinstance(told, p.SignedOff | p.NoteTaken):
        texts = [told.note if isinstance(told, p.SignedOff) else told.text]
    elif isinstance(told, p.WatchAssessed):
        texts = list(told.problems)
    return [sign for text in texts for sign in escape.recogniser.read(text)]


def _exercised(suites: set[str], ran: bool, escape: Escape) -> Seen:
    recorded = {
        suite: [f for f in escape.exercises if _exercise(f).suite == suite] for suite in sorted(suites)
    }
    missing = [suite for suite, facts in recorded.items() if not facts]
    if not suites or len(missing) == len(suites):
        return Seen(Sight.UNKNOWN, "What it exercised was not recorded.")
    for facts in recorded.values():
        for fact in facts:
            reached = _reached(_exercise(fact), escape)
            if reached:
                return Seen(Sight.UNKNOWN, reached, (fact.id,))
    if ran and missing:
        return Seen(Sight.UNKNOWN, f"What {', '.join(missing)} exercised was not recorded.")
    return _blind([fact for facts in recorded.values() for fact in facts], escape)


def _blind(exercises: Sequence[Fact], escape: Escape) -> Seen:
    """Every exercise must show by itself that it never met the failure."""
    reasons: list[str] = []
    for fact in exercises:
        reason = _missed(_exercise(fact), escape)
        if not reason:
            return Seen(Sight.UNKNOWN, "What it exercised was recorded, but not so that the failure can be "
                        "looked up in it.", (fact.id,))  # fmt: skip
        reasons.append(reason)
    evidence = (*(fact.id for fact in exercises), *(failure.id for failure in escape.failures))
    return Seen(Sight.BLIND, " ".join(dict.fromkeys(reasons)), evidence)


def _reached(exercise: p.ExerciseRecorded, escape: Escape) -> str:
    """Say that a suite did send the failing input, if the record shows it."""
    for failure in escape.failures:
        shared = failing_inputs(failure) & set(exercise.inputs)
        if shared:
            return f"Suite {exercise.suite} sent “{min(shared)}” and did not show the failure."
    return ""


def _missed(exercise: p.ExerciseRecorded, escape: Escape) -> str:
    """Say how the record shows that no failure was met; empty when it does not show that."""
    inputs = set().union(*(failing_inputs(failure) for failure in escape.failures))
    if exercise.inputs and inputs:
        kinds = f"{len(exercise.inputs)} recorded kind{'s' if len(exercise.inputs) > 1 else ''} of input"
        return f"Suite {exercise.suite} sent {kinds}, never “{min(inputs)}”."
    frames = [_signature(f).frame for f in escape.failures]
    if all(_never_ran(exercise, f, escape) for f in escape.failures):
        return f"Suite {exercise.suite} never reached {frames[0]}."
    return ""


def _never_ran(exercise: p.ExerciseRecorded, failure: Fact, escape: Escape) -> bool:
    """Return whether coverage lists the failing line as missed.

    A file that the report leaves out was perhaps not measured, and a line in neither list perhaps ran: the
    later lines of a statement are in none.
    """
    told = failure.payload
    assert isinstance(told, p.FailureCaptured)
    path = told.signature.frame.rpartition(":")[0] or told.signature.frame
    if not path:
        return False
    files = [name for name in exercise.missed if escape.recogniser.same_path(path, name)]
    return bool(files) and all(told.line in exercise.missed[name] for name in files)


def failing_inputs(failure: Fact) -> frozenset[str]:
    """Return the keys of a captured input, as suites record theirs: ``input["key"]`` or ``input["keys"]``."""
    told = failure.payload
    assert isinstance(told, p.FailureCaptured)
    key, keys = told.input.get("key"), told.input.get("keys")
    found = [key] if isinstance(key, str) and key else []
    if isinstance(keys, list | tuple):
        found += [item for item in keys if isinstance(item, str) and item]
    return frozenset(found)


def _signature(failure: Fact) -> p.Signature:
    assert isinstance(failure.payload, p.FailureCaptured)
    return failure.payload.signature


def _exercise(fact: Fact) -> p.ExerciseRecorded:
    assert isinstance(fact.payload, p.ExerciseRecorded)
    return fact.payload
