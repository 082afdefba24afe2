"""What every part of ``amends.yaml`` shares: strict models, and durations as people write them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


class Strict(BaseModel):
    """A part of the policy: unknown fields and wrong types are errors, values never change.

    Validators are built at first use: the whole policy's holds those of its parts.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True,
        defer_build=True,
    )  # fmt: skip


def parse_duration(value: Any) -> float:
    """Return the seconds of ``30s``, ``5m``, ``1h30m``, ``7d``, ``2w``; a plain number is seconds.

    Raises ``ValueError`` for anything else, also for a negative number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value < float("inf"):
            return float(value)
    elif isinstance(value, str):
        text = value.replace(" ", "")
        if text and not _PART.sub("", text):
            return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    raise ValueError("a duration is a number with a unit (ms, s, m, h, d, w): 30s, 5m, 1h30m, 7d")


def format_duration(seconds: float) -> str:
    """Write seconds as people do, to two units: ``7d``, ``1h 30m``, ``45s``."""
    parts: list[str] = []
    left = max(0.0, seconds)
    for unit in ("d", "h", "m", "s"):
        whole = int(left // _UNITS[unit])
        left -= whole * _UNITS[unit]
        if whole:
            parts.append(f"{whole}{unit}")
    return " ".join(parts[:2]) or ("0s" if seconds <= 0 else "less than 1s")


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?(ms|s|m|h|d|w)\s*)+$"},
                {"type": "number", "minimum": 0, "description": "seconds"},
            ],
            "examples": ["30s", "5m", "1h30m", "7d"],
        }
    ),
]
