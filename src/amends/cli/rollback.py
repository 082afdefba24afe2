"""``amends rollback``: bring an environment back to its previous good release, at any time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def rollback(
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    environment: Annotated[str, typer.Option("--env", metavar="ENV", help="Where to roll back.")],
    reason: Annotated[str, typer.Option("--reason", help="What you see, in a few words.")],
    to: Annotated[
        str, typer.Option("--to", metavar="RELEASE", help="Back to this one. Default: the last good one.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Carry it out in this process, or leave it to a worker.")
    ] = True,
    role: Annotated[str, typer.Option("--role", help="In which role you ask for it.")] = "",
    format_: FormatOption = Format.TEXT,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Go back to the previous good release. No gate is asked; a deployment under way ends here.

    What is left is quarantined, and an incident is opened.
    """
    from amends.application.deploying import request_rollback
    from amends.bootstrap import open_workspace
    from amends.cli.carrying import carry_on
    from amends.cli.deployment_texts import Teller

    workspace = open_workspace(store=store, policy=policy)
    teller = Teller(json_lines=format_ is Format.JSON)
    try:
        deployment = request_rollback(
            workspace.log,
            service,
            environment,
            reason=reason,
            to=to,
            role=role,
            plan=_plan(policy, service),
        )
        teller.asked(deployment, f"roll {service} back in {environment}")
        if not wait:
            teller.say("a server or worker carries it on: `amends serve` or `amends worker`")
            return
        raise typer.Exit(carry_on(workspace, deployment, teller, meant="rolled_back"))
    finally:
        workspace.close()


def _plan(policy: str, service: str) -> dict[str, Any] | None:
    """Give the policy at hand, for a lane that no deployment went through yet; none must not stop anyone."""
    from amends.bootstrap import open_policy
    from amends.errors import AmendsError

    try:
        loaded = open_policy(policy, service=service)
    except AmendsError:
        return None
    return loaded.policy.snapshot()
