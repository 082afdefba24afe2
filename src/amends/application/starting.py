"""The first ``amends.yaml`` of a repository, from what can be seen of it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Survey:
    """What a repository shows of itself. Each ``…_from`` says where it was seen; empty: it is a guess.

    ``notes`` are for the person who asked.
    """

    service: str
    service_from: str = ""
    team: str = ""
    team_from: str = ""
    test: str = ""
    test_from: str = ""
    version: str = ""
    notes: tuple[str, ...] = ()


def draft_policy(survey: Survey) -> str:
    """Return the text of a working policy: the six gates, each observing, with why each is there."""
    return _TEMPLATE.format(
        service=_yaml(survey.service), service_from=_from(survey.service_from, "the folder's name; a guess"),
        team=_yaml(survey.team or f"{survey.service}-team"),
        team_from=_from(survey.team_from, "a guess: CODEOWNERS names no team"),
        test=_yaml(survey.test), test_from=_from(survey.test_from, "not found: write the command here"),
    )  # fmt: skip


def _from(seen: str, otherwise: str) -> str:
    return f"from {seen}" if seen else otherwise


def _yaml(text: str) -> str:
    # JSON's strings are YAML's double-quoted ones.
    plain = text and text.replace("-", "").replace("_", "").isalnum() and text[0].isalpha()
    return text if plain and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


_WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}

_TEMPLATE = """\
# What a release of this service meets on its way to production.
# `amends policy check` says whether this file is well formed; the reference is docs/reference/gates.md.

service: {service}  # {service_from}
team: {team}  # {team_from}
tier: client-specific  # or system-wide, for what every client depends on
test: {test}  # a guess, {test_from}

# In the order in which a release passes through them.
environments: [dev, staging, production]

# Every gate begins with `mode: observe`: it reports what it would have held up, and holds up nothing.
# Set `mode: block` where it shall count.
gates:
  dev: []
  staging: []
  production:
    # Somebody other than the author has seen each change.
    - review: {{approvals: 1}}
      mode: observe

    # The suites that `amends record tests` names succeeded for this very version.
    - tests: {{suites: [unit]}}
      mode: observe

    # A person in this role tried it by hand.
    - sign_off: {{role: qa}}
      mode: observe

    # It ran in staging for a while, with real requests; time without traffic shows nothing.
    - soak: {{environment: staging, for: 7d, min_requests: 1000}}
      mode: observe

    # People are at work to see what happens. `freezes: freezes.ics` adds a calendar of freezes.
    - window: {{days: [mon..thu], hours: "09:00-16:00", time_zone: UTC}}
      mode: observe

    # Somebody is on shift and has said so (`amends record shift`).
    - watchers: {{role: on-call, at_least: 1}}
      mode: observe

# How traffic moves to a new version where amends deploys it itself. Without a `deploy:` section it only
# records what your pipeline tells it (`amends record deployed`, `amends record rolled-back`).
rollout:
  steps:
    - {{weight: 10, for: 5m}}
    - {{weight: 50, for: 10m}}
"""
