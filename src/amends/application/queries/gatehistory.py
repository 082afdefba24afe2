"""The gates that one change went through, as far as the log has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amends.application.log import Log
from amends.application.queries.releases import ReleaseView, release_view
from amends.events import payloads as p
from amends.events.event import format_time
from amends.releases.catalogue import releases_of


def gate_history(
    log: Log, commit: str, contains: Callable[[str, str], bool], *, service: str = ""
) -> list[dict[str, Any]]:
    """Return, for each service, the first declared release with a commit in it and what its gates decided.

    ``contains`` tells whether a release's commit has another among its ancestors. A release counts where
    its commit contains the change or its list of changes names it. Nothing here names a person: reviews are
    counted.
    """
    tags = (f"service:{service}",) if service else ()
    found: dict[str, dict[str, Any]] = {}
    for release in releases_of(log.facts(tags=tags, kinds=("artifact.packaged",)), service):
        if release.service in found:
            continue
        named = any(len(change) >= 7 and commit.startswith(change.lower()) for change in release.changes)
        if named or (release.commit and contains(release.commit, commit)):
            view = release_view(log, release.service, release.version)
            found[release.service] = _told(view, commit)
    return list(found.values())


def _told(view: ReleaseView, commit: str) -> dict[str, Any]:
    own = [one for one in view.changes if len(one.change) >= 7 and commit.startswith(one.change.lower())]
    return {
        "service": view.service,
        "release": view.version,
        "approvals": own[0].approvals if own and own[0].merged else None,
        "decisions": [_decision(one.decided) for one in view.gates],
        "incidents": [
            fact.payload.incident for fact in view.incidents if isinstance(fact.payload, p.IncidentOpened)
        ],
    }


def _decision(decided: p.GatesDecided) -> dict[str, Any]:
    return {
        "environment": decided.environment,
        "at": format_time(decided.at),
        "decision": decided.decision,
        "gates": [
            {"gate": row.gate, "decision": row.decision, "reason": row.reason} for row in decided.gates
        ],
    }
