"""What runs where, and what must not run."""

from __future__ import annotations

from amends.events.payloads.base import Payload


class ServiceDeployed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release took over an environment. ``deployment`` is empty when amends only heard of it."""

    service: str
    release: str
    environment: str
    previous: str = ""
    deployment: str = ""


class ServiceRolledBack(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An environment went back from ``release`` to ``restored``."""

    service: str
    release: str
    restored: str
    environment: str
    reason: str = ""
    deployment: str = ""


class QuarantineSet(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release must not be deployed again until its incident says otherwise."""

    service: str
    release: str
    reason: str
    incident: str = ""
    deployment: str = ""


class QuarantineLifted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    service: str
    release: str
    reason: str
    role: str
    incident: str = ""
