"""``amends override``: an emergency exception, with a reason, a second person and an end."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def override(
    release: Annotated[str, typer.Option("--release", metavar="NAME", help="The release to let past.")],
    environment: Annotated[str, typer.Option("--to", metavar="ENV", help="Where it is meant to go.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it cannot wait. Shown on every page.")],
    requested_by: Annotated[
        str, typer.Option("--requested-by", metavar="LOGIN", help="Who asks; kept as a pseudonym.")
    ],
    approved_by: Annotated[
        str, typer.Option("--approved-by", metavar="LOGIN", help="Who approves; somebody else.")
    ],
    role: Annotated[str, typer.Option("--role", help="The approver's role, for example release-manager.")],
    lasts: Annotated[str, typer.Option("--for", metavar="TIME", help="How long it holds, for example 4h.")],
    gates: Annotated[
        list[str] | None, typer.Option("--gate", metavar="GATE", help="A gate; repeat. Default: all of them.")
    ] = None,
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The service. Default: the policy's.")
    ] = "",
    format_: FormatOption = Format.TEXT,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Let a release past its gates for a while: a reason, an approver other than the requester, an end.

    The gates keep answering and their answers stay visible. A quarantine cannot be overridden.
    """
    import json
    from datetime import timedelta

    from amends.application.gating import check_override, grant_override
    from amends.application.people import normal_login, pseudonym_of
    from amends.bootstrap import open_policy, open_workspace
    from amends.errors import UsageError
    from amends.events.event import format_time
    from amends.events.payloads import OverrideGranted
    from amends.gates.shape import parse_duration

    try:
        seconds = parse_duration(lasts)
    except ValueError as error:
        raise UsageError(f"found --for {lasts!r}; {error}", remedy="give for example --for 4h") from None
    loaded = open_policy(policy, service=service)
    check_override(
        reason, normal_login(requested_by), normal_login(approved_by), role, timedelta(seconds=seconds)
    )
    workspace = open_workspace(store=store, policy=policy)
    people = workspace.opened.people
    try:
        fact = grant_override(
            workspace.log, loaded, release, environment, reason=reason,
            requested_by=pseudonym_of(people, requested_by), approved_by=pseudonym_of(people, approved_by),
            role=role, lasts=timedelta(seconds=seconds), gates=gates or (),
        )  # fmt: skip
    finally:
        workspace.close()
    said = fact.payload
    assert isinstance(said, OverrideGranted)
    if format_ is Format.JSON:
        body = {"event": fact.id, "release": said.release, "environment": said.environment,
                "gates": list(said.gates), "expires_at": format_time(said.expires_at)}  # fmt: skip
        typer.echo(json.dumps(body))
        return
    which = ", ".join(said.gates) or "all gates"
    typer.echo(
        f"{said.service}@{said.release} may pass {which} of {said.environment} until "
        f"{format_time(said.expires_at)} (event {fact.id})"
    )
