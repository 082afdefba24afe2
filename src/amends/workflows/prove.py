"""Proving an amendment: run its guard where the failure was and where it is fixed, and judge the outcome.

Each run is recorded as it ends, so that a page can follow. What is produced now about a past release is
marked *produced later* and is never put among what was recorded then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from amends.amendments.amendment import Amendment, AmendmentState
from amends.amendments.rules import ATTEMPTS, Judgement, confirmed, judge_red, judge_test
from amends.amendments.selector import parse_selector
from amends.application.amending import require_amendment
from amends.errors import NotAllowedError, UsageError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.prevention.signature import describe
from amends.workflows.bench import Bench, Guard, both_commits, run_of
from amends.workflows.bench import Step as Step
from amends.workflows.gateproof import prove_gate
from amends.workflows.trying import test_file


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof came to."""

    amendment: Amendment
    judgement: Judgement
    runs: tuple[Fact, ...]
    price: p.Price | None = None


def prove(bench: Bench, amendment: str, *, confirm: p.Signature | None = None, role: str = "") -> Proof:
    """Prove an amendment and record the judgement.

    Where nobody recorded the failure, the runs alone prove nothing: the judgement is ``unconfirmed`` and not
    recorded, unless a ``role`` says with ``confirm`` what the failure is.

    Raises ``UsageError`` when the fix is the escaped commit or there is nothing to confirm, ``NotFoundError``
    for an unknown amendment, revision or test, ``NotAllowedError`` for one that is active or accepted as a
    risk.
    """
    found = require_amendment(bench.log, amendment)
    if found.state in (AmendmentState.ACTIVE, AmendmentState.ACCEPTED_RISK):
        raise NotAllowedError(
            f"{amendment} is {found.state} already", remedy=f"see `amends amendment show {amendment}`"
        )
    if confirm is not None:
        found = _with_confirmed(found, confirm, role)
    if found.proposed.kind == "gate":
        judgement, runs, price = prove_gate(bench, found)
    else:
        judgement, runs = prove_test(bench, found)
        price = None
    if judgement.kind == "unconfirmed":
        return Proof(require_amendment(bench.log, amendment), judgement, tuple(runs), price)
    if confirm is not None:
        judgement = confirmed(judgement, role)
    told = p.AmendmentJudged(
        amendment=amendment, incident=found.incident, service=found.proposed.service,
        reason=judgement.reason, runs=tuple(run.id for run in runs), price=price,
    )  # fmt: skip
    bench.log.record(judgement.kind, told)
    return Proof(require_amendment(bench.log, amendment), judgement, tuple(runs), price)


def _with_confirmed(found: Amendment, confirm: p.Signature, role: str) -> Amendment:
    if found.proposed.signature != p.Signature():
        raise UsageError(
            f"the failure is recorded already: {describe(found.proposed.signature)}",
            remedy="leave out --confirm",
        )
    if not role.strip():
        raise UsageError("a confirmation names who gives it", remedy="give --role ROLE")
    return replace(found, proposed=msgspec.structs.replace(found.proposed, signature=confirm))


def prove_test(bench: Bench, amendment: Amendment) -> tuple[Judgement, list[Fact]]:
    """Run a test three times on the escaped release and three times on the fix."""
    told = amendment.proposed
    selector = parse_selector(told.selector)
    bad, good = both_commits(bench, told)
    file = test_file(bench.host, selector, text=told.test_text, good=good)
    guard = Guard(bench, amendment, selector, told.signature, file, total=2 * ATTEMPTS)
    runs: list[Fact] = []
    plan = [("bad", told.bad, bad)] * ATTEMPTS + [("good", told.good or "HEAD", good)] * ATTEMPTS
    for number, (on, release, commit) in enumerate(plan):
        runs.append(guard.run(on, release, commit, number % ATTEMPTS + 1))  # type: ignore[arg-type]
        if run_of(runs[-1]).outcome == "untestable":
            break
        if number + 1 == ATTEMPTS:
            no_proof = judge_red([run_of(run) for run in runs], told.signature, describe)
            if no_proof is not None:
                return no_proof, runs  # what the fix gives cannot change that any more
    return judge_test([run_of(run) for run in runs], told.signature, describe), runs
