"""Contributing factors: conditions that made a defect, or its escape, more likely. Never a person.

There are several to an incident, and none of them is *the* root cause: what happened needed all of them.
Each word can be traced to what is published: the triggers of Orthogonal Defect Classification (Chillarege et
al., IEEE Transactions on Software Engineering 18(11), 1992; version 5.2 for design and code), which say what
it takes for a defect to show, and the factors of CAST (Leveson, *CAST Handbook*, 2019), which say why a
control did not hold. docs/reference/contributing-factors.md has the same list for readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.incidents.escape import EscapeRow, EscapeState


@dataclass(frozen=True, slots=True)
class Factor:
    """One word of the taxonomy: what it means, and which published words it stands for."""

    word: str
    title: str
    meaning: str
    traced: str


TAXONOMY: tuple[Factor, ...] = (
    Factor("process-conditions", "Conditions of the process",
           "what the way of working made likely that day: many changes at once, an order of steps, time",
           "CAST: context in which decisions were made"),
    Factor("interface-limits", "Limits of an interface that nobody wrote down",
           "a neighbour, library or platform had a limit or a meaning that was not in its documentation",
           "ODC: lateral compatibility, internal document"),
    Factor("old-data", "Data or clients from before",
           "what earlier releases had written or still asked for",
           "ODC: backward compatibility"),
    Factor("test-data", "Test data unlike production",
           "the inputs of the tests did not vary as those of production do",
           "ODC: variation, coverage"),
    Factor("rare-situation", "A rare situation",
           "several conditions that seldom meet",
           "ODC: rare situation, sequencing, interaction"),
    Factor("load", "Load",
           "it shows only under the traffic, the volume or the duration of production",
           "ODC: workload/stress"),
    Factor("concurrency", "Things at the same time",
           "an order of events that tests do not produce",
           "ODC: concurrency"),
    Factor("recovery", "Start, stop and recovery",
           "it shows only when something restarts, fails over or is retried",
           "ODC: recovery/exception, startup/restart"),
    Factor("environment", "An environment unlike production",
           "configuration, versions, hardware or rights differed where it was tested and where it ran",
           "ODC: software configuration, hardware configuration"),
    Factor("side-effect", "An effect elsewhere",
           "the change touched what it was not meant to",
           "ODC: side effect"),
    Factor("gate-missing", "No control looked there",
           "no gate, test or alert was there to see this kind of failure",
           "CAST: missing or inadequate controls"),
    Factor("observability", "Nothing showed it",
           "signals were missing, late, or not told apart from noise",
           "CAST: missing or delayed feedback"),
    Factor("picture", "The picture of the system",
           "what its documents and screens made one expect was not what it did",
           "CAST: flaws in the process model"),
    Factor("coordination", "Coordination",
           "what one team knew or changed did not reach another that needed it",
           "CAST: communication and coordination"),
    Factor("responsibility", "Nobody's or everybody's",
           "a control belonged to no team, or to several that each relied on the other",
           "CAST: responsibilities, overlaps and gaps"),
    Factor("lesson-lost", "A lesson that was not at hand",
           "it had been learned before, and was not there where it was needed",
           "CAST: safety information system"),
    Factor("drift", "Change over time",
           "what was true when the control was made had slowly stopped being true",
           "CAST: changes and dynamics over time"),
    Factor("priorities", "Priorities",
           "goals that pulled against each other: a date, a price, a promise",
           "CAST: economics, culture, goals"),
)  # fmt: skip
BY_WORD = {factor.word: factor for factor in TAXONOMY}

_SUGGESTED = {
    EscapeState.NOT_IN_PLACE: "gate-missing", EscapeState.RAN_BLIND: "test-data",
    EscapeState.SIGHT_UNKNOWN: "observability", EscapeState.SAW_AND_PASSED: "observability",
    EscapeState.OVERRIDDEN: "priorities", EscapeState.BYPASSED: "process-conditions",
    EscapeState.NOT_RUN: "process-conditions", EscapeState.ERROR: "environment",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedFactor:
    """A factor that somebody named, in their words. ``withdrawn`` is the event that took it back."""

    factor: Factor
    words: str
    role: str
    at: datetime
    event: str
    evidence: tuple[str, ...]
    withdrawn: str = ""


def factors_of(facts: Iterable[Fact]) -> tuple[NamedFactor, ...]:
    """Return every factor that was named, in that order; those that were withdrawn say so and stay."""
    found: dict[str, NamedFactor] = {}
    for fact in facts:
        told = fact.payload
        if not isinstance(told, p.FactorNamed):
            continue
        if fact.kind == "factor.withdrawn":
            if told.withdraws in found:
                found[told.withdraws] = replace(found[told.withdraws], withdrawn=fact.id)
            continue
        factor = BY_WORD.get(told.factor) or Factor(told.factor, told.factor, "", "")
        found[fact.id] = NamedFactor(
            factor, told.words, told.role, fact.occurred_at, fact.id, told.evidence
        )  # fmt: skip
    return tuple(found.values())


def suggested(rows: Iterable[EscapeRow]) -> dict[str, tuple[str, ...]]:
    """Return factors that the matrix hints at, each with the gates that do: to take or to leave."""
    found: dict[str, list[str]] = {}
    for row in rows:
        word = _SUGGESTED.get(row.state)
        if word:
            found.setdefault(word, []).append(row.gate)
    return {word: tuple(dict.fromkeys(gates)) for word, gates in found.items()}
