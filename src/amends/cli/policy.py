"""``amends policy``: is it right, what does it ask for, what may it say?"""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.options import Format, FormatOption, PolicyOption

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Check, explain and describe amends.yaml.",
)  # fmt: skip

FileArgument = Annotated[
    str, typer.Argument(metavar="[FILE]", envvar="AMENDS_POLICY", help="The policy. Default: amends.yaml")
]


@app.command()
def check(file: FileArgument = "", policy: PolicyOption = "", format_: FormatOption = Format.TEXT) -> None:
    """Read a policy and its calendars; name every fault with its line. Exit 2 when there is one."""
    import json

    from amends.bootstrap import open_policy

    loaded = open_policy(policy or file)
    gates = sum(len(entries) for entries in loaded.policy.gates.values())
    if format_ is Format.JSON:
        body = {
            "path": loaded.path,
            "service": loaded.policy.service,
            "digest": loaded.digest,
            "gates": gates,
        }
        typer.echo(json.dumps(body))
        return
    typer.echo(f"{loaded.path}: the policy of {loaded.policy.service} is sound ({gates} gates)")
    for environment in loaded.policy.unlisted():
        typer.echo(
            f"note: no gates are set for {environment}, so nothing gets there; "
            f"write `{environment}: []` under gates if every release may go"
        )


@app.command()
def schema() -> None:
    """Print the JSON Schema of amends.yaml, for editors and checks."""
    import json

    from amends.gates.policy import Policy

    typer.echo(json.dumps(Policy.model_json_schema(), indent=2, ensure_ascii=False))


@app.command()
def explain(
    file: FileArgument = "",
    environment: Annotated[
        str, typer.Option("--env", metavar="NAME", help="One environment. Default: all.")
    ] = "",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Say in sentences what a release needs on its way to each environment."""
    import json

    from amends.application.gating import explain_policy
    from amends.bootstrap import open_policy

    loaded = open_policy(file)
    told = explain_policy(loaded, environment)
    if format_ is Format.JSON:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for place in told:
        typer.echo(f"{place['environment']}: {place['summary']}")
        for gate in place["gates"]:
            because = f" ({gate['because']})" if gate["because"] else ""
            owner = f" [{gate['owner']}]" if gate["owner"] else ""
            typer.echo(f"  {gate['gate']} ({gate['mode']}): {gate['wants']}{because}{owner}")
