"""Where a gate applies: to services of some tiers, and to changes that touch some paths or are large."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from amends.gates.gate import Setting
from amends.gates.shape import Strict
from amends.gates.table import Bools, EvidenceTable, Ints, items_of

Tier = Literal["system-wide", "client-specific"]

FAMILIES = ("releases", "changes")


def _check_glob(value: Any) -> Any:
    if isinstance(value, str) and not _is_pattern(value):
        raise ValueError(
            f"{value!r} is no pattern for paths; write it as in CODEOWNERS: db/**, *.sql, /docs/"
        )
    return value


def _is_pattern(text: str) -> bool:
    if not text.strip("/") or text != text.strip() or text[0] in "!#" or not text.isprintable():
        return False
    try:
        _patterns((text,))
    except ValueError:  # an unclosed [
        return False
    return True


Glob = Annotated[str, BeforeValidator(_check_glob), Field(min_length=1)]


class When(Strict):
    """For whom a gate is there; where it does not apply it passes and says so.

    With `tiers` it applies to services of those tiers alone. With `paths`, `lines_over` or `files_over` it
    applies to releases with a change that touches one of the paths, **or** has more lines, **or** more files.
    What nobody recorded about a change counts as if it were so: not knowing never makes a policy looser.
    """

    tiers: list[Tier] = Field(default_factory=list, description="tiers of services; empty: every tier")
    paths: list[Glob] = Field(default_factory=list, description="patterns as in CODEOWNERS: db/**, *.sql")
    lines_over: int | None = Field(default=None, ge=0, description="a change with more lines than this")
    files_over: int | None = Field(default=None, ge=0, description="a change with more files than this")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.tiers or self.of_changes):
            raise ValueError("`when` says nothing; allowed: tiers, paths, lines_over, files_over")
        return self

    @property
    def of_changes(self) -> bool:
        """Whether it depends on what the release's changes are."""
        return bool(self.paths) or self.lines_over is not None or self.files_over is not None

    def families(self) -> frozenset[str]:
        """Return the families of facts that it reads."""
        return frozenset(FAMILIES) if self.of_changes else frozenset()

    def applies(self, table: EvidenceTable, setting: Setting) -> Bools:
        """Return for each row whether the gate applies to it."""
        if self._is_for_others(setting):
            return np.zeros(len(table), dtype=np.bool_)
        if not self.of_changes:
            return np.ones(len(table), dtype=np.bool_)
        found = table.unknown_times(*FAMILIES) > 0
        found |= np.bincount(table.changes.row, minlength=len(table)) == 0
        found[table.changes.row[self._risky(table)]] = True
        return found

    def _is_for_others(self, setting: Setting) -> bool:
        return bool(self.tiers and setting.tier and setting.tier not in self.tiers)

    def _risky(self, table: EvidenceTable) -> Bools:
        """Return for each change whether it is one that the gate is for, or may be."""
        changes, paths = table.changes, table.paths
        listed = np.bincount(paths.item, minlength=len(changes.row))
        found: Bools = ~changes.merged
        if self.lines_over is not None:
            found = found | _over(changes.lines, self.lines_over)
        if self.files_over is not None:
            files = np.where((changes.files < 0) & (listed > 0), listed, changes.files)
            found = found | _over(files, self.files_over)
        if self.paths:
            touching = np.zeros(len(changes.row), dtype=np.bool_)
            touching[paths.item[self._matching(table)]] = True
            found = found | touching | (listed == 0)
        return found

    def _matching(self, table: EvidenceTable) -> Bools:
        """Return for each recorded path whether a pattern fits it; each distinct path is tried once."""
        owners = _patterns(tuple(self.paths))
        codes = np.unique(table.paths.path)
        wanted = [code for code in codes if owners.of(table.word(code))]
        return np.isin(table.paths.path, np.array(wanted, dtype=np.int64))

    def why_not(self, setting: Setting) -> str:
        """Say why the gate does not apply to a row."""
        if self._is_for_others(setting):
            return f"does not apply: it is for {_either(self.tiers)} services, and this one is {setting.tier}"
        return f"does not apply: no change of this release {self._traits()}"

    def events(self, table: EvidenceTable, row: int) -> tuple[str, ...]:
        """Return the events that say what the row's changes are."""
        return table.ids(table.changes.event[items_of(table.changes, row)]) if self.of_changes else ()

    def wants(self) -> str:
        """Say in a few words where the gate applies."""
        whose = f"services that are {_either(self.tiers)}" if self.tiers else "every service"
        return whose + (f", where a change {self._traits()}" if self.of_changes else "")

    def _traits(self) -> str:
        found = [f"touches {_either(self.paths)}"] if self.paths else []
        sizes = ((self.lines_over, "lines"), (self.files_over, "files"))
        found += [f"has more than {most} {what}" for most, what in sizes if most is not None]
        return _either(found)


def _over(count: Ints, most: int) -> Bools:
    return (count < 0) | (count > most)


def _either(words: list[Any]) -> str:
    return " or ".join(map(str, words))


@lru_cache(maxsize=64)
def _patterns(globs: tuple[str, ...]) -> Any:
    """Return what tells whether one of the patterns fits a path: CODEOWNERS is how amends reads paths."""
    from codeowners import CodeOwners

    escaped = (glob.replace(" ", r"\ ") for glob in globs)
    return CodeOwners("\n".join(f"{glob} @any" for glob in escaped))
