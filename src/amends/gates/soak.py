"""The soak gate: long enough in an environment, undisturbed, and with traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from amends.gates.gate import (
    BLOCK,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    moment,
    plural,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.shape import Duration, format_duration
from amends.gates.table import EvidenceTable, items_of

_FAMILIES = ("releases", "deployments", "traffic", "incidents")


class Soak(Gate):
    """The release has run in ``environment`` for so long without incident, still does, and served requests
    there.

    An open incident of this stay blocks. A resolved one starts the clock again at its resolution, and so does
    another version in between. Not long enough is undecided until the time is up; time in which nobody
    observed ``min_requests`` is undecided, however long.
    """

    environment: str = Field(min_length=1)
    seconds: Duration = Field(alias="for", gt=0, description="how long, for example 7d")
    min_requests: int = Field(default=1, ge=1, description="requests that it must have served meanwhile")

    def wants(self) -> str:
        """Say what the gate asks for."""
        return (
            f"{format_duration(self.seconds)} in {self.environment} without incident and "
            f"{plural(self.min_requests, 'request')} served"
        )

    def environments(self) -> tuple[str, ...]:
        """Return the environment of the soak."""
        return (self.environment,)

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return _FAMILIES

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the release's present stay in the environment."""
        stays = table.stays
        mine = (stays.environment == table.code(self.environment)) & ~np.isnan(stays.since)
        row = stays.row[mine]
        due = stays.quiet_since[mine] + self.seconds
        ripe = due <= table.at[row]
        served = stays.requests[mine] >= self.min_requests
        decision = np.full(len(table), UNDECIDED, dtype=np.int8)
        decision[row] = np.where(ripe & served, PASS, UNDECIDED)
        decision[row[stays.open_incidents[mine] > 0]] = BLOCK
        decision = unless_undated(decision, table, *_FAMILIES)
        until = np.full(len(table), np.nan)
        until[row] = np.where(ripe, np.nan, due)
        until[decision != UNDECIDED] = np.nan
        until[table.unknown_times(*_FAMILIES) > 0] = np.nan
        return GateColumn(
            decision, lambda row: self._reason(table, row), lambda row: self._events(table, row), until
        )

    def _item(self, table: EvidenceTable, row: int) -> int | None:
        where = items_of(table.stays, row)
        code = table.code(self.environment)
        hits = np.flatnonzero(table.stays.environment[where] == code)
        return where.start + int(hits[0]) if len(hits) else None

    def _events(self, table: EvidenceTable, row: int) -> tuple[str, ...]:
        item = self._item(table, row)
        if item is None:
            return ()
        stays = table.stays
        return table.ids([stays.event[item], stays.incident[item], stays.traffic[item]])

    def _reason(self, table: EvidenceTable, row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        return f"{self._observed(table, row)}; required: {self.wants()}"

    def _observed(self, table: EvidenceTable, row: int) -> str:
        item, stays, version = self._item(table, row), table.stays, table.word(table.version[row])
        if item is None:
            return f"{version} was never seen in {self.environment}"
        if np.isnan(stays.since[item]):
            return f"{version} no longer runs in {self.environment}"
        if stays.open_incidents[item]:
            open_ = plural(int(stays.open_incidents[item]), "open incident")
            return f"{version} has {open_} in {self.environment}"
        quiet = max(0.0, float(table.at[row] - stays.quiet_since[item]))
        since = " since its last incident" if stays.quiet_since[item] > stays.since[item] else ""
        served = int(stays.requests[item])
        traffic = plural(served, "request") + " served" if stays.observations[item] else "no traffic observed"
        waits = ""
        if quiet < self.seconds:
            waits = f" (due {moment(stays.quiet_since[item] + self.seconds)})"
        return f"{format_duration(quiet)} in {self.environment}{since}{waits}, {traffic}"
