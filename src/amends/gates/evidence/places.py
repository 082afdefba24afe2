"""Where the release is and was, what went wrong there, and what watches and replays said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amends.events import payloads as p
from amends.gates.evidence.facts import Seen
from amends.gates.evidence.row import Row
from amends.gates.gate import BLOCK, ERROR, PASS, UNDECIDED, plural
from amends.gates.table import Results, Stays

MOVED = ("service.deployed", "service.upgraded", "service.rolledback")
_Trouble = tuple[Seen, Seen | None]
_DECISIONS = {"pass": PASS, "undecided": UNDECIDED, "error": ERROR, "block": BLOCK}
_ENDS = {"promoted": PASS, "rolled_back": BLOCK, "failed": ERROR, "aborted": UNDECIDED}


def fill_stays(row: Row) -> None:
    """Add how the release stands in each environment in which it was ever seen."""
    since: dict[str, Seen | None] = {}
    for seen in row.facts("deployments", row.of_service, *MOVED):
        said = seen.payload
        if row.is_mine(holder(said)):
            since[said.environment] = since.get(said.environment) or seen
        elif said.environment in since:
            since[said.environment] = None
    traffic = row.facts("traffic", row.of_release, "traffic.observed")

    def wanted(said: Any) -> bool:
        return row.of_service(said) and (not said.release or row.is_mine(said.release))

    troubles = incidents(row, "incidents", wanted)
    for environment, start in since.items():
        _stay(row, environment, start, traffic, troubles)


def fill_results(row: Row) -> None:
    """Add how the release's last deployment to each environment ended, and its last replay.

    A deployment that was refused never began, and says nothing.
    """
    ended = row.facts("results", row.of_release, "deployment.finished")
    last = {seen.payload.environment: seen for seen in ended if seen.payload.outcome in _ENDS}
    for environment, seen in last.items():
        said = seen.payload
        watched = said.outcome != "promoted" or said.watch == "passed"
        row.add(
            Results, part="watch", environment=environment, event=seen.id,
            decision=_ENDS[said.outcome] if watched else UNDECIDED, detail=how_it_ended(said),
        )  # fmt: skip
    for seen in row.facts("results", row.of_release, "replay.finished")[-1:]:
        said = seen.payload
        row.add(
            Results, part="replay", environment="", decision=_DECISIONS[said.decision],
            detail=what_replay_says(said), event=seen.id,
        )  # fmt: skip


def incidents(row: Row, family: str, wanted: Any, since: float = float("-inf")) -> list[_Trouble]:
    """Return the wanted incidents since a moment, oldest first, each with its resolution if it has one."""
    opened = row.facts(family, wanted, "incident.detected", since=since)
    mine = {seen.payload.incident for seen in opened}
    moved = row.facts(family, lambda said: said.incident in mine, "incident.resolved", "incident.reopened")
    last = {seen.payload.incident: seen for seen in moved}
    return [
        (seen, end if (end := last.get(seen.payload.incident)) and end.kind == "incident.resolved" else None)
        for seen in opened
    ]


def holder(said: Any) -> str:
    """Return the release that an environment has after a move, as the move names it."""
    return str(said.restored if isinstance(said, p.ServiceRolledBack) else said.release)


def how_it_ended(said: p.DeploymentFinished) -> str:
    """Say in words how a deployment ended, as far as its watch is concerned."""
    if said.outcome == "promoted":
        return {
            "passed": "was promoted by its watch",
            "inconclusive": "was promoted although its watch was inconclusive",
            "none": "was promoted without a watch",
        }.get(said.watch, "was promoted, and nobody recorded whether it was watched")
    return {
        "rolled_back": "was rolled back", "failed": "failed to start", "aborted": "was aborted",
    }[said.outcome]  # fmt: skip


def what_replay_says(said: p.ReplayFinished) -> str:
    """Say in words what a replay found."""
    requests = f"had {plural(said.requests, 'recorded request')} replayed"
    found = f"{requests}, {said.differences:,} with a reply that should not differ"
    return f"{found}: {said.reason}" if said.reason else found


def _stay(
    row: Row, environment: str, start: Seen | None, traffic: list[Seen], troubles: Sequence[_Trouble]
) -> None:
    since = start.occurred if start else float("nan")
    mine = [
        (seen, end) for seen, end in troubles
        if seen.payload.environment == environment and (seen.payload.release or seen.occurred >= since)
    ]  # fmt: skip
    ends = [end for _, end in mine if end and end.occurred >= since]
    quiet = max([since, *(end.occurred for end in ends)])
    still = [seen for seen, end in mine if end is None]
    served = [(seen, count) for seen in traffic if (count := _served(row, seen, environment, quiet)) >= 0]
    row.add(
        Stays, environment=environment, since=since, quiet_since=quiet,
        requests=sum(count for _, count in served), observations=len(served), open_incidents=len(still),
        event=start.id if start else "",
        incident=still[-1].id if still else ends[-1].id if ends else "",
        traffic=served[-1][0].id if served else "",
    )  # fmt: skip


def _served(row: Row, seen: Seen, environment: str, quiet: float) -> int:
    """Return how many of an observation's requests fall into the quiet time; -1 when none can.

    An observation that only partly overlaps counts in proportion, rounded down.
    """
    said = seen.payload
    begin, end = said.since.timestamp(), said.until.timestamp()
    first, last = max(begin, quiet), min(end, row.question.at.timestamp())
    if said.environment != environment or not first <= last or (first == last and begin != end):
        return -1
    share = (last - first) / (end - begin) if end > begin else 1.0
    return int(said.requests * share + 1e-9)
