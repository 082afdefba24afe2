"""What a notice costs: the time that people give to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDS_PER_MINUTE = 238.0
"""How fast adults read non-fiction in English, silently: the mean of 190 studies with 18,573 readers.

Source: M. Brysbaert, "How many words do we read per minute? A review and meta-analysis of reading rate",
Journal of Memory and Language 109 (2019) 104047.
"""

_WORD = re.compile(r"\w+(?:[.:'’/@-]\w+)*")


@dataclass(frozen=True, slots=True)
class Attention:
    """The price of a notice. ``people`` is ``None`` where nobody declared how many read it."""

    words: int
    seconds_each: float
    people: int | None

    @property
    def hours(self) -> float | None:
        """People × reading time."""
        return None if self.people is None else self.people * self.seconds_each / 3600

    @property
    def sentence(self) -> str:
        """Say it with its formula: ``12 people × 38 s of reading = 0.13 hours``."""
        each = f"{self.seconds_each:.0f} s of reading ({self.words} words)"
        if self.hours is None:
            return f"{each} for each reader; how many there are is not declared in notices.yaml"
        noun = "person" if self.people == 1 else "people"
        return f"{self.people} {noun} × {each} = {say_hours(self.hours)}"


def say_hours(hours: float) -> str:
    """Write hours with telling digits: ``0.13 hours``, ``14 hours``; ``less than 0.01 hours``."""
    if 0 < hours < 0.01:
        return "less than 0.01 hours"
    text = f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"
    return f"{text} hours"


def price(
    text: str, people: int | None, *, words_per_minute: float = WORDS_PER_MINUTE
) -> Attention:  # fmt: skip
    """Return what it costs that ``people`` read a text."""
    words = len(_WORD.findall(text))
    return Attention(words, 60 * words / words_per_minute, people)
