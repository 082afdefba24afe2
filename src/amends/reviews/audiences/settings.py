"""What ``notices.yaml`` declares: audiences, channels, who is told when, and what is never said."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from amends.events.payloads.notices import AudienceKind
from amends.gates.shape import Duration, Strict
from amends.reviews.audiences.price import WORDS_PER_MINUTE

Occasion = Literal["opened", "mitigated", "resolved", "reviewed"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]

WEB = "web"
"""The channel that is always there: the server's own pages."""

APPROVERS = ("engineering manager", "head of engineering", "head of support", "director", "cto")


class Email(Strict):
    """E-mail by SMTP (RFC 5321). ``to`` are lists or shared mailboxes of the audience."""

    server: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(alias="from", pattern=r"^[^@\s]+@[^@\s]+$")
    to: list[Annotated[str, Field(pattern=r"^[^@\s,;]+@[^@\s,;]+$")]] = Field(min_length=1)
    user_env: str = Field(default="", description="the variable that holds the user")
    password_env: str = Field(default="", description="the variable that holds the password")
    ca_file: str = Field(default="", description="a certificate authority of your own (PEM)")
    timeout: Duration = 30.0


class Apprise(Strict):
    """One of the services that Apprise reaches. Its URL is a secret, so it stands in a variable."""

    url_env: str = Field(min_length=1)


class Webhook(Strict):
    """A POST of JSON, signed by Standard Webhooks (symmetric, ``whsec_…``)."""

    url: str = Field(pattern=r"^https?://")
    secret_env: str = Field(min_length=1)
    ca_file: str = ""
    timeout: Duration = 15.0


class StatusPage(Strict):
    """A folder of static files with an Atom feed: only approved statements are in it."""

    folder: str = Field(min_length=1)
    url: str = Field(default="", description="where the folder is served, for the feed's links")
    title: str = "Service status"


class Channel(Strict):
    """One way to an audience: exactly one of these."""

    email: Email | None = None
    apprise: Apprise | None = None
    webhook: Webhook | None = None
    status_page: StatusPage | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.email, self.apprise, self.webhook, self.status_page)) != 1:
            raise ValueError("a channel has exactly one of email, apprise, webhook, status_page")
        return self


class Audience(Strict):
    """Who reads a notice. ``people`` is how many; ``services`` those it has to do with (all, if none).

    ``owners`` are the teams and roles whose reminders go there, beside one that is called like it.
    """

    kind: AudienceKind
    people: int | None = Field(default=None, ge=0)
    channels: list[str] = Field(default_factory=list)
    services: list[str] = Field(default_factory=list)
    owners: list[str] = Field(default_factory=list, description="teams and roles whose reminders go here")

    def concerns(self, service: str) -> bool:
        """Return whether an audience has to do with a service."""
        return not self.services or service in self.services


class Rule(Strict):
    """Tells audiences once when an incident was opened, mitigated, resolved, or its review published.

    With ``opened``, ``after`` is for how long it has lasted without being mitigated: 0 tells at once. Lists
    that are empty restrict nothing. ``by: digest`` keeps it for the weekly digest.
    """

    tell: list[str] = Field(min_length=1)
    when: Occasion = "opened"
    after: Duration = 0.0
    severities: list[str] = Field(default_factory=list)
    services: list[str] = Field(default_factory=list)
    environments: list[str] = Field(default_factory=list)
    by: Literal["now", "digest"] = "now"


class Digest(Strict):
    """When what can wait goes out, in UTC."""

    day: Day = "monday"
    at: str = Field(default="09:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Redaction(Strict):
    """What is never said, beside what looks like a secret, an address or an internal host by itself."""

    hosts: list[str] = Field(default_factory=list, description="suffixes of internal host names")
    public_hosts: list[str] = Field(default_factory=list, description="hosts that customers may read")
    names: list[str] = Field(default_factory=list, description="names of persons")


def _audiences() -> dict[str, Audience]:
    kinds: tuple[AudienceKind, ...] = ("team", "leadership", "dependants", "customers")
    return {kind: Audience(kind=kind) for kind in kinds}


class NoticePolicy(Strict):
    """The whole of ``notices.yaml``."""

    organisation: str = Field(default="", description="how the organisation calls itself to customers")
    public_url: str = Field(default="", pattern=r"^(https?://\S+)?$", description="this server, for links")
    products: dict[str, str] = Field(default_factory=dict, description="what customers call each service")
    approvers: list[str] = Field(default_factory=lambda: list(APPROVERS), min_length=1)
    audiences: dict[Name, Audience] = Field(default_factory=_audiences)
    channels: dict[Name, Channel] = Field(default_factory=dict)
    escalation: list[Rule] = Field(default_factory=list)
    digest: Digest = Field(default_factory=Digest)
    reminders: Literal["now", "digest", "off"] = Field(
        default="now", description="how owners are reminded: at once, in the weekly digest, or not at all"
    )
    redaction: Redaction = Field(default_factory=Redaction)
    words_per_minute: float = Field(default=WORDS_PER_MINUTE, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = list(self.faults())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def faults(self) -> Iterable[str]:
        """Yield what contradicts something else."""
        if WEB in self.channels:
            yield f"the channel {WEB!r} is always there; call yours something else"
        for name, audience in self.audiences.items():
            for channel in audience.channels:
                if channel not in self.channels and channel != WEB:
                    yield f"audience {name}: unknown channel {channel!r}; {_listed(self.channels)}"
                elif channel != WEB and self.channels[channel].status_page and audience.kind != "customers":
                    yield f"audience {name}: a status page is public, so only customers may have it"
        for number, rule in enumerate(self.escalation, 1):
            for name in rule.tell:
                if name not in self.audiences:
                    yield f"rule {number}: unknown audience {name!r}; {_listed(self.audiences)}"
            if rule.after and rule.when != "opened":
                yield f"rule {number}: `after` goes with `when: opened`"

    def may_approve(self, role: str) -> bool:
        """Return whether a role is one of management's that approve statements."""
        return _plain(role) in {_plain(one) for one in self.approvers}

    def product(self, service: str) -> str:
        """Return what customers call a service; a word that gives nothing away where nobody said."""
        return self.products.get(service, "our service")


def _plain(role: str) -> str:
    return re.sub(r"[\s_-]+", " ", role).strip().casefold()


def _listed(names: Iterable[str]) -> str:
    return f"there are: {', '.join(sorted(names)) or 'none'}"
