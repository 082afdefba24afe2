"""How times and durations are written for people."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def say_time(moment: datetime | None) -> str:
    """Write a time in UTC to the second: ``2026-03-20 14:27:05 UTC``; ``not recorded`` for none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "not recorded"


def say_seconds(seconds: float) -> str:
    """Write a duration with its two largest units: ``2 min 5 s``, ``7 d``, ``0.4 s``."""
    sign = "−" if seconds <= -0.05 else ""
    left = abs(seconds)
    if left < 10:
        return f"{sign}{left:.1f} s".replace(".0 s", " s")
    parts = []
    left = round(left)
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:2])


def say_range(low: float | None, high: float | None) -> str:
    """Write a duration that may be uncertain: ``2 min``, ``10 s to 2 min``, ``at least 10 s``."""
    if low is not None and high is not None:
        return say_seconds(low) if low == high else f"{say_seconds(max(low, 0))} to {say_seconds(high)}"
    if low is not None:
        return f"at least {say_seconds(low)}"
    return f"at most {say_seconds(high)}" if high is not None else "not recorded"


def short(name: str) -> str:
    """Shorten a commit or digest for a sentence; versions and words stay as they are."""
    bare = name.rpartition(":")[2]
    return bare[:12] if len(bare) >= 20 and all(c in "0123456789abcdef" for c in bare.lower()) else name
