"""A timeline told in sentences: "At 14:51 UTC we deployed …"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from amends.incidents.postmortems.entries import Raw
from amends.incidents.postmortems.sections import Sectioned
from amends.incidents.postmortems.times import Day, mentions_in


def narrated(parts: Sequence[Sectioned]) -> list[Raw]:
    """Return the sentences of prose that give one time of day, or begin with one."""
    found: list[Raw] = []
    day: Day | None = None
    for part in parts:
        before = ""
        for sentence, line in part.sentences:
            mentions = mentions_in(sentence)
            days = [m.day for m in mentions if m.day]
            day = days[0] if days else day
            clocks = [m for m in mentions if m.clock and not m.until]
            if len(clocks) == 1:
                found.append(Raw(clocks[0], sentence, line, day))
            elif not mentions and found and found[-1].text == before:
                found[-1] = replace(found[-1], text=f"{before} {sentence}")  # "At this point …"
            before = sentence
    return found
