"""One version of a policy, wherever it is kept: a file, a revision of git, or the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from amends.adapters.codehost import GitHost
from amends.adapters.policyfile.reading import parse_policy, read_text
from amends.errors import NotFoundError
from amends.events.payloads import PolicyAdopted
from amends.gates.policy import LoadedPolicy

ADOPTED = "adopted"


def read_version(name: str, adopted: Callable[[str], PolicyAdopted]) -> LoadedPolicy:
    """Read one version of a policy, to be compared: without its calendars.

    Parameters
    ----------
    name:
        A file; ``REV:FILE``, as git writes it; ``adopted`` for the service's last policy in the log, or
        ``adopted:DIGEST`` for an earlier one.
    adopted:
        Returns what the log holds under a digest or its first digits; empty: the last.

    Raises ``PolicyError`` when it is no policy, ``NotFoundError`` when there is none.
    """
    head, _, rest = name.partition(":")
    if Path(name).exists() or not (rest or head == ADOPTED):
        return parse_policy(read_text(Path(name)), name, with_calendars=False)
    if head == ADOPTED:
        kept = adopted(rest)
        return parse_policy(kept.text, f"{ADOPTED}:{kept.digest[:12]}", with_calendars=False)
    text = GitHost(Path()).show(head, rest)
    if text is None:
        raise NotFoundError(f"there is no {rest} at {head}", remedy="name it as git does: REV:FILE")
    return parse_policy(text, name, with_calendars=False)
