"""The releases of a table: several rows may be changes of one, and of one release there may be several
deployments. So they are told at the end, in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from amends.adapters.histories.tablerow import Entry
from amends.application.history import Remark, Told
from amends.events import payloads as p


@dataclass(slots=True)
class _Release:
    """What rows say of a release; ``changes`` holds the first row of each."""

    service: str
    version: str
    changes: dict[str, Entry] = field(default_factory=dict)
    deployments: dict[tuple[str, datetime], str] = field(default_factory=dict)

    @property
    def first(self) -> Entry:
        return next(iter(self.changes.values()))

    def declared(self) -> tuple[datetime, bool]:
        """Return when it was declared at the latest, and whether that is known: all merged, or deployed."""
        merges = [entry.merged for entry in self.changes.values() if entry.datable]
        merged = max((at for at in merges if at), default=None)
        whole = len(merges) == len(self.changes) and all(merges)
        deployed = min((at for _, at in self.deployments), default=None)
        if whole and merged and not (deployed and deployed < merged):
            return merged, True
        if deployed:
            return deployed, True
        moment = merged or self.first.any_time
        assert moment is not None
        return moment, False


class Releases:
    """Gathers releases row by row. ``suite`` is what the run behind checks_passed is called."""

    def __init__(self, suite: str, team: str) -> None:
        self._suite = suite
        self._team = team
        self._found: dict[tuple[str, str], _Release] = {}
        self._incidents: dict[tuple[str, str, str, str], Entry] = {}
        self._partly = 0
        self._open = 0

    def add(self, entry: Entry) -> None:
        """Take in a row."""
        version = entry.release or entry.change
        release = self._found.setdefault((entry.service, version), _Release(entry.service, version))
        release.changes.setdefault(entry.change, entry)
        if entry.deployed:
            release.deployments.setdefault((entry.environment, entry.deployed), entry.where)
        if entry.incident:
            self._incidents.setdefault((entry.service, entry.incident, version, entry.environment), entry)

    def read(self) -> Iterator[Told]:
        """Yield releases with their checks, then deployments, then incidents, each by time."""
        dated = sorted(self._found.values(), key=lambda release: release.declared()[0])
        for release in dated:
            yield from self._release(release)
        yield from self._deployments()
        for key, entry in self._incidents.items():
            yield from self._incident(key, entry)

    def _release(self, release: _Release) -> Iterator[Told]:
        at, known = release.declared()
        payload = p.ReleaseDeclared(
            service=release.service, version=release.version, changes=tuple(release.changes), team=self._team
        )
        key, where = (release.service, release.version), release.first.where
        yield Told("artifact.packaged", payload, key, at, at if known else None, where)
        yield from self._checks(release)

    def _checks(self, release: _Release) -> Iterator[Told]:
        """A release's checks passed when those of each of its changes did, and failed when any failed."""
        entries = release.changes.values()
        failed = sum(entry.checks is False for entry in entries)
        passed = sum(entry.checks is True for entry in entries)
        if not failed and passed < len(entries):
            self._partly += passed > 0
            return
        known = [entry.known for entry in entries if entry.checks is not None]
        dated = [at for at in known if at]
        moment = max(dated) if dated else release.declared()[0]
        payload = p.SuiteFinished(
            service=release.service, release=release.version, suite=self._suite, passed=passed, failed=failed,
            outcome="failure" if failed else "success",
        )  # fmt: skip
        key = (release.service, release.version, self._suite)
        at = moment if len(dated) == len(known) else None
        yield Told("testsuiterun.finished", payload, key, moment, at, release.first.where)

    def _deployments(self) -> Iterator[Told]:
        found = sorted(
            (at, release.service, environment, release.version, where)
            for release in self._found.values()
            for (environment, at), where in release.deployments.items()
        )
        running: dict[tuple[str, str], str] = {}
        for at, service, environment, version, where in found:
            previous = running.get((service, environment), "")
            running[service, environment] = version
            payload = p.ServiceDeployed(
                service=service, release=version, environment=environment, previous=previous
            )
            kind = "service.upgraded" if previous else "service.deployed"
            yield Told(kind, payload, (service, version, environment, at.isoformat()), at, at, where)

    def _incident(self, key: tuple[str, str, str, str], entry: Entry) -> Iterator[Told]:
        service, incident, version, environment = key
        at = entry.reverted or entry.deployed
        # Of an incident whose end is not stated nobody says when it was known: at its deployment it was not.
        known = entry.reverted if entry.revert_datable else None
        moment = at or entry.any_time
        assert moment is not None
        payload = p.IncidentOpened(
            incident=incident, service=service, environment=environment, release=version, opened_by="person",
            summary=entry.reason or f"{incident}, as the imported table has it", team=self._team,
            deployed_at=entry.deployed,
        )  # fmt: skip
        yield Told("incident.detected", payload, key, moment, known, entry.where)
        if entry.reverted:
            ended = p.IncidentMoved(
                incident=incident, service=service, environment=environment, reason="the change was reverted"
            )
            yield Told("incident.resolved", ended, key, entry.reverted, known, entry.where)
        else:
            self._open += 1

    def remarks(self) -> Iterator[Remark]:
        """Yield what to say of them at the end."""
        if self._partly:
            yield Remark(
                "note",
                f"{self._partly} releases have changes without checks_passed: whether theirs passed is "
                f"undecided",
            )
        if self._open:
            yield Remark("note", f"{self._open} incidents stay open: the table does not say when they ended")
