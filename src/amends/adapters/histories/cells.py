"""Cells of tables: times, numbers, truth values. What cannot be read for sure is refused, with a reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NOTHING = frozenset({"", "null", "none", "na", "n/a", "nan", "nat", "\\n", "-"})
"""What stands for an empty cell, in any case of letters."""

_TRUE = frozenset({"1", "1.0", "true", "t", "yes", "y", "passed", "pass", "success", "ok"})
_FALSE = frozenset({"0", "0.0", "false", "f", "no", "n", "failed", "fail", "failure", "error"})
_COUNT = re.compile(r"\d{1,15}(?:\.0*)?\Z", re.ASCII)
_EPOCH = re.compile(r"-?\d{9,19}(?:\.\d+)?\Z")
_NAMED_ZONE = re.compile(
    r"\A(?P<bare>.*\d)\s*(?:\[(?P<boxed>[^\]]+)\]|(?P<zone>[A-Za-z][A-Za-z_]*(?:/[A-Za-z_+\-0-9]+)*))\Z"
)
_WEEKDAY = re.compile(r"\A(?:[A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} ")
_OFFSET_AFTER_BLANK = re.compile(r"\s+(?=[+-]\d{2}(?::?\d{2})?\Z)")
_WHOLE_DAY = re.compile(r"\A\d{4}-?\d{2}-?\d{2}\Z")
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))


class CellError(ValueError):
    """A cell that cannot be read. ``fault`` is the kind of it, ``remedy`` how to mend it."""

    def __init__(self, fault: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.remedy = remedy


def read_text(cell: str | None) -> str:
    """Return a cell's text without blanks around it; empty for whatever stands for nothing."""
    text = (cell or "").strip()
    return "" if text.lower() in NOTHING else text


def read_time(text: str, zone: tzinfo | None) -> datetime:
    """Return the moment that a cell names, in UTC.

    Read are RFC 3339 and ISO 8601 (blank or T, any offset), RFC 5322 (``Fri, 20 Mar 2026 14:27:05 +0000``),
    IANA
    zones after the time, and seconds, milliseconds, microseconds or nanoseconds since 1970. ``zone`` is what
    a time without one means; a day without a time of day is then its midnight.

    Raises ``CellError`` for an unknown zone, a time without one where ``zone`` is not given, and what is no
    time.
    """
    try:
        return _since_epoch(text) if _EPOCH.match(text) else _zoned(text, zone)
    except (OverflowError, OSError):  # in UTC it would be before the year 1 or after 9999
        raise _no_time(text) from None


def _zoned(text: str, zone: tzinfo | None) -> datetime:
    moment = _parsed(text)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if zone is None:
        what = "a day without a time of day and zone" if _WHOLE_DAY.match(text) else "a time without a zone"
        raise CellError(
            "time-without-zone",
            f"found {text!r}, {what}",
            "write the offset (Z for UTC), or give --timezone ZONE",
        )
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(_OFFSET_AFTER_BLANK.sub("", text))
    except ValueError:
        pass
    if _WEEKDAY.match(text):
        try:
            return parsedate_to_datetime(text)
        except ValueError:
            pass
    named = _NAMED_ZONE.match(text)
    if named:
        return _in_zone(text, named["bare"].strip(), named["boxed"] or named["zone"])
    raise _no_time(text)


def _in_zone(text: str, bare: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_OFFSET_AFTER_BLANK.sub("", bare))
    except ValueError:
        raise _no_time(text) from None
    if moment.tzinfo is not None:  # as java.time writes it: the offset is there, the zone only tells whose
        return moment
    if name.upper() in ("UTC", "GMT", "Z"):
        return moment.replace(tzinfo=UTC)
    try:
        if "/" not in name:  # CET, EST, IST: several places mean different things by them
            raise ZoneInfoNotFoundError(name)
        return moment.replace(tzinfo=ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CellError(
            "unknown-time-zone", f"found {text!r}; the time zone {name!r} is unknown or means several",
            "write an offset (+02:00), or a name of the IANA database such as Europe/Berlin",
        ) from None  # fmt: skip


def _no_time(text: str) -> CellError:
    what = f"found {text!r}; allowed is for example 2026-03-20T14:27:05Z"
    return CellError("not-a-time", what, "write times as RFC 3339")


def _since_epoch(text: str) -> datetime:
    number = float(text)
    scale = next(scale for limit, scale in _UNITS if abs(number) < limit)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=number / scale)


def read_count(text: str) -> int:
    """Return the whole number, 0 or more, that a cell holds. Raises ``CellError``."""
    if not _COUNT.match(text):
        raise CellError(
            "not-a-number", f"found {text!r}; allowed is a whole number, 0 or more", "mend the cell"
        )
    return int(text.partition(".")[0])


def read_truth(text: str) -> bool:
    """Return the truth value that a cell holds. Raises ``CellError``."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise CellError("not-a-truth-value", f"found {text!r}; allowed are true and false", "write true or false")
