"""Calendars: iCalendar files and public holidays become intervals before they reach a gate.

The content of a calendar is captured when the policy is loaded and is part of the policy's digest;
intervals are made from that content alone, so that the same policy gives the same answer for the same
moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from amends.errors import PolicyError
from amends.gates.gate import Calendars, Intervals


def capture_calendar(key: str, folder: Path, where: str) -> str:
    """Return the content of a calendar that a gate names, after checking that it can be used.

    Parameters
    ----------
    key:
        ``file:PATH`` (relative to ``folder``, where the policy lies) or ``holidays:COUNTRY[/SUBDIVISION]``.
    where:
        The place in the policy that names it, for errors.

    Raises
    ------
    PolicyError
        If there is no such file, it is not a calendar or holds a broken rule, or the country is unknown.
    """
    kind, _, name = key.partition(":")
    if kind == "holidays":
        from amends.adapters.calendars.public import holidays_content

        return holidays_content(name, where)
    from amends.adapters.calendars.ical import check_calendar

    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise PolicyError(
            f"the calendar {name} cannot be read: {reason}",
            where=where,
            remedy="give the path of an iCalendar file (.ics), relative to the policy",
        ) from None
    check_calendar(text, str(path))
    return text


def resolve_calendars(contents: Mapping[str, str], folder: str, start: float, end: float) -> Calendars:
    """Return the intervals of captured calendars that touch the span from ``start`` to ``end`` (epoch
    seconds).

    Raises ``PolicyError`` when a rule breaks within the span.
    """
    return {key: _intervals(key, content, folder, start, end) for key, content in contents.items()}


def _intervals(key: str, content: str, folder: str, start: float, end: float) -> Intervals:
    kind, _, name = key.partition(":")
    if kind == "holidays":
        from amends.adapters.calendars.public import holiday_intervals

        return holiday_intervals(name, start, end)
    from amends.adapters.calendars.ical import expand_calendar

    return expand_calendar(content, str(Path(folder) / name), start, end)
