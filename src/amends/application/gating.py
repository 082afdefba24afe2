"""Asking the gates: read what they rely on, evaluate, record the answer; and emergency exceptions to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from amends.application.evidence import read_evidence
from amends.application.log import Log
from amends.errors import UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.gates.evaluate import QUARANTINE, PolicyDecision, evaluate_policy
from amends.gates.evidence import Question, collect_evidence
from amends.gates.gate import Calendars
from amends.gates.policy import LoadedPolicy, Policy, unknown_environment
from amends.gates.window import LOOK_AHEAD
from amends.releases.actuation import ReleaseRef
from amends.releases.catalogue import bare_name, candidates, releases_of


def decide_gates(
    log: Log, loaded: LoadedPolicy, release_name: str, environment: str, *, at: datetime | None = None,
    record: bool = True, deployment: str = "",
) -> PolicyDecision:  # fmt: skip
    """Evaluate a policy's gates for a release and an environment, as of ``at`` (now, if not given).

    With ``record`` the decision is appended as ``gates.decided``, and the policy as ``policy.adopted`` when
    its digest is new. Evaluation itself is pure: the same policy, log and ``at`` give the same decision.

    Raises
    ------
    NotFoundError
        If the service has no such release.
    UsageError
        If the policy does not know the environment.
    """
    policy = loaded.policy
    _check_environment(policy, environment, loaded.path)
    moment = at or log.clock.now()
    release = _release(log, policy.service, release_name)
    question = Question(policy.service, release, environment, moment)
    facts = read_evidence(log, policy, release, environment, moment)
    table = collect_evidence(facts, [question], policy.neighbours(environment))
    decision = evaluate_policy(policy, environment, table, calendars_at(loaded, moment))
    if record:
        record_decision(log, loaded, decision[0], deployment)
    return decision[0]


def calendars_at(loaded: LoadedPolicy, *moments: datetime) -> Calendars:
    """Return the intervals of a policy's calendars around some moments, as far ahead as gates look."""
    if not loaded.calendars:
        return {}
    epochs = [moment.timestamp() for moment in moments]
    return loaded.resolve(min(epochs) - 86400.0, max(epochs) + LOOK_AHEAD)


def grant_override(
    log: Log, loaded: LoadedPolicy, release_name: str, environment: str, *, reason: str, requested_by: str,
    approved_by: str, role: str, lasts: timedelta, gates: Sequence[str] = (),
) -> Fact:  # fmt: skip
    """Let a release past some gates (all, if none is named) for a while, and record who answers for it.

    ``requested_by`` and ``approved_by`` are pseudonyms, ``role`` is the approver's. The gates keep
    answering; what they say is shown with the override until it expires, and on the record for good. A
    quarantine stays.

    Raises ``UsageError`` when requester and approver are the same or nobody, the reason is empty, the time is
    not positive, or a gate or the environment is unknown; ``NotFoundError`` for an unknown release.
    """
    policy = loaded.policy
    _check_environment(policy, environment, loaded.path)
    check_override(reason, requested_by, approved_by, role, lasts)
    _check_gates(policy, environment, gates)
    release = _release(log, policy.service, release_name)
    payload = p.OverrideGranted(
        service=policy.service, release=release.version, environment=environment, reason=reason.strip(),
        requested_by=requested_by, approved_by=approved_by, approver_role=role.strip(),
        expires_at=log.clock.now() + lasts, gates=tuple(gates),
    )  # fmt: skip
    return log.record("override.granted", payload)


def explain_policy(loaded: LoadedPolicy, environment: str = "") -> list[dict[str, Any]]:
    """Say what each environment (or one) asks of a release: its gates in sentences, with mode and reason."""
    policy = loaded.policy
    if environment:
        _check_environment(policy, environment, loaded.path)
    told = []
    for name in [environment] if environment else policy.environments:
        entries = policy.gates.get(name)
        blocking = sum(entry.mode == "block" for entry in entries or [])
        summary = (
            f"{blocking} of {len(entries)} gates count"
            if entries
            else "every release that is not quarantined"
        )
        gates = [
            {"gate": label, "kind": entry.kind, "mode": entry.mode, "wants": entry.gate.wants(),
             "because": entry.because, "owner": entry.owner,
             "when": entry.when.wants() if entry.when else ""}
            for label, entry in zip(policy.labels(name), entries or [], strict=True)
        ]  # fmt: skip
        told.append({
            "environment": name, "gates": gates,
            "summary": "undecided: the policy sets no gates" if entries is None else summary,
        })  # fmt: skip
    return told


def _release(log: Log, service: str, name: str) -> ReleaseRef:
    """Return the release that a name means; reads all releases only when not exactly one goes by it."""
    tag = f"release:{service}@{bare_name(service, name)}"
    known = releases_of(log.facts(tags=[tag], kinds=["artifact.packaged"]), service)
    found = candidates(known, service, name)
    if len(found) == 1:
        return found[0].ref
    from amends.application.recording import find_release  # brings much with it that a gate seldom needs

    return find_release(log, service, name)


def check_override(reason: str, requested_by: str, approved_by: str, role: str, lasts: timedelta) -> None:
    """Raise ``UsageError`` unless somebody else approves, for a reason and a time; logins or pseudonyms."""
    if not reason.strip():
        raise UsageError("an override needs a reason", remedy='say why: --reason "checkout is down for …"')
    if not requested_by or not approved_by or not role.strip():
        raise UsageError(
            "an override needs who asks, who approves, and the approver's role",
            remedy="give --requested-by, --approved-by and --role",
        )
    if requested_by == approved_by:
        raise UsageError(
            "the one who asks for an override cannot approve it", remedy="let somebody else approve it"
        )
    if lasts <= timedelta(0):
        raise UsageError(
            "an override lasts longer than nothing", remedy="give its time, for example --for 4h"
        )


def _check_gates(policy: Policy, environment: str, gates: Sequence[str]) -> None:
    known = [*policy.labels(environment), *(e.kind for e in policy.gates.get(environment, []))]
    for gate in gates:
        if gate == QUARANTINE:
            raise UsageError(
                "a quarantine cannot be overridden", remedy="its incident lifts it once the cause is known"
            )
        if gate not in known:
            from difflib import get_close_matches

            near = get_close_matches(gate, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            allowed = ", ".join(dict.fromkeys(known)) or "none"
            raise UsageError(
                f"{environment} has no gate {gate!r}{hint}",
                remedy=f"name one of: {allowed}; or none, for all of them",
            )


def _check_environment(policy: Policy, environment: str, path: str) -> None:
    if environment not in policy.environments:
        raise UsageError(
            unknown_environment(environment, policy.environments),
            where=path,
            remedy="name one of them, or add it to `environments` in the policy",
        )


def record_decision(log: Log, loaded: LoadedPolicy, decision: PolicyDecision, deployment: str = "") -> None:
    """Append a decision, and the policy that it follows when the log does not hold that yet."""
    policy = loaded.policy
    items: list[tuple[str, p.Payload]] = []
    if not _is_adopted(log, policy.service, loaded.digest):
        adopted = p.PolicyAdopted(
            service=policy.service, digest=loaded.digest, text=loaded.text, path=loaded.path,
            calendars=dict(loaded.calendars),
        )  # fmt: skip
        items.append(("policy.adopted", adopted))
    decided = p.GatesDecided(
        service=policy.service, release=decision.release, environment=decision.environment, at=decision.at,
        decision=decision.decision.value, gates=decision.rows, policy=loaded.digest, deployment=deployment,
    )  # fmt: skip
    log.record_all([*items, ("gates.decided", decided)])


def _is_adopted(log: Log, service: str, digest: str) -> bool:
    """Whether the log holds this policy already. Two processes may both find that it does not: harmless."""
    return any(
        isinstance(fact.payload, p.PolicyAdopted) and fact.payload.digest == digest
        for fact in log.stream(f"policy/{service}")
    )
