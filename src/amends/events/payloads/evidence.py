"""Evidence: tests, sign-offs, shifts, traffic, overrides, and what gates decided."""

from __future__ import annotations

from typing import Literal

import msgspec

from amends.events.payloads.base import Moment, Payload


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
    """A test suite ran against one exact release. ``digest`` is the artifact's that was tested."""

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
    digest: str = ""


class EdgeCaseDocumented(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An input or condition that the service must cope with; the last word on an edge case counts.

    ``words`` say what it is, ``test`` selects the test that guards it (``tests/test_x.py::test_y``, or its
    name as the report has it), ``suite`` names the suite that runs it (empty: any), ``incident`` what taught
    it.
    """

    service: str
    edge_case: str
    words: str
    test: str = ""
    suite: str = ""
    incident: str = ""
    role: str = ""


class EdgeCaseRetired(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An edge case no longer concerns the service; documented again, it does."""

    service: str
    edge_case: str
    reason: str
    role: str = ""


class ReplayFinished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Recorded requests were sent to a release and its replies compared with those of ``baseline``.

    ``differences`` counts recorded requests whose replies differ and should not, ``causes`` say in words what
    differs and on what it depends.
    """

    service: str
    release: str
    decision: Literal["pass", "block", "undecided", "error"]
    baseline: str = ""
    requests: int = 0
    differences: int = 0
    reason: str = ""
    causes: tuple[str, ...] = ()


class ExerciseRecorded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What a suite exercised: lines covered and missed per file, and keys of the inputs that it sent.

    A line that is in neither (of a file that was not measured, or the rest of a statement) shows nothing.
    The escape matrix needs it to say *ran blind*; without it a gate that ran is *sight unknown*.
    """

    service: str
    release: str
    suite: str
    covered: dict[str, tuple[int, ...]] = {}
    missed: dict[str, tuple[int, ...]] = {}
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
    starts: Moment
    ends: Moment
    acknowledged: bool = True


class TrafficObserved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release served ``requests`` in an environment between two moments."""

    service: str
    release: str
    environment: str
    requests: int
    since: Moment
    until: Moment


class OverrideGranted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An emergency exception to named gates (empty: all) until ``expires_at``."""

    service: str
    release: str
    environment: str
    reason: str
    requested_by: str
    approved_by: str
    approver_role: str
    expires_at: Moment
    gates: tuple[str, ...] = ()


class GateRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One gate's answer as it was recorded, whatever counted of it (observe mode, overrides).

    ``owner`` is the team that answers for the gate and ``because`` why it is there, as the policy says.
    ``applies`` is false for a gate that was not for this release and passed for that.
    """

    gate: str
    kind: str
    decision: Literal["pass", "block", "undecided", "error"]
    reason: str
    mode: Literal["observe", "block"] = "block"
    overridden_by: str = ""
    events: tuple[str, ...] = ()
    until: Moment | None = None
    owner: str = ""
    because: str = ""
    applies: bool = True


class GatesDecided(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A policy was evaluated for a release and an environment, as of ``at``."""

    service: str
    release: str
    environment: str
    at: Moment
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
