"""What the story is told with. Tests replace a part to see that the story then fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amends.demo import repository


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Script:
    """The parts of the story.

    ``words`` are the edge case in its team's words, ``fix`` is the version whose code is released as the
    fix, ``gate`` is the proposed gate as YAML, ``edit_policy`` may change ``amends.yaml`` before the story
    begins, ``rate`` is requests per second.
    """

    words: str = "a cart without goods"
    fix: str = repository.GOOD
    gate: str = "tests: {suites: [regression]}\nmode: block\n"
    edit_policy: Callable[[str], str] = _as_it_is
    rate: float = 120.0
