"""Reading policies: what is wrong with one, what it asks, and which ones the log holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from amends.application.log import Log
from amends.errors import NotFoundError
from amends.events import payloads as p
from amends.gates.policy import LoadedPolicy, Policy
from amends.gates.practice import Arrival, Practice, practice_findings
from amends.gates.soundness import Finding, Weight, soundness_of
from amends.gates.window import LOOK_AHEAD
from amends.releases.catalogue import candidates, releases_of

_BEFORE = timedelta(days=5 * 365)  # a calendar that ended longer ago than that is empty
_RECENT = 2000  # runs and sign-offs that are looked through for a name
_ARRIVALS = 200  # deployments to an environment: enough for its rhythm


def check_policy(loaded: LoadedPolicy, now: datetime, log: Log | None) -> list[Finding]:
    """Return what is wrong with a policy, by line; held against the log where there is one."""
    epoch = now.timestamp()
    calendars = loaded.resolve(epoch, epoch + LOOK_AHEAD)
    past = loaded.resolve((now - _BEFORE).timestamp(), epoch)
    found = soundness_of(loaded.policy, calendars, past, now)
    if log is not None:
        found += practice_findings(loaded.policy, read_practice(log, loaded.policy, now))
    order = list(Weight)
    return sorted(found, key=lambda one: (loaded.line_of(one.place), order.index(one.weight)))


def read_practice(log: Log, policy: Policy, now: datetime) -> Practice:
    """Return what the log shows of a policy's service; bounded, however long the log is."""
    service = policy.service
    own = [f"service:{service}"]
    suites = log.facts(tags=own, kinds=["testsuiterun.finished"], newest_first=True, limit=_RECENT)
    signed = log.facts(tags=own, kinds=["signoff.given"], newest_first=True, limit=_RECENT)
    declared = releases_of(log.facts(tags=own, kinds=["artifact.packaged"]), service)
    places = [*policy.environments, *_other_places(log, policy)]
    teams = {
        team
        for entries in policy.gates.values()
        for entry in entries
        for team in entry.gate.teams(policy.team)
    }

    def name_of(release: str) -> str:
        found = candidates(declared, service, release)
        return found[-1].version if found else release

    return Practice(
        until=now.timestamp(),
        arrivals={place: tuple(_arrivals(log, service, place, name_of)) for place in places},
        suites=frozenset(f.payload.suite for f in suites if isinstance(f.payload, p.SuiteFinished)),
        roles=frozenset(f.payload.role for f in signed if isinstance(f.payload, p.SignedOff)),
        teams=frozenset(
            team for team in teams if log.facts(tags=_team(team), kinds=["shift.acknowledged"], limit=1)
        ),
        traffic=frozenset(
            place
            for place in places
            if log.facts(tags=[f"env:{service}/{place}"], kinds=["traffic.observed"], limit=1)
        ),
    )


def _team(team: str) -> list[str]:
    from amends.gates.table import team_name

    return sorted({f"team:{team}", f"team:{team_name(team)}"})


def _other_places(log: Log, policy: Policy) -> list[str]:
    """Return environments that the log has recent deployments to and the policy does not know."""
    moves = log.facts(
        tags=[f"service:{policy.service}"], kinds=["service.deployed", "service.upgraded"],
        newest_first=True, limit=_ARRIVALS,
    )  # fmt: skip
    seen = {str(getattr(fact.payload, "environment", "")) for fact in moves} - {""}
    return sorted(seen - set(policy.environments))


def _arrivals(log: Log, service: str, place: str, name_of: Callable[[str], str]) -> Iterator[Arrival]:
    """Yield when another release took an environment over, oldest first."""
    moves = log.facts(
        tags=[f"env:{service}/{place}"], kinds=["service.deployed", "service.upgraded", "service.rolledback"],
        newest_first=True, limit=_ARRIVALS,
    )  # fmt: skip
    holder = ""
    for fact in sorted(moves, key=lambda one: one.occurred_at):
        said = fact.payload
        if isinstance(said, p.ServiceRolledBack):
            holder = name_of(said.restored)
        elif isinstance(said, p.ServiceDeployed) and name_of(said.release) != holder:
            holder = name_of(said.release)
            yield Arrival(fact.occurred_at.timestamp(), holder)


def last_adopted(log: Log, service: str, digest: str = "") -> p.PolicyAdopted:
    """Return the policy that a service used last, or the one with this digest (or its first digits).

    Raises ``NotFoundError``.
    """
    known = [f.payload for f in log.stream(f"policy/{service}") if isinstance(f.payload, p.PolicyAdopted)]
    for adopted in reversed(known):
        if adopted.digest.startswith(digest):
            return adopted
    which = f"no policy {digest!r}" if digest else "no policy"
    has = f"; it has {', '.join(one.digest[:12] for one in known[-5:])}" if known else ""
    raise NotFoundError(
        f"the log holds {which} of {service}{has}", remedy="a policy is kept when its gates are first asked"
    )


def finding_data(loaded: LoadedPolicy, found: Finding) -> dict[str, Any]:
    """Return a finding in plain values."""
    return {
        "weight": found.weight.value, "path": loaded.path, "line": loaded.line_of(found.place),
        "text": found.text, "mend": found.mend,
    }  # fmt: skip
