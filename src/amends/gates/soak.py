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
from amends.gates.table import Bools, EvidenceTable, Floats, Ints, Stays, items_of

_FAMILIES = ("releases", "deployments", "incidents")


class Soak(Gate):
    """The release has run in ``environment`` for so long without incident, still does, and served requests
    there.

    An open incident of this stay blocks. A resolved one starts the clock again at its resolution, and so does
    another version in between. Not long enough is undecided until the time is up; time in which nobody
    observed ``min_requests`` is undecided, however long. ``min_requests: 0`` asks for time alone, in which
    nobody may have used the release; `policy check` doubts it.
    """

    environment: str = Field(min_length=1)
    seconds: Duration = Field(alias="for", gt=0, description="how long, for example 7d")
    min_requests: int = Field(default=1, ge=0, description="requests that it must have served meanwhile")

    def wants(self) -> str:
        """Say what the gate asks for."""
        peace = f"{format_duration(self.seconds)} in {self.environment} without incident"
        return f"{peace} and {plural(self.min_requests, 'request')} served" if self.min_requests else peace

    def environments(self) -> tuple[str, ...]:
        """Return the environment of the soak."""
        return (self.environment,)

    def families(self) -> Sequence[str]:
        """Return the families of facts that the gate reads."""
        return (*_FAMILIES, "traffic") if self.min_requests else _FAMILIES

    def decide(self, table: EvidenceTable, _setting: Setting, /) -> GateColumn:
        """Answer every row from the release's present stay in the environment."""
        row, quiet, at, requests, open_ = self._present(table)
        families = self.families()
        due = quiet + self.seconds
        ripe = due <= at
        state = np.where(ripe & (requests >= self.min_requests), np.int8(PASS), np.int8(UNDECIDED))
        state[open_] = BLOCK
        decision = np.full(len(table), UNDECIDED, dtype=np.int8)
        decision[row] = state
        decision = unless_undated(decision, table, *families)
        until = np.full(len(table), np.nan)
        waits = ~ripe & (state == UNDECIDED)
        until[row[waits]] = due[waits]
        if not table.all_dated(*families):
            until[table.unknown_times(*families) > 0] = np.nan
        return GateColumn(
            decision, lambda row: self._reason(table, row), lambda row: self._events(table, row), until
        )

    def _present(self, table: EvidenceTable) -> tuple[Ints, Floats, Floats, Ints, Bools]:
        """Return the stays that last: row, quiet since, the row's moment, requests, open incidents."""

        def find() -> tuple[Ints, Floats, Floats, Ints, Bools]:
            stays = table.stays
            mine = (stays.environment == table.code(self.environment)) & ~np.isnan(stays.since)
            row = stays.row[mine]
            open_ = stays.open_incidents[mine] > 0
            return row, stays.quiet_since[mine], table.at[row], stays.requests[mine], open_

        return table.once(("soak", self.environment), find)

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
        undated = undated_reason(table, row, *self.families())
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
        waits = ""
        if quiet < self.seconds:
            waits = f" (due {moment(stays.quiet_since[item] + self.seconds)})"
        return f"{format_duration(quiet)} in {self.environment}{since}{waits}{self._served(stays, item)}"

    def _served(self, stays: Stays, item: int) -> str:
        if not self.min_requests:
            return ""
        served = plural(int(stays.requests[item]), "request") + " served"
        return f", {served if stays.observations[item] else 'no traffic observed'}"
