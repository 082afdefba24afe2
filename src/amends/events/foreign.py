"""What CDEvents of other tools say in our words, as far as they really say it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from amends.events import payloads as p


def parse_purl(artifact: str) -> tuple[str, str] | None:
    """Read name and version from a package URL; ``None`` when it is not one or names no version."""
    if not artifact.startswith("pkg:"):
        return None
    path = artifact.removeprefix("pkg:").split("?", 1)[0].split("#", 1)[0]
    path, at, version = path.rpartition("@")
    name = path.rsplit("/", 1)[-1]
    return (unquote(name), unquote(version)) if at and name and version else None


def translate(kind: str, data: Any) -> p.Payload | None:
    """Return the payload that a standard CDEvent of another tool amounts to, or ``None``."""
    reader = _READERS.get(kind)
    if reader is None or not isinstance(data, dict):
        return None
    subject = data.get("subject")
    content = subject.get("content") if isinstance(subject, dict) else None
    if not isinstance(subject, dict) or not isinstance(content, dict):
        return None
    return reader(str(subject.get("id", "")), content)


def _environment(content: dict[str, Any]) -> str:
    place = content.get("environment")
    return str(place.get("id", "")) if isinstance(place, dict) else ""


def _deployed(service: str, content: dict[str, Any]) -> p.Payload | None:
    artifact = parse_purl(str(content.get("artifactId", "")))
    if artifact is None or not _environment(content):
        return None
    return p.ServiceDeployed(service=service, release=artifact[1], environment=_environment(content))


def _rolled_back(service: str, content: dict[str, Any]) -> p.Payload | None:
    artifact = parse_purl(str(content.get("artifactId", "")))
    if artifact is None or not _environment(content):
        return None
    return p.ServiceRolledBack(
        service=service, release="", restored=artifact[1], environment=_environment(content)
    )


def _incident(incident: str, content: dict[str, Any]) -> p.Payload | None:
    place = content.get("service")
    artifact = parse_purl(str(content.get("artifactId", "")))
    service = str(place.get("id", "")) if isinstance(place, dict) else (artifact[0] if artifact else "")
    if not service:
        return None
    return p.IncidentOpened(
        incident=incident, service=service, environment=_environment(content), opened_by="alert",
        summary=str(content.get("description", "")), release=artifact[1] if artifact else "",
    )  # fmt: skip


_READERS = {
    "service.deployed": _deployed,
    "service.upgraded": _deployed,
    "service.rolledback": _rolled_back,
    "incident.detected": _incident,
}
