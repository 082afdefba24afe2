"""A deployment, from its request to its end."""

from __future__ import annotations

from typing import Any, Literal

from amends.events.payloads.base import Payload


class DeploymentRequested(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Someone asked to bring a release to an environment.

    ``plan`` is the snapshot of rollout, watch and deployer settings that this deployment follows to its
    end, whatever happens to ``amends.yaml`` meanwhile. ``kind`` is ``rollback`` for ``amends rollback``.
    ``forecast`` is what its watch was expected to find, said before it began; empty where nothing is watched.
    """

    deployment: str
    service: str
    release: str
    environment: str
    plan: dict[str, Any]
    policy: str
    commit: str = ""
    digest: str = ""
    previous: str = ""
    previous_commit: str = ""
    previous_digest: str = ""
    role: str = ""
    reason: str = ""
    kind: Literal["rollout", "rollback"] = "rollout"
    forecast: dict[str, Any] = {}


class DeploymentSteered(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person approved, paused, resumed or aborted a deployment; the event's kind says which."""

    deployment: str
    service: str
    environment: str
    role: str = ""
    by: str = ""
    reason: str = ""


class StepStarted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A rollout step began: the candidate has ``weight`` per cent, the watch runs for ``seconds``."""

    deployment: str
    service: str
    environment: str
    step: int
    weight: int
    seconds: float


class StepConcluded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A step's time is over. ``verdict`` is the watch's own, where ``outcome`` may be the policy's wish."""

    deployment: str
    service: str
    environment: str
    step: int
    outcome: Literal["promote", "roll_back", "extend", "ask"]
    reason: str
    verdict: Literal["", "roll_back", "promote", "inconclusive"] = ""


class ActuationIntended(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The intent, appended before the deployer is called; its ``seq`` in the lane is the fencing token."""

    deployment: str
    service: str
    environment: str
    action: Literal["start", "shift", "promote", "roll_back"]
    step: int
    weight: int
    reason: str = ""


class ActuationDone(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What came of an intent. ``observed`` is the deployer's observation, read back."""

    deployment: str
    service: str
    environment: str
    action: Literal["start", "shift", "promote", "roll_back"]
    token: int
    outcome: Literal["done", "refused", "failed"]
    observed: dict[str, Any] = {}
    detail: str = ""


class WatchBegun(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A watch began for a rollout that another controller carries out, when it first asked.

    ``deployment`` names the watch, as in its looks; ``rollout`` is the controller's own name. ``candidate``
    and ``baseline`` are what selectors call ``$version``. ``plan`` is the policy's ``watch`` part, followed
    to the end.
    """

    deployment: str
    service: str
    environment: str
    controller: str
    rollout: str
    candidate: str
    baseline: str
    plan: dict[str, Any]
    policy: str = ""


class WatchAssessed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One look of a watch. ``state`` continues the e-process after a restart; ``metrics`` is for people.

    ``log_evidence`` is the natural logarithm of the mean e-value of all metrics: a rollback by statistics is
    where it crosses ``log_threshold``. ``moved`` names the metrics that moved, ``cause`` why a verdict fell.
    ``candidate_alive`` is what the deployer saw; absent where nobody knows. ``controller`` is who carries the
    rollout out, where that is not amends; ``deployment`` then names the watch (``watch.begun``). ``queries``
    are what the metric source was asked, with the series that came back (as many as a look may keep).
    ``candidate_alive`` and ``baseline_alive`` are what the deployer saw, ``health_detail`` in its words;
    absent where nobody knows. ``readings`` are those of this look that ``state`` does not keep, because the
    other arm was silent; with them a watch can be replayed (``amends watch export``).
    """

    deployment: str
    service: str
    environment: str
    step: int
    tick: int
    verdict: Literal["watching", "roll_back", "promote", "inconclusive"]
    reason: str
    state: dict[str, Any]
    metrics: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    cause: str = ""
    moved: tuple[str, ...] = ()
    log_evidence: float | None = None
    log_threshold: float | None = None
    candidate_alive: bool | None = None
    controller: str = ""
    queries: tuple[dict[str, Any], ...] = ()
    baseline_alive: bool | None = None
    health_detail: str = ""
    readings: tuple[dict[str, Any], ...] = ()


class DeploymentFinished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A deployment is over.

    ``watch`` says what a promotion rests on: every step was seen to be well (``passed``), some step went on
    without that, by the policy's wish or a person's word (``inconclusive``), or nothing was compared at all
    (``none``); empty where nobody recorded it.
    """

    deployment: str
    service: str
    environment: str
    release: str
    outcome: Literal["promoted", "rolled_back", "aborted", "refused", "failed"]
    reason: str
    watch: Literal["", "passed", "inconclusive", "none"] = ""
