"""The depends_on gate: what the release needs runs, and what needs it is well."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from amends.gates.gate import (
    BLOCK,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    plural,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.shape import Strict
from amends.gates.stretches import joined, labelled
from amends.gates.table import Bools, Codes, EvidenceTable, Floats, items_of
from amends.gates.window import Zone, spoken, unread

_FAMILIES = ("releases", "neighbours")


def _check_version(value: Any) -> Any:
    if isinstance(value, str) and value and _version(value) is None:
        raise ValueError(
            f'{value!r} is no version that can be compared; write it like "2.3", quoted '
            "(https://packaging.python.org/en/latest/specifications/version-specifiers/)"
        )
    return value


def _named(value: Any) -> Any:
    return {"service": value} if isinstance(value, str) else value


class Upstream(Strict):
    """A service that the release needs."""

    service: str = Field(min_length=1)
    environment: str = Field(default="", description="where it must run; empty: the gate's environment")
    at_least: Annotated[str, BeforeValidator(_check_version)] = Field(
        default="", description='the lowest version that will do, for example "2.3"; empty: any'
    )
    freezes: str = Field(default="", description="an iCalendar file with its freezes, beside amends.yaml")

    @property
    def key(self) -> str:
        """The key of its calendar."""
        return f"file:{self.freezes}" if self.freezes else ""


class Dependant(Strict):
    """A service that needs this one."""

    service: str = Field(min_length=1)
    environment: str = Field(default="", description="where it runs; empty: the gate's environment")


class DependsOn(Gate):
    """What the release needs is deployed and not in a freeze, and what needs it has no open incident.

    A service of `services` whose running version is lower than `at_least` blocks; one of which nobody
    recorded what runs there, or whose version cannot be compared, is undecided. Versions compare as in PEP
    440, which orders 2.10 after 2.9 and 2.3-rc1 before 2.3. A freeze is undecided until its end: nothing is
    wrong with the release. Each of `services` is written `{service, environment, at_least, freezes}`, and all
    but the first may be left out. A service of `needed_by` with an open incident there, of whatever release,
    blocks, for 90 days at most; one that was never seen there is undecided.
    """

    services: list[Upstream] = Field(default_factory=list, description="services that it needs")
    needed_by: list[Annotated[Dependant, BeforeValidator(_named)]] = Field(
        default_factory=list, description="services that need it; a name alone means the gate's environment"
    )
    time_zone: Zone = Field(default="UTC", description="of freezes without a zone: an IANA name")

    @model_validator(mode="after")
    def _names_some(self) -> DependsOn:
        if not (self.services or self.needed_by):
            raise ValueError("depends_on names no service; allowed: services, needed_by, or both")
        return self

    def families(self) -> tuple[str, ...]:
        """Return what it reads."""
        return _FAMILIES

    def wants(self) -> str:
        """Say what the gate asks for."""
        parts = [_wish(upstream) for upstream in self.services]
        names = [f"{one.service}{_place(one.environment)}" for one in self.needed_by]
        parts += [f"no open incident of {' or '.join(names)}"] if names else []
        return ", ".join(parts)

    def neighbours(self) -> tuple[tuple[str, str], ...]:
        """Return the services that it looks at, each with where."""
        needs = [(one.service, one.environment) for one in self.services]
        return tuple(dict.fromkeys(needs + [(one.service, one.environment) for one in self.needed_by]))

    def calendar_keys(self) -> tuple[str, ...]:
        """Return the keys of the freezes."""
        return tuple(dict.fromkeys(upstream.key for upstream in self.services if upstream.key))

    def decide(self, table: EvidenceTable, setting: Setting, /) -> GateColumn:
        """Answer every row from what of its neighbours runs where."""
        missing = [key for key in self.calendar_keys() if key not in setting.calendars]
        if missing:
            return unread(table, missing[0])
        answers = [_upstream(table, upstream) for upstream in self.services]
        answers += [_dependant(table, one) for one in self.needed_by]
        frozen = self._frozen_until(table, setting)
        evidence = np.maximum.reduce(answers)
        evidence = unless_undated(evidence, table, *_FAMILIES)
        decision = np.where(np.isnan(frozen), evidence, np.maximum(evidence, UNDECIDED)).astype(np.int8)
        return GateColumn(
            decision,
            lambda row: self._reason(table, setting, answers, row),
            lambda row: self._events(table, row),
            np.where((evidence == PASS) & (decision == UNDECIDED), frozen, np.nan),
        )

    def _frozen_until(self, table: EvidenceTable, setting: Setting) -> Floats:
        """Return when the freezes that cover each row's moment are over, NaN outside all."""
        freezes = sorted(stretch for key in self.calendar_keys() for stretch in self._freezes(setting, key))
        whole = joined([(start, end) for start, end, _ in freezes])
        if not len(whole.starts):
            return np.full(len(table), np.nan)
        index = np.searchsorted(whole.starts, table.at, side="right") - 1
        ends = whole.ends[np.maximum(index, 0)]
        return np.where((index >= 0) & (table.at < ends), ends, np.nan)

    def _freezes(self, setting: Setting, key: str) -> list[tuple[float, float, str]]:
        return labelled(setting.calendars[key], "freeze", ZoneInfo(self.time_zone))

    def _reason(self, table: EvidenceTable, setting: Setting, answers: list[Codes], row: int) -> str:
        undated = undated_reason(table, row, *_FAMILIES)
        if undated:
            return undated
        said = [_say_upstream(table, one, row) for one in self.services]
        said += [_say_dependant(table, one, row) for one in self.needed_by]
        worst = max(int(answer[row]) for answer in answers)
        lacking = [text for text, answer in zip(said, answers, strict=True) if answer[row] == worst]
        frozen = self._say_freezes(table, setting, row)
        told = (frozen or lacking) if worst == PASS else lacking + frozen
        return f"{'; '.join(told)}; required: {self.wants()}"

    def _say_freezes(self, table: EvidenceTable, setting: Setting, row: int) -> list[str]:
        at, zone = float(table.at[row]), ZoneInfo(self.time_zone)
        return [
            f"{upstream.service} is in the {label} until {spoken(end, zone)}"
            for upstream in self.services
            if upstream.key
            for start, end, label in self._freezes(setting, upstream.key)
            if start <= at < end
        ]

    def _events(self, table: EvidenceTable, row: int) -> tuple[str, ...]:
        found = table.neighbours
        needs = [_item(table, one.service, one.environment, row) for one in self.services]
        needed = [_item(table, one.service, one.environment, row) for one in self.needed_by]
        moves = [found.event[item] for item in (*needs, *needed) if item is not None]
        return table.ids([*moves, *(found.incident[item] for item in needed if item is not None)])


def _mine(table: EvidenceTable, service: str, environment: str) -> Bools:
    found = table.neighbours
    where = table.code(environment) if environment else table.environment[found.row]
    mine: Bools = (found.service == table.code(service)) & (found.environment == where)
    return mine


def _item(table: EvidenceTable, service: str, environment: str, row: int) -> int | None:
    where = items_of(table.neighbours, row)
    hits = np.flatnonzero(_mine(table, service, environment)[where])
    return where.start + int(hits[0]) if len(hits) else None


def _upstream(table: EvidenceTable, one: Upstream) -> Codes:
    found, mine = table.neighbours, _mine(table, one.service, one.environment)
    versions, index = np.unique(found.version[mine], return_inverse=True)
    each = [UNDECIDED if not code else _meets(table.word(code), one.at_least) for code in versions]
    decision = np.full(len(table), UNDECIDED, dtype=np.int8)
    decision[found.row[mine]] = np.array(each, dtype=np.int8)[index]
    return decision


def _dependant(table: EvidenceTable, one: Dependant) -> Codes:
    found, mine = table.neighbours, _mine(table, one.service, one.environment)
    decision = np.full(len(table), UNDECIDED, dtype=np.int8)
    runs = np.where(found.version[mine] > 0, PASS, UNDECIDED)
    decision[found.row[mine]] = np.where(found.open_incidents[mine] > 0, BLOCK, runs)
    return decision


def _meets(version: str, at_least: str) -> int:
    """Return the decision that a running version comes to."""
    if not at_least:
        return PASS
    running, needed = _version(version), _version(at_least)
    if running is None or needed is None:
        return UNDECIDED
    return PASS if running >= needed else BLOCK


def _version(text: str) -> Any:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None


def _say_upstream(table: EvidenceTable, one: Upstream, row: int) -> str:
    item = _item(table, one.service, one.environment, row)
    place = one.environment or table.word(table.environment[row])
    running = "" if item is None else table.word(table.neighbours.version[item])
    if not running:
        return f"nobody recorded which {one.service} runs in {place}"
    said = f"{one.service} {running} runs in {place}"
    compared = not one.at_least or _version(running) is not None
    return said if compared else f"{said}, which cannot be compared with {one.at_least}"


def _say_dependant(table: EvidenceTable, one: Dependant, row: int) -> str:
    item = _item(table, one.service, one.environment, row)
    place = one.environment or table.word(table.environment[row])
    incidents = 0 if item is None else int(table.neighbours.open_incidents[item])
    if incidents:
        return f"{one.service} has {plural(incidents, 'open incident')} in {place}"
    if item is None or not table.neighbours.version[item]:
        return f"nobody recorded which {one.service} runs in {place}"
    return f"{one.service} has no open incident in {place}"


def _wish(one: Upstream) -> str:
    lowest = f" {one.at_least} or later" if one.at_least else ""
    freeze = ", outside its freezes" if one.freezes else ""
    return f"{one.service}{lowest}{_place(one.environment)}{freeze}"


def _place(environment: str) -> str:
    return f" in {environment}" if environment else ""
