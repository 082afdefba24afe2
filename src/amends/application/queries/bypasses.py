"""Which deployments went around their gates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from amends.application.desk import Receipt
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import ReleaseRef
from amends.releases.bypass import BYPASS_KINDS, Bypass, BypassLedger, Names
from amends.releases.catalogue import Release, candidates, releases_of


def list_bypasses(
    log: Log, service: str = "", environment: str = "", *, since: datetime | None = None,
    limit: int | None = None,
) -> list[Bypass]:  # fmt: skip
    """Return deployments without a pass of their gates, the latest first; ``since`` excluded."""
    tags = [f"service:{service}"] if service else []
    facts = log.facts(tags=tags, kinds=[*BYPASS_KINDS, "artifact.packaged"])
    ledger = ledger_of(facts)
    found = [
        one
        for one in ledger.all(names_in(releases_of(facts)))
        if environment in ("", one.environment) and (since is None or one.at > since)
    ]
    return found[:limit]


def bypasses_of(log: Log, service: str, moves: Iterable[Fact]) -> list[Bypass]:
    """Return which of some deployments were bypasses, reading what names their releases and no more."""
    found: dict[str, Bypass] = {}
    wanted = {fact.id: fact.payload for fact in moves if isinstance(fact.payload, p.ServiceDeployed)}
    for name in sorted({said.release for said in wanted.values()}):
        names = _names(log, service, name)
        tags = [f"release:{service}@{alias}" for alias in sorted(names)]
        facts = log.facts(tags=tags, kinds=BYPASS_KINDS)
        found |= {one.event: one for one in bypasses_among(log, service, facts, names)}
    return [one for one in found.values() if one.event in wanted]


def _names(log: Log, service: str, name: str) -> set[str]:
    """Return every name of a release, whose declaration is found by any of them."""
    tagged = log.facts(tags=[f"release:{service}@{name}"], kinds=["artifact.packaged"])
    declared = releases_of(tagged, service)
    if not declared:  # by the first digits of its commit: no tag leads there
        declared = releases_of(log.facts(tags=[f"service:{service}"], kinds=["artifact.packaged"]), service)
    return {name, *names_in(declared)(service, name)}


def bypasses_among(log: Log, service: str, facts: Iterable[Fact], names: Collection[str]) -> list[Bypass]:
    """Return which of one release's deployments were bypasses; ``facts`` are what names the release."""
    ledger = ledger_of([*facts, *log.stream(f"policy/{service}")])
    return ledger.all(lambda _service, _name: names)


def bypass_of(log: Log, release: ReleaseRef, deployment: str) -> Bypass | None:
    """Return a deployment that amends carried out as a bypass, if it was one."""
    names = [name for name in (release.version, release.commit, release.digest) if name]
    tags = [f"release:{release.service}@{name}" for name in names]
    found = bypasses_among(log, release.service, log.facts(tags=tags, kinds=BYPASS_KINDS), names)
    return next((one for one in found if one.deployment == deployment), None)


def note_bypass(log: Log, receipt: Receipt, notes: tuple[str, ...]) -> Receipt:
    """Return a deployment's receipt with these notes, and with one when it went around its gates."""
    said = receipt.fact.payload
    assert isinstance(said, p.ServiceDeployed)
    told = [f"bypassed: {one.reason}" for one in bypasses_of(log, said.service, [receipt.fact])]
    return replace(receipt, notes=(*receipt.notes, *notes, *told))


def ledger_of(facts: Iterable[Fact]) -> BypassLedger:
    """Return a ledger that has taken these facts."""
    ledger = BypassLedger(gated_environments)
    for fact in facts:
        ledger.take(fact)
    return ledger


def names_in(releases: Iterable[Release]) -> Names:
    """Return what gives a release's names, among these releases."""
    by_service: dict[str, list[Release]] = {}
    whole: dict[tuple[str, str], Release] = {}
    for release in releases:
        by_service.setdefault(release.service, []).append(release)
        whole |= {(release.service, alias): release for alias in release.aliases}

    def names(service: str, name: str) -> Collection[str]:
        known = whole.get((service, name))
        found = [known] if known else candidates(by_service.get(service, []), service, name)
        return found[-1].aliases if found else ()

    return names


@lru_cache(maxsize=256)
def gated_environments(text: str) -> frozenset[str]:
    """Return the environments for which a policy's text sets gates; none when it is not a policy."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return frozenset()
    gates = found.get("gates") if isinstance(found, dict) else None
    return (
        frozenset(str(name) for name, listed in gates.items() if listed)
        if isinstance(gates, dict)
        else frozenset()
    )
