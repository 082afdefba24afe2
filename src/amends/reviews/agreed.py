"""What a draft takes over from people: their answers and factors, what was agreed, who has been told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from amends.incidents.factors import NamedFactor
from amends.incidents.nextmoves import Answer
from amends.incidents.wording import say_time

Cited = tuple[str, tuple[str, ...]]
"""A sentence, and the events it rests on."""


@dataclass(frozen=True, slots=True)
class Work:
    """An action item, or an amendment that no item stands for. ``state`` is in words."""

    title: str
    state: str
    owner: str = ""
    due: datetime | None = None
    guard: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One revision of what an audience was told; ``at`` is when it was decided on, ``sent`` whether it is."""

    audience: str
    revision: int
    at: datetime
    sent: bool
    event: str


def factor_lines(factors: Iterable[NamedFactor]) -> Iterator[Cited]:
    """Yield the contributing factors that stand."""
    for one in factors:
        if not one.withdrawn:
            yield f"**{one.factor.title}**: {one.words}", (one.event, *one.evidence)


def answer_lines(answers: Iterable[Answer]) -> Iterator[Cited]:
    """Yield what teams answered to the matrix's questions."""
    for one in answers:
        yield f"**{one.gate}**: {one.words} ({one.role})", (one.event,)


def told_lines(told: Iterable[Told]) -> Iterator[Cited]:
    """Yield who has been told, oldest first."""
    for one in sorted(told, key=lambda one: one.at):
        on_its_way = "" if one.sent else ", on its way"
        yield f"{say_time(one.at)}: {one.audience}, revision {one.revision}{on_its_way}", (one.event,)
