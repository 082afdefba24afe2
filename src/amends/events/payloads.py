"""What each event says, as typed payloads.

A name of a release in a payload (``release``) may be its version, its commit or its digest; ``releases``
resolves it. People are pseudonyms here, never names or logins. Every payload is tolerant of unknown fields,
so that an older amends reads a newer log.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all payloads."""


# --- changes and releases -------------------------------------------------------------------------------


class ChangeMerged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A change reached the main line. ``paths`` are the files that it touches, ``lines`` how many lines.

    ``owners`` are groups, from CODEOWNERS at the change: of each group one must approve. An owner is a team's
    name without ``@`` and organisation, or a pseudonym. ``None``: nobody recorded owners.
    """

    service: str
    change: str
    title: str = ""
    author: str = ""
    team: str = ""
    paths: tuple[str, ...] = ()
    lines: int | None = None
    repository: str = ""
    owners: tuple[tuple[str, ...], ...] | None = None


class ChangeReviewed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One person's review of a change. ``team`` is the team for which they reviewed, where known."""

    service: str
    change: str
    reviewer: str
    verdict: Literal["approved", "changes_requested", "commented"] = "approved"
    team: str = ""
    repository: str = ""


class ReleaseDeclared(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A version exists: its artifact, its head commit and the changes since ``previous``."""

    service: str
    version: str
    commit: str = ""
    digest: str = ""
    changes: tuple[str, ...] = ()
    previous: str = ""
    team: str = ""


# --- evidence -------------------------------------------------------------------------------------------


class TestCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One test of a suite run. ``name`` is its full name as the runner selects it where that is known."""

    __test__ = False

    name: str
    outcome: Literal["passed", "failed", "error", "skipped"]
    classname: str = ""
    file: str = ""
    message: str = ""
    output: str = ""


class SuiteFinished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A test suite ran against one exact release."""

    service: str
    release: str
    suite: str
    outcome: Literal["success", "failure", "error", "cancel"]
    environment: str = "ci"
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    cases: tuple[TestCase, ...] = ()


class ExerciseRecorded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What a suite exercised: lines covered per file, and keys of the inputs that it sent.

    The escape matrix needs it to say *ran blind*; without it a gate that ran is *sight unknown*.
    """

    service: str
    release: str
    suite: str
    covered: dict[str, tuple[int, ...]] = {}
    inputs: tuple[str, ...] = ()


class SignedOff(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A role tried the release by hand in an environment and granted or refused it."""

    service: str
    release: str
    role: str
    by: str = ""
    granted: bool = True
    environment: str = ""
    note: str = ""


class ShiftAcknowledged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Someone is on shift for a team from ``starts`` to ``ends``, and says so (``acknowledged``)."""

    team: str
    role: str
    person: str
    starts: datetime
    ends: datetime
    acknowledged: bool = True


class TrafficObserved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release served ``requests`` in an environment between two moments."""

    service: str
    release: str
    environment: str
    requests: int
    since: datetime
    until: datetime


class OverrideGranted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An emergency exception to named gates (empty: all) until ``expires_at``."""

    service: str
    release: str
    environment: str
    reason: str
    requested_by: str
    approved_by: str
    approver_role: str
    expires_at: datetime
    gates: tuple[str, ...] = ()


class GateRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One gate's answer as it was recorded. ``effective`` is what counted (observe mode, overrides)."""

    gate: str
    kind: str
    decision: Literal["pass", "block", "undecided", "error"]
    reason: str
    mode: Literal["observe", "block"] = "block"
    overridden_by: str = ""
    events: tuple[str, ...] = ()
    until: datetime | None = None


class GatesDecided(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A policy was evaluated for a release and an environment, as of ``at``."""

    service: str
    release: str
    environment: str
    at: datetime
    decision: Literal["pass", "block", "undecided", "error"]
    gates: tuple[GateRow, ...]
    policy: str
    deployment: str = ""


class PolicyAdopted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The policy of a service, as text, under its digest. Recorded when it is first used.

    ``calendars`` is the content of the calendars that its gates name; the digest covers it too.
    """

    service: str
    digest: str
    text: str
    path: str = "amends.yaml"
    calendars: dict[str, str] = {}


# --- where what runs ------------------------------------------------------------------------------------


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


# --- deployments ----------------------------------------------------------------------------------------


class DeploymentRequested(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Someone asked to bring a release to an environment.

    ``plan`` is the snapshot of rollout, watch and deployer settings that this deployment follows to its
    end, whatever happens to ``amends.yaml`` meanwhile. ``kind`` is ``rollback`` for ``amends rollback``.
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
    deployment: str
    service: str
    environment: str
    step: int
    outcome: Literal["promote", "roll_back", "extend", "ask"]
    reason: str


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


class WatchAssessed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One look of a watch. ``state`` continues the e-process after a restart; ``metrics`` is for people."""

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


class DeploymentFinished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    deployment: str
    service: str
    environment: str
    release: str
    outcome: Literal["promoted", "rolled_back", "aborted", "refused", "failed"]
    reason: str


# --- incidents and reviews ------------------------------------------------------------------------------


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a failure is recognised: exception type and in-project frame, or response status and path.

    ``frame`` is ``path/to/file.py:function`` (no line: lines move between releases).
    """

    exception: str = ""
    frame: str = ""
    status: int | None = None
    path: str = ""
    field: str = ""


class FailureCaptured(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A failing input or trace of a release, from production."""

    service: str
    release: str
    environment: str
    signature: Signature
    input: dict[str, Any] = {}
    message: str = ""
    incident: str = ""
    line: int | None = None


class IncidentOpened(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Something needed intervention. ``release`` escaped; ``previous`` is what it replaced."""

    incident: str
    service: str
    environment: str
    summary: str
    opened_by: Literal["rollback", "alert", "bypass", "person"]
    release: str = ""
    previous: str = ""
    deployment: str = ""
    team: str = ""
    severity: str = ""
    role: str = ""
    deployed_at: datetime | None = None
    rolled_back_at: datetime | None = None
    alert: dict[str, Any] = {}


class IncidentMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An incident was acknowledged, resolved, reopened, merged...; the event's kind says which."""

    incident: str
    service: str
    environment: str = ""
    role: str = ""
    reason: str = ""
    other: str = ""


class MilestoneSet(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person or source states when a milestone was: a point (``at``) or between two moments."""

    incident: str
    service: str
    milestone: Literal["started", "detected", "acknowledged", "mitigated", "cause_found", "resolved"]
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    source: str = ""
    role: str = ""


class NoteTaken(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person's line for the timeline: what happened ``at``. Known when it is recorded, as ever."""

    incident: str
    service: str
    text: str
    at: datetime
    role: str = ""


class ReviewRevised(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One immutable revision of a review's Markdown. ``drafted`` marks text made from the record."""

    incident: str
    service: str
    revision: int
    text: str
    role: str = ""
    based_on: int = 0
    drafted: bool = False
    note: str = ""


class ReviewPublished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    incident: str
    service: str
    revision: int
    role: str = ""


# --- amendments -----------------------------------------------------------------------------------------


class AmendmentProposed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A test or a gate is proposed as the guard against an escape.

    ``selector`` is the command for a test (``pytest path::name``); ``gate`` the policy entry for a gate,
    to stand in ``environment``. ``test`` holds the text of a test that is not in the repository yet.
    """

    amendment: str
    incident: str
    service: str
    kind: Literal["test", "gate"]
    title: str
    team: str = ""
    role: str = ""
    selector: str = ""
    test_path: str = ""
    test_text: str = ""
    gate: dict[str, Any] = {}
    environment: str = ""
    bad: str = ""
    good: str = ""
    signature: Signature = Signature()


class ProofRun(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a guard on one release, in a fresh worktree.

    ``produced_later`` is true when the evidence did not exist at the time: it is never mixed with recorded
    evidence.
    """

    amendment: str
    incident: str
    service: str
    on: Literal["bad", "good", "past"]
    release: str
    commit: str
    attempt: int
    outcome: Literal["red", "green", "untestable"]
    signature: Signature = Signature()
    matches: bool = False
    output: str = ""
    produced_later: bool = True


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a gate would have cost on past good releases. ``held`` names those it would have held."""

    good_releases: int = 0
    held: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    held_seconds: float | None = None


class AmendmentJudged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The proof's answer; the event's kind says proven, disproven or not replayable."""

    amendment: str
    incident: str
    service: str
    reason: str
    runs: tuple[str, ...] = ()
    price: Price | None = None


class AmendmentMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An amendment became active, lapsed, or was accepted as a risk; the event's kind says which."""

    amendment: str
    incident: str
    service: str
    reason: str = ""
    role: str = ""
    diff: str = ""
    policy: str = ""
