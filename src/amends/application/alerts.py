"""Incidents from alerts: Prometheus Alertmanager's webhook, version 4.

Alerts come twice, late and in any order. An alert is told by its fingerprint and when it began; each is taken
once, whatever the number of deliveries. Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from amends.application.incidents import SOURCE, incident_of_key, list_incidents, open_incident
from amends.application.log import Log
from amends.application.record import release_names, require_incident
from amends.errors import EventConflictError, UsageError
from amends.events import payloads as p
from amends.events.event import parse_time
from amends.incidents.incident import Lifecycle
from amends.releases.catalogue import candidates, releases_of
from amends.releases.standing import STANDING_KINDS, Standing, fold_standing

_NO_TIME = "0001-01-01T00:00:00Z"  # how Alertmanager writes "not ended yet"


@dataclass(frozen=True, slots=True)
class AlertLabels:
    """Which labels of an alert name the service, the environment, the release and the severity."""

    service: str = "service"
    environment: str = "environment"
    release: str = "release"
    severity: str = "severity"
    default_environment: str = "production"


@dataclass(frozen=True, slots=True)
class AlertTaken:
    """What became of one alert of a delivery; ``reason`` says why it was not taken."""

    fingerprint: str
    did: Literal["opened", "attached", "known", "ended", "refused"]
    incident: str = ""
    reason: str = ""


_DEFAULT_LABELS = AlertLabels()


def open_from_alert(
    log: Log, delivery: Mapping[str, Any], *, labels: AlertLabels = _DEFAULT_LABELS
) -> list[AlertTaken]:
    """Take a delivery; return what became of each of its alerts.

    A firing alert opens an incident, or is noted on one that is open already for the same release in the same
    environment. A resolved one sets the milestone *mitigated*, which a person's word or an observed rollback
    outweighs. The release is the one that the alert names, or else the one that ran when the alert began;
    during a rollout both could be meant, and none is guessed.

    Raises ``UsageError`` when this is no delivery of version 4.
    """
    alerts = delivery.get("alerts")
    if not isinstance(alerts, list) or str(delivery.get("version", "4")) != "4":
        raise UsageError(
            f"found a delivery of version {delivery.get('version')!r}; allowed is Alertmanager's version 4, "
            "with a list of alerts",
            remedy="point a webhook_config of Alertmanager at this address",
        )
    return [_take(log, alert, labels) for alert in alerts]


def _take(log: Log, alert: Any, labels: AlertLabels) -> AlertTaken:
    if not isinstance(alert, Mapping) or not isinstance(alert.get("labels"), Mapping):
        return AlertTaken("", "refused", reason="an alert is an object with labels")
    fingerprint = str(alert.get("fingerprint") or "")
    try:
        starts = parse_time(str(alert.get("startsAt", "")))
    except UsageError as error:
        return AlertTaken(fingerprint, "refused", reason=error.message)
    service = str(alert["labels"].get(labels.service) or "")
    if not service or not fingerprint:
        missing = f"label {labels.service}" if fingerprint else "fingerprint"
        return AlertTaken(fingerprint, "refused", reason=f"it has no {missing}")
    identity = f"alert:{fingerprint}/{starts.isoformat()}"
    taken = _opened(log, alert, labels, service, starts, identity)
    if alert.get("status") != "resolved":
        return taken
    _ended(log, alert, taken.incident, identity)
    return AlertTaken(fingerprint, "ended", taken.incident)


def _opened(
    log: Log, alert: Mapping[str, Any], labels: AlertLabels, service: str, starts: datetime, identity: str
) -> AlertTaken:  # fmt: skip
    fingerprint = str(alert["fingerprint"])
    known = incident_of_key(log, identity) or _noted(log, identity)
    if known:
        return AlertTaken(fingerprint, "known", known)
    environment = str(alert["labels"].get(labels.environment) or labels.default_environment)
    release, previous, doubt = _identity(log, alert, labels, service, environment, starts)
    summary = _summary(alert)
    same = _open_already(log, service, environment, release)
    if same:
        note = p.NoteTaken(
            incident=same, service=service, text=f"Alert fires: {summary}", at=starts, role="alert"
        )
        log.record("note.taken", note, id=f"incident:{identity}", source=f"{SOURCE}/notes", at=starts)
        return AlertTaken(fingerprint, "attached", same)
    incident = open_incident(
        log, service=service, release=release, previous=previous, environment=environment,
        summary=f"{summary}{doubt}", opened_by="alert",
        severity=str(alert["labels"].get(labels.severity) or ""), alert=_kept(alert), at=starts, key=identity,
    )  # fmt: skip
    return AlertTaken(fingerprint, "opened", incident)


def _noted(log: Log, identity: str) -> str | None:
    for record in log.store.find(f"incident:{identity}"):
        if record.event.source == f"{SOURCE}/notes":
            return record.stream.removeprefix("incident/")
    return None


def _ended(log: Log, alert: Mapping[str, Any], incident: str, identity: str) -> None:
    ends = str(alert.get("endsAt") or _NO_TIME)
    at = log.clock.now() if ends == _NO_TIME else parse_time(ends)
    opened = require_incident(log, incident)
    told = p.MilestoneSet(
        incident=incident, service=opened.service, milestone="mitigated", at=at, source="the alert ended"
    )
    try:
        log.record("milestone.set", told, id=f"ended:{identity}", source=SOURCE, at=at)
    except EventConflictError:
        return  # delivered before, with another end: the first word stands


def _identity(
    log: Log, alert: Mapping[str, Any], labels: AlertLabels, service: str, environment: str, starts: datetime
) -> tuple[str, str, str]:  # fmt: skip
    """Return the release, its predecessor, and what is doubtful about them."""
    standing = _standing(log, service, environment, starts)
    named = str(alert["labels"].get(labels.release) or "")
    if named:
        return named, _before(standing, named), ""
    if standing.open_release and standing.open_release != standing.release:
        both = f" (while {standing.open_release} was being rolled out beside {standing.release or 'nothing'})"
        return "", "", both
    return standing.release, _before(standing, standing.release), ""


def _standing(log: Log, service: str, environment: str, at: datetime) -> Standing:
    declared = log.facts(tags=[f"service:{service}"], kinds=["artifact.packaged"])
    releases = releases_of(declared, service)

    def canonical(name: str) -> str:
        found = candidates(releases, service, name)
        return found[-1].version if found else name

    facts = log.facts(tags=[f"env:{service}/{environment}"], kinds=STANDING_KINDS)
    then = [fact for fact in facts if fact.occurred_at <= at]
    return fold_standing(then, canonical).get(environment) or Standing(service, environment)


def _before(standing: Standing, release: str) -> str:
    if release and release != standing.release:
        return standing.release
    return next((name for name in reversed(standing.good) if name != release), "")


def _open_already(log: Log, service: str, environment: str, release: str) -> str:
    """Return an unresolved incident of the same release in the same environment."""
    if not release:
        return ""
    names = release_names(log, service, release)
    for incident in list_incidents(log, service=service, limit=20):
        same = incident.environment == environment and incident.release in names
        if same and incident.state is not Lifecycle.RESOLVED:
            return incident.id
    return ""


def _summary(alert: Mapping[str, Any]) -> str:
    annotations = alert.get("annotations")
    texts = annotations if isinstance(annotations, Mapping) else {}
    name = str(alert["labels"].get("alertname") or "alert")
    text = str(texts.get("summary") or texts.get("description") or "").strip()
    return f"{name}: {text}" if text else name


def _kept(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what tells the alert again, and leave out links that may hold secrets."""
    return {
        "fingerprint": alert.get("fingerprint"),
        "startsAt": alert.get("startsAt"),
        "labels": dict(alert["labels"]),
        "annotations": dict(alert.get("annotations") or {}),
    }
