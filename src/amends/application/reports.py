"""What reports of test runs say, once they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from amends.events.payloads import TestCase


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """What one or more JUnit files say. ``digest`` is the SHA-256 of their bytes."""

    name: str
    passed: int
    failed: int
    errors: int
    skipped: int
    cases: tuple[TestCase, ...]
    digest: str

    @property
    def outcome(self) -> Literal["success", "failure", "error"]:
        """``error`` when nothing could even run, ``failure`` when anything failed, ``success`` otherwise."""
        if self.errors and not self.failed and not self.passed:
            return "error"
        return "failure" if self.failed or self.errors else "success"


@dataclass(frozen=True, slots=True)
class Exercised:
    """What a suite exercised: lines by file, ``covered`` is ``None`` without a report; keys of its inputs.

    ``missed`` lists the lines that a report says never ran.
    """

    covered: dict[str, tuple[int, ...]] | None = None
    missed: dict[str, tuple[int, ...]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
