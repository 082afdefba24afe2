"""Policies that the log keeps: as they were when they decided, with what their calendars said."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ruamel.yaml import YAML

from amends.adapters.calendars import resolve_calendars
from amends.application.log import Log
from amends.events.payloads import PolicyAdopted
from amends.gates.policy import LoadedPolicy, Policy


def load_again(kept: PolicyAdopted) -> LoadedPolicy:
    """Return a policy from what the log keeps of it."""
    folder = str(Path(kept.path).parent)
    return LoadedPolicy(
        policy=Policy.model_validate(YAML(typ="safe", pure=True).load(kept.text)), text=kept.text,
        digest=kept.digest, path=kept.path, calendars=dict(kept.calendars),
        resolve=partial(resolve_calendars, dict(kept.calendars), folder),
    )  # fmt: skip


def last_adopted(log: Log) -> dict[str, LoadedPolicy]:
    """Return the last policy of each service by which something was decided."""
    kept = {
        fact.payload.service: fact.payload
        for fact in log.facts(kinds=["policy.adopted"])
        if isinstance(fact.payload, PolicyAdopted)
    }
    return {service: load_again(one) for service, one in kept.items()}
