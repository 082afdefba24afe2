"""What reports of test runs say, once they are read."""

from __future__ import annotations

from dataclasses import dataclass
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
