"""``amends amendment``: propose a test or a gate, prove it, activate it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.desk import ServiceOption, moment
from amends.cli.incident import IncidentArgument, ReasonOption, RoleOption, open_log, say
from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.amendments.amendment import Amendment
    from amends.events.payloads import Signature
    from amends.workflows.prove import Proof

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Propose a test or a gate against an escape, prove it, activate it.",
)  # fmt: skip

AmendmentArgument = Annotated[str, typer.Argument(metavar="AMENDMENT", help="Its id, for example AM-1")]
RepoOption = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The git repository")]


@app.command()
def propose(
    incident: IncidentArgument,
    test: Annotated[
        str, typer.Option("--test", metavar="COMMAND", help="pytest path::name, or another command")
    ] = "",
    gate: Annotated[
        Path | None, typer.Option("--gate", metavar="FILE", help="A gate, as in amends.yaml")
    ] = None,
    test_file: Annotated[
        Path | None, typer.Option("--test-file", metavar="FILE", help="The test, if it is not committed yet")
    ] = None,
    bad: Annotated[
        str, typer.Option("--bad", metavar="NAME", help="What escaped. Default: the incident's")
    ] = "",
    good: Annotated[str, typer.Option("--good", metavar="NAME", help="The fix. Default: HEAD")] = "",
    to: Annotated[str, typer.Option("--to", metavar="ENV", help="Where the gate is to stand")] = "",
    signature: Annotated[
        str,
        typer.Option(
            "--signature",
            metavar="TEXT",
            help="The failure, where none was captured: 'KeyError shop/cart.py:total'",
        ),
    ] = "",
    title: Annotated[str, typer.Option("--title", metavar="TEXT")] = "",
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Propose a test or a gate. With --gate, --test names what stands for the evidence missing then.

    JSON: {"amendment", "kind", "state", "signature"}.
    """
    from amends.application.amending import Proposal
    from amends.application.amending import propose as do
    from amends.bootstrap import read_gate
    from amends.errors import UsageError
    from amends.prevention.signature import describe

    if not test and gate is None:
        raise UsageError("propose a test or a gate", remedy="give --test 'pytest path::name' or --gate FILE")
    proposal = Proposal(
        "gate" if gate else "test", title=title, selector=test,
        gate=read_gate(_text(gate), str(gate)) if gate else None,
        test_text=_text(test_file) if test_file else "", environment=to, bad=bad, good=good,
        signature=_stated(signature), role=role,
    )  # fmt: skip
    with open_log(store) as log:
        found = do(log, incident, proposal)
    told = found.proposed
    sign = describe(told.signature)
    say(
        format,
        f"{found.id} is proposed: {told.title}\nexpected: {sign}\n"
        f"prove it: amends amendment prove {found.id}",
        amendment=found.id, kind=told.kind, state=found.state, signature=sign,
    )  # fmt: skip


def _stated(text: str) -> Signature | None:
    from amends.errors import UsageError
    from amends.events.payloads import Signature
    from amends.prevention.signature import parse_signature

    found = parse_signature(text)
    if text and found == Signature():
        raise UsageError(
            f"found the signature {text!r}",
            remedy="write an exception and a frame, or a status and a path: 'KeyError shop/cart.py:total'",
        )
    return found if text else None


def _text(path: Path) -> str:
    from amends.errors import UsageError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"it cannot be read: {error}", where=str(path)) from None


@app.command()
def prove(
    amendment: AmendmentArgument,
    repo: RepoOption = Path(),
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="For each run")] = 300.0,
    past: Annotated[
        int, typer.Option("--past", metavar="N", help="On how many past good releases to run a gate's test")
    ] = 5,
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm", metavar="SIGNATURE", help="Say what the failure is, where none was captured"
        ),
    ] = "",
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Prove it in fresh worktrees. Exit 0 proven, 1 disproven, 3 not replayable or still to be confirmed.

    JSON: as ``amendment show``.
    """
    from amends.amendments.amendment import AmendmentState
    from amends.bootstrap import open_code_host, open_policy
    from amends.workflows.bench import Bench, Step
    from amends.workflows.prove import prove as do

    def report(step: Step) -> None:
        if format is Format.TEXT:
            typer.echo(f"  {step.done}/{step.total} {step.text}")

    with open_log(store) as log:
        from amends.application.amending import require_amendment

        found = require_amendment(log, amendment)
        needs = found.proposed.kind == "gate"
        loaded = open_policy(policy, service=found.proposed.service) if needs else None
        bench = Bench(log, open_code_host(repo), loaded, timeout, past, report)
        proof = do(bench, amendment, confirm=_stated(confirm), role=role)
    if proof.judgement.kind == "unconfirmed":
        _ask(proof, format)
        raise typer.Exit(3)
    if format is Format.JSON:
        typer.echo(json.dumps(_data(proof.amendment), ensure_ascii=False))
    else:
        typer.echo(f"{amendment} is {proof.amendment.state}: {proof.judgement.reason}")
        for line in _price(proof.amendment):
            typer.echo(line)
    codes = {AmendmentState.PROVEN: 0, AmendmentState.DISPROVEN: 1}
    raise typer.Exit(codes.get(proof.amendment.state, 3))


def _ask(proof: Proof, format: Format) -> None:
    """Say what was seen, and how a person says that it is the failure."""
    from amends.prevention.signature import describe

    seen = describe(proof.judgement.seen).replace(" in ", " ").replace(" on ", " ")
    if format is Format.JSON:
        typer.echo(json.dumps({**_data(proof.amendment), "confirm": seen}, ensure_ascii=False))
        return
    name = proof.amendment.id
    typer.echo(f"{name} is {proof.amendment.state}: {proof.judgement.reason}")
    typer.echo(f"say that this is the failure: amends amendment prove {name} --confirm '{seen}' --role ROLE")


@app.command()
def activate(
    amendment: AmendmentArgument,
    write: Annotated[
        bool, typer.Option("--write", help="Write the change; without it, it is only shown")
    ] = False,
    repo: RepoOption = Path(),
    role: RoleOption = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Put a proven guard in place, as a reviewable diff.

    A gate goes into the policy. A test that is in the repository at HEAD becomes active at once.
    JSON: {"amendment", "state", "path", "diff", "written"}.
    """
    from amends.application.amending import record_activation, require_amendment
    from amends.cli.activation import plan, write_plan

    with open_log(store) as log:
        found = require_amendment(log, amendment)
        planned = plan(log, found, repo, policy)
        done = write or not planned.diff
        digest = write_plan(planned, found, repo, policy) if planned.diff and write else ""
        if done:
            record_activation(log, planned, role=role, policy=digest)
        after = require_amendment(log, amendment)
    text = planned.diff + (
        f"{amendment} is active: {planned.path or 'its command stands'}"
        if done
        else f"nothing is written; apply it with: amends amendment activate {amendment} --write"
    )
    say(
        format, text, amendment=amendment, state=after.state, path=planned.path, diff=planned.diff,
        written=done,
    )  # fmt: skip


@app.command("list")
def list_(
    service: ServiceOption = "",
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT")] = "",
    state: Annotated[str, typer.Option("--state", metavar="STATE")] = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """List amendments, the newest first. JSON: a list of what ``amendment show`` prints."""
    from amends.application.amending import list_amendments

    with open_log(store) as log:
        found = list_amendments(log, service=service, incident=incident, state=state)
    if format is Format.JSON:
        typer.echo(json.dumps([_data(a) for a in found], ensure_ascii=False))
        return
    for a in found:
        typer.echo(f"{a.id:8} {a.state:14} {a.incident:8} {a.proposed.title}")
    if not found:
        typer.echo("no amendment is recorded yet; `amends amendment propose` makes one")


@app.command()
def show(
    amendment: AmendmentArgument,
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show an amendment with its proof. JSON: docs/reference/incidents.md."""
    from amends.application.amending import require_amendment
    from amends.prevention.signature import describe

    with open_log(store) as log:
        found = require_amendment(log, amendment)
    if format is Format.JSON:
        typer.echo(json.dumps(_data(found), ensure_ascii=False))
        return
    typer.echo(f"{found.id} ({found.state}), after {found.incident}: {found.proposed.title}")
    typer.echo(f"expected: {describe(found.proposed.signature)}")
    if found.reason:
        typer.echo(found.reason)
    for run in found.runs:
        told = run.run
        detail = describe(told.signature) if told.outcome == "red" else told.note
        typer.echo(f"  {told.on:5} {told.release:12} {told.outcome:10} {detail}  {run.event[:8]}")
    for line in _price(found):
        typer.echo(line)


def _price(found: Amendment) -> list[str]:
    from amends.amendments.pricetag import cost_sentence, worth_sentence

    price = found.price
    if price is None:
        return []
    lines = [f"price: {cost_sentence(price)}", *filter(None, [worth_sentence(price)])]
    for row in price.releases:
        mark = " (evidence produced later)" if row.produced_later else ""
        lines.append(f"  {row.release:12} {row.decision}{mark}: {row.reason}")
    return lines


@app.command()
def lapse(
    amendment: AmendmentArgument,
    reason: ReasonOption,
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Say that an active guard holds no more. JSON: {"event"}."""
    from amends.application.amending import lapse as do

    with open_log(store) as log:
        fact = do(log, amendment, reason=reason, role=role)
    say(format, f"{amendment} has lapsed (event {fact.id})", event=fact.id)


@app.command("accept-risk")
def accept_risk(
    amendment: AmendmentArgument,
    reason: ReasonOption,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When it is looked at again")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The role that accepts it")],
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Live without this guard until a date. JSON: {"event"}."""
    from amends.application.amending import accept_risk as do

    with open_log(store) as log:
        fact = do(log, amendment, reason=reason, until=moment(until), role=role)
    say(format, f"{amendment} is an accepted risk until {until} (event {fact.id})", event=fact.id)


def _data(found: Amendment) -> dict[str, Any]:
    from amends.application.amending import amendment_data

    return amendment_data(found)
