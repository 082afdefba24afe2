"""The four answers that anything in amends may give, and how several combine into one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Decision(StrEnum):
    """What a gate, a policy or a proof says.

    Only ``PASS`` promotes. ``UNDECIDED`` means that evidence is missing or still maturing; ``ERROR`` means
    that the question could not be evaluated. Neither is ever read as health.
    """

    PASS = "pass"  # noqa: S105 - the word of the domain, not a password
    BLOCK = "block"
    UNDECIDED = "undecided"
    ERROR = "error"


# Worst first: a release that is blocked stays blocked whatever else could not be evaluated.
_SEVERITY = (Decision.BLOCK, Decision.ERROR, Decision.UNDECIDED, Decision.PASS)


def combine(decisions: Iterable[Decision]) -> Decision:
    """Return the decision of a whole from those of its parts.

    A block outweighs an error, an error outweighs undecided, and only unanimous passes pass. No parts at
    all is ``UNDECIDED``: an empty policy has shown nothing.
    """
    seen = set(decisions)
    for decision in _SEVERITY:
        if decision in seen:
            return decision
    return Decision.UNDECIDED


EXIT_CODES = {Decision.PASS: 0, Decision.BLOCK: 1, Decision.UNDECIDED: 3, Decision.ERROR: 4}
USAGE_EXIT_CODE = 2
