"""The course of a rollout: its steps and waits, as plain numbers in the plan of each deployment.

The plan is a snapshot; what ``amends.yaml`` says later changes no deployment that is under way, and an amends
of another version reads the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from amends.errors import InvalidEventError
from amends.events.prepared import prepare

OnInconclusive = Literal["ask", "extend", "rollback", "promote"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate has ``weight`` per cent of the traffic for ``seconds``."""

    weight: int
    seconds: float


class _Numbers(msgspec.Struct, frozen=True, kw_only=True):
    steps: tuple[Step, ...] = ()
    approval: bool = False
    interval: float = 10.0
    on_inconclusive: OnInconclusive = "ask"
    max_extensions: int = 3
    attempts: int = 3


prepare(_Numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a rollout proceeds.

    Parameters
    ----------
    steps:
        In order. None at all: the candidate is started and promoted, and nothing is watched.
    approval:
        Whether a person has to approve before the start.
    interval:
        Seconds between two looks of the watch.
    on_inconclusive:
        What the end of a step means that showed neither harm nor health.
    max_extensions:
        How often ``extend`` lengthens one step by its own time; then a person is asked.
    attempts:
        How often starting, shifting or promoting may fail before it is rolled back.
    """

    steps: tuple[Step, ...] = ()
    approval: bool = False
    interval: float = 10.0
    on_inconclusive: OnInconclusive = "ask"
    max_extensions: int = 3
    attempts: int = 3

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Course:
        """Read the ``course`` of a plan; one without is an empty course.

        Raises
        ------
        InvalidEventError
            When it holds something else.
        """
        try:
            numbers = msgspec.convert(plan.get("course", {}), _Numbers)
        except msgspec.ValidationError as error:
            raise InvalidEventError(
                f"the plan of a deployment holds a course that cannot be read: {error}",
                remedy="request the deployment again with this version of amends",
            ) from None
        return cls(**msgspec.structs.asdict(numbers))

    def to_data(self) -> dict[str, Any]:
        """Return it as the ``course`` of a plan."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def without_baseline(self) -> Course:
        """Return the course of a first release: one step with all the traffic, for as long as all steps.

        There is nothing to compare with and nobody else to serve, so a small share would help no one.
        """
        if not self.steps:
            return self
        return replace(self, steps=(Step(weight=100, seconds=sum(s.seconds for s in self.steps)),))
