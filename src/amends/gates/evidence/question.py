"""What the evidence table has a row for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amends.releases.actuation import ReleaseRef


@dataclass(frozen=True, slots=True)
class Question:
    """May this release go to this environment at this moment?"""

    service: str
    release: ReleaseRef
    environment: str
    at: datetime
