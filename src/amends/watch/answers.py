"""What was asked at a look and what came back, cut to a size that a look can keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from amends.watch.measurements import Answer, MetricSnapshot

_MOST_CHARACTERS = 8000


def kept_answers(snapshot: MetricSnapshot, most: int = _MOST_CHARACTERS) -> tuple[Answer, ...]:
    """Return all resolved queries, and at most so many characters of the series that they gave.

    The sums of all of them are in the watch's state in any case, and the digest is of the whole response.
    Where a source reads pages there are selectors alone.
    """
    answers = snapshot.answers or tuple(Answer(query) for query in snapshot.queries)
    found: list[Answer] = []
    room = most
    for answer, share in zip(answers, _shares(answers, most), strict=True):
        series = _fitting(answer.series, min(room, share))
        room -= _size(series)
        cut = len(answer.series) - len(series)
        found.append(replace(answer, series=series, left_out=answer.left_out + cut))
    return tuple(found)


def _shares(answers: Iterable[Answer], most: int) -> list[int]:
    """Divide the room so that no long answer leaves none to those after it."""
    sizes = [_size(answer.series) for answer in answers]
    if sum(sizes) <= most:
        return sizes
    return [most // len(sizes)] * len(sizes)


def _fitting(series: tuple[tuple[str, str], ...], room: int) -> tuple[tuple[str, str], ...]:
    for count, one in enumerate(series):
        room -= _size([one])
        if room < 0:
            return series[:count]
    return series


def _size(series: Iterable[tuple[str, str]]) -> int:
    return sum(len(labels) + len(value) for labels, value in series)
