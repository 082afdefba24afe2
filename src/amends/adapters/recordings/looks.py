"""A watch that was live, as `amends watch export` writes it: a line about it, then a line for each look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from amends.errors import InvalidEventError, UsageError
from amends.watch.recorded import Recording
from amends.workflows.watchexport import WATCH, recording_of


def is_watch(data: object) -> bool:
    """Say whether a file's first line begins a recorded watch."""
    return isinstance(data, dict) and data.get("recording") == WATCH


def read_watch(lines: Iterable[tuple[Any, str]]) -> Recording:
    """Return the recorded watch. Raises ``UsageError``."""
    objects, places = zip(*lines, strict=True)
    try:
        return recording_of(objects)
    except (msgspec.ValidationError, InvalidEventError, KeyError, TypeError) as error:
        raise UsageError(
            f"this recorded watch cannot be read: {error}", where=places[0],
            remedy="export it again with `amends watch export`",
        ) from None  # fmt: skip
