"""``amends deploy``: bring a release to an environment."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def deploy(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="Its version, commit or digest.")],
    environment: Annotated[str, typer.Option("--to", metavar="ENV", help="Where to bring it.")],
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The service. Default: the policy's.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Carry it on in this process, or leave it to a worker.")
    ] = True,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show how a server or worker carries it on, until it ends.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a few words.")] = "",
    role: Annotated[str, typer.Option("--role", help="In which role you ask for it.")] = "",
    format_: FormatOption = Format.TEXT,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Bring a release to an environment: through its gates, step by step, watched, promoted or rolled back.

    At a terminal it stays and watches while a person decides; elsewhere it exits and says who has to go on.
    First it says what the watch can find at the traffic that the last watch saw, and what it cannot.

    Exit: 0 promoted (or, with --no-wait, asked for), 1 blocked or rolled back, 3 waits for evidence or a
    person, 4 failed.
    """
    from amends.application.deploying import Wish, adopt_policy, request_deployment
    from amends.application.deployments import find_deployment
    from amends.application.recording import find_release
    from amends.bootstrap import open_policy, open_workspace
    from amends.cli.carrying import carry_on
    from amends.cli.deployment_texts import Teller, forecast_page

    loaded = open_policy(policy, service=service)
    workspace = open_workspace(store=store, policy=policy)
    teller = Teller(json_lines=format_ is Format.JSON)
    try:
        adopt_policy(workspace.log, loaded)
        wish = Wish(
            release=find_release(workspace.log, loaded.policy.service, release), environment=environment,
            environments=loaded.policy.environments, plan=loaded.policy.snapshot(), policy=loaded.digest,
            role=role, reason=reason,
        )  # fmt: skip
        deployment = request_deployment(workspace.log, wish)
        teller.asked(deployment, f"{wish.release} to {environment}")
        for line in forecast_page(find_deployment(workspace.log, deployment)):
            teller.say(f"  {line}")
        if follow:
            teller.follow(workspace.log, deployment)
            raise typer.Exit(teller.end(workspace.log, deployment))
        if wait:
            raise typer.Exit(carry_on(workspace, deployment, teller))
        teller.say("a server or worker carries it on: `amends serve` or `amends worker`")
    finally:
        workspace.close()
