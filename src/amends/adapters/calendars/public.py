"""Public holidays of a country, by the rules of the ``holidays`` package."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

import holidays
import numpy as np

from amends.errors import PolicyError
from amends.gates.gate import Intervals


def holidays_content(name: str, where: str) -> str:
    """Return what the holidays of ``DE`` or ``DE/BE`` are made from: the version of the rules.

    Raises ``PolicyError`` for a country or subdivision without rules.
    """
    country, _, part = name.partition("/")
    supported = holidays.list_supported_countries(include_aliases=True)
    if country not in supported:
        raise PolicyError(
            f"no public holidays are known for the country {country!r}{_nearest(country.upper(), supported)}",
            where=where,
            remedy="give an ISO 3166-1 code, for example DE, FR or US",
        )
    if part and part not in _parts(country):
        allowed = ", ".join(sorted(supported[country])) or "none"
        raise PolicyError(
            f"{country} has no subdivision {part!r}; allowed: {allowed}",
            where=where,
            remedy="give an ISO 3166-2 code without the country, for example BE for DE-BE",
        )
    return f"holidays {version('holidays')}"


def holiday_intervals(name: str, start: float, end: float) -> Intervals:
    """Return the holidays between two moments as whole local days, with the days around them."""
    country, _, part = name.partition("/")
    first, last = (datetime.fromtimestamp(edge, UTC) for edge in (start, end))
    years = range(first.year - 1, last.year + 2)
    days: Any = holidays.country_holidays(country, subdiv=part or None, years=years)
    low, high = (first - timedelta(days=2)).date(), (last + timedelta(days=2)).date()
    found = sorted((day, label) for day, label in days.items() if low <= day <= high)
    starts = [datetime.combine(day, time(), UTC).timestamp() for day, _ in found]
    return Intervals(
        np.array(starts, dtype=np.float64),
        np.array(starts, dtype=np.float64) + 86400.0,
        tuple(label for _, label in found),
        np.ones(len(found), dtype=np.bool_),
    )


def _parts(country: str) -> set[str]:
    rules: Any = holidays.country_holidays(country)
    return {*rules.subdivisions, *getattr(rules, "subdivisions_aliases", {})}


def _nearest(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
