"""Writing a test from a captured failure: everything that a command, a page or the demo needs in one call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from amends.application.ports import CodeHost
from amends.application.record import release_names, require_incident
from amends.application.registering import Guarded, Registered, register
from amends.bootstrap import (
    Workspace,
    open_code_host,
    open_desk,
    open_policy,
    place_in_repository,
    write_into_repository,
)
from amends.errors import NotFoundError
from amends.events.payloads import FailureCaptured, Reduction
from amends.gates.policy import Policy
from amends.prevention.captures import SCHEMA
from amends.prevention.choosing import Ways
from amends.releases.catalogue import releases_of
from amends.workflows.bench import Step
from amends.workflows.testasking import Asked, order_of, with_revisions
from amends.workflows.testorder import Order, Written
from amends.workflows.testwriting import write

_NOBODYS = "nothing says whose edge case it is, so it is not registered: name the service with --service"
_LONGEST = 2_000  # characters of an input that an amendment repeats; the test holds all of it


@dataclass(frozen=True, slots=True)
class TestWritten:
    """What came of it: what was ordered, what came of that, and where it stands.

    ``place`` is the new file, from the repository's root, and empty where none was written; ``registered``
    is what the log holds of it, and ``None`` where nothing was recorded.
    """

    __test__ = False

    order: Order
    written: Written
    place: str
    registered: Registered | None


def write_test(
    workspace: Workspace, repo: Path, text: str, where: str, asked: Asked,
    report: Callable[[Step], None] = lambda _: None,
) -> TestWritten:  # fmt: skip
    """Write a test from a capture, prove it, put it into the repository and register its edge case.

    Parameters
    ----------
    workspace:
        Where the edge case is registered, if it has a log or an incident is named; its policy, or the
        repository's own, says how the service is started and what prepares a worktree.
    repo:
        A folder in the repository. It gains the test and nothing else, and only when that is proven.
    text, where:
        The capture, or the input of ``asked.run``, and its file's name for messages.
    report:
        Told each step, with how many there are.

    Raises ``UsageError`` and ``NotFoundError`` for what cannot be asked, before anything runs.
    """
    names = _names(workspace, asked.incident)
    policy = _policy(workspace, repo)
    asked = replace(asked, ways=_ways(policy, asked.ways))
    order = order_of(text, where, asked, _limit(asked.seconds))
    if asked.into_tree:
        place_in_repository(repo, order.path, replace=asked.replace)
    host = open_code_host(repo, setup=_setup(policy, asked.setup), python=asked.python)
    order = with_revisions(host, order, asked, names)
    written = write(host, order, report)
    place = ""
    wanted = written.verdict == "proven" or (asked.unfixed and written.red and not order.good)
    if asked.into_tree and wanted and written.text:
        write_into_repository(repo, order.path, written.text, replace=asked.replace)
        place = order.path
    named = asked.incident or workspace.settings.named or workspace.opened.exists()
    registered, service = None, _service(workspace, order, policy, asked)
    if written.verdict == "proven" and named and service:
        registered = _register(workspace, host, order, written, service, asked)
    elif written.verdict == "proven" and named:
        written = replace(written, notes=(*written.notes, _NOBODYS))
    return TestWritten(order, written, place, registered)


def write_incident_test(
    workspace: Workspace, repo: Path, incident: str, asked: Asked | None = None, *, capture: str = "",
    report: Callable[[Step], None] = lambda _: None,
) -> TestWritten:  # fmt: skip
    """Write a test from a capture that is attached to an incident, and propose it as its amendment.

    ``capture`` is the event's id; without it the incident's first capture is taken. See ``write_test`` for
    the rest. Raises ``NotFoundError`` when the incident is unknown or has no such capture.
    """
    asked = replace(asked or Asked(), incident=incident)
    event, text = captured_input(workspace, incident, capture)
    return write_test(workspace, repo, text, f"event {event}", asked, report)


def captured_input(workspace: Workspace, incident: str, event: str = "") -> tuple[str, str]:
    """Return the id and the text of a capture that is attached to an incident: a certain one, or the first.

    Raises ``NotFoundError`` when the incident is unknown or has no such capture.
    """
    require_incident(workspace.log, incident)
    for fact in workspace.log.facts(tags=[f"incident:{incident}"], kinds=["failure.captured"]):
        told = fact.payload
        if not isinstance(told, FailureCaptured) or event not in ("", fact.id):
            continue
        if told.incident == incident and told.input.get("schema") == SCHEMA:
            return fact.id, json.dumps(told.input, ensure_ascii=False)
    which = f"the capture {event}" if event else "a capture"
    raise NotFoundError(
        f"{incident} has not {which}: no failing input with the schema {SCHEMA} is attached to it",
        remedy="record what the service's recorder kept, or name its file: amends test write CAPTURE",
    )


def _names(workspace: Workspace, incident: str) -> list[str]:
    """Return the names of the release that escaped, the most telling first; none without an incident."""
    if not incident:
        return []
    found = require_incident(workspace.log, incident)
    known = release_names(workspace.log, found.service, found.release) if found.release else ()
    return sorted(known, key=len, reverse=True)


# --- the policy's part ------------------------------------------------------------------------------------


def _policy(workspace: Workspace, repo: Path) -> Policy | None:
    """Return the policy that is named, or lies in the repository; a test can be written without one."""
    for path in (workspace.settings.policy, repo / "amends.yaml"):
        if path.exists():
            return open_policy(str(path)).policy
    return None


def _ways(policy: Policy | None, told: Ways) -> Ways:
    process = policy.deploy.process if policy else None
    if process is None or told.app or told.start:
        return told
    return replace(
        told, start=process.run, env=process.env, ready=process.ready, seconds=process.startup_timeout
    )


def _setup(policy: Policy | None, setup: str) -> list[str]:
    prepare = policy.deploy.process.prepare if policy and policy.deploy.process else ""
    command = setup or prepare.replace("{python}", "python")
    return ["sh", "-c", command] if command else []


def _limit(seconds: float) -> Callable[[], bool]:
    begun: list[float] = []

    def enough() -> bool:
        begun.append(time.monotonic()) if not begun else None
        return time.monotonic() - begun[0] > seconds

    return enough


def _service(workspace: Workspace, order: Order, policy: Policy | None, asked: Asked) -> str:
    """Return whose edge case it is; empty where nothing says so."""
    if asked.incident and not asked.service:
        return require_incident(workspace.log, asked.incident).service
    captured = order.capture.service if order.capture else ""
    return asked.service or (policy.service if policy else "") or captured


def _register(
    workspace: Workspace, host: CodeHost, order: Order, written: Written, service: str, asked: Asked
) -> Registered:
    bad, good = (_release_at(workspace, host, service, revision) for revision in (order.bad, order.good))
    guarded = Guarded(
        order.name.removeprefix("test_").replace("_", "-"), order.words, order.path, order.name,
        written.text, bad, good, written.signature, order.incident, asked.role,
        Reduction(
            capture=order.capture.id if order.capture else "", original=written.original_size,
            reduced=written.reduced_size, evaluations=written.evaluations, input=written.input[:_LONGEST],
            oracle=written.oracle.by,
        ),
    )  # fmt: skip
    return register(open_desk(workspace, service=service).require_service(), guarded)


def _release_at(workspace: Workspace, host: CodeHost, service: str, revision: str) -> str:
    """Return the release that a revision is; else the revision, or its commit where it moves as HEAD does."""
    commit = host.resolve(revision)
    declared = workspace.log.facts(tags=[f"service:{service}"], kinds=["artifact.packaged"])
    versions = [one.version for one in releases_of(declared, service) if one.commit == commit]
    return versions[-1] if versions else commit if revision == "HEAD" else revision
