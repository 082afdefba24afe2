"""What the gates about single tests share: how one test's outcome counts, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from amends.gates.gate import PASS, UNDECIDED
from amends.gates.table import (
    BROKEN,
    FAILED,
    PASSED,
    SKIPPED,
    UNSEEN,
    Bools,
    Codes,
    EvidenceTable,
    Ints,
)

SAID = {
    PASSED: "passed", FAILED: "failed", BROKEN: "broke before it could tell", SKIPPED: "was skipped",
    UNSEEN: "was not seen",
}  # fmt: skip


def meanings(outcome: Codes, means: Mapping[int, int]) -> Codes:
    """Return the decision that each test's outcome comes to."""
    found = np.full(len(outcome), UNDECIDED, dtype=np.int8)
    for code, decision in means.items():
        found[outcome == code] = decision
    return found


def worst_of(row: Ints, meaning: Codes, rows: int) -> Codes:
    """Return for each row the worst of its items; a row without any passes."""
    decision = np.full(rows, PASS, dtype=np.int8)
    np.maximum.at(decision, row, meaning)
    return decision


def all_listed(table: EvidenceTable, suites: Sequence[str]) -> Bools:
    """Return for each row whether every one of these suites ran and named its tests.

    Then a test that none of them names is not there. False where no suite is given.
    """
    found = np.full(len(table), bool(suites))
    for suite in suites:
        listed = np.zeros(len(table), dtype=np.bool_)
        mine = (table.suites.suite == table.code(suite)) & (table.suites.listed > 0)
        listed[table.suites.row[mine]] = True
        found &= listed
    return found


def told(count: int, things: Sequence[str], of: str, lack: str, each: Callable[[str], str]) -> str:
    """Write ``2 of 5 edge cases are not covered: a failed, b was skipped``: the first three by name."""
    named = ", ".join(each(thing) for thing in things[:3])
    more = f" and {len(things) - 3} more" if len(things) > 3 else ""
    verb = "is" if len(things) == 1 else "are"
    return f"{len(things)} of {count} {of if count == 1 else of + 's'} {verb} {lack}: {named}{more}"
