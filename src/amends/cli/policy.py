"""``amends policy``: is it right, what does it ask for, what may it say?"""

from __future__ import annotations

from typing import Annotated

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Check, explain, compare and describe amends.yaml.",
)  # fmt: skip

FileArgument = Annotated[
    str, typer.Argument(metavar="[FILE]", envvar="AMENDS_POLICY", help="The policy. Default: amends.yaml")
]
FilesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE]...", help="Policies. Default: amends.yaml")
]


@app.command()
def check(
    files: FilesArgument = None,
    no_log: Annotated[
        bool, typer.Option("--no-log", help="Look at the file alone, not at what the log shows.")
    ] = False,
    store: StoreOption = "",
    policy: PolicyOption = "",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Read a policy and its calendars; name what is wrong with its line, and how to mend it.

    Finds gates that contradict each other, windows that never open and calendars that have ended; with a log
    also soaks longer than the release train, environments nobody deploys to, and suites never recorded.

    Exit: 0 sound (perhaps with notes), 1 doubtful, 2 no policy, or one that no release ever gets past.
    """
    import json

    from amends.bootstrap import open_policy, open_workspace
    from amends.cli.policy_texts import Checked, checked_data, checked_text
    from amends.errors import PolicyError

    workspace = open_workspace(store=store, policy=policy, reading=not no_log)
    codes, told = [], []
    try:
        log = workspace.log if not no_log and workspace.opened.exists() else None
        for file in files or [policy]:
            try:
                checked = Checked.of(open_policy(file), workspace.clock.now(), log)
            except PolicyError as error:
                typer.echo(f"amends: {error}", err=True)
                codes.append(error.exit_code)
                continue
            codes.append(checked.exit_code)
            told.append(checked)
    finally:
        workspace.close()
    if format_ is Format.JSON:
        data = [checked_data(one) for one in told]
        if data:
            typer.echo(json.dumps(data if len(codes) > 1 else data[0], ensure_ascii=False))
    else:
        for one in told:
            typer.echo(checked_text(one))
    raise typer.Exit(max(codes))


@app.command()
def diff(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="A file, REV:FILE from git, or adopted[:DIGEST] for the log's."),
    ],
    new: Annotated[str, typer.Argument(metavar="[NEW]", help="Likewise. Default: amends.yaml")] = "",
    store: StoreOption = "",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Say in sentences what a policy asks that another did not: stricter, looser, new, gone.

    JSON: {"old", "new", "differences": [{"change", "environment", "gate", "text"}]}. Exit: 0, also where
    they differ.
    """
    import json

    from amends.bootstrap import open_policy_version, policy_path
    from amends.cli.policy_texts import differences_data, differences_text
    from amends.gates.differences import compare_policies

    newer = new or str(policy_path())
    service = ""
    if "adopted" in (old.partition(":")[0], newer.partition(":")[0]):
        service = _service_of(old if newer.startswith("adopted") else newer)
    before, after = (open_policy_version(name, service=service, store=store) for name in (old, newer))
    found = compare_policies(before.policy, after.policy)
    if format_ is Format.JSON:
        body = {"old": old, "new": newer, "differences": differences_data(found)}
        typer.echo(json.dumps(body, ensure_ascii=False))
        return
    typer.echo(differences_text(old, newer, found))


def _service_of(name: str) -> str:
    """Return whose policy is meant by ``adopted``: that of the other one, or of the policy file."""
    from amends.bootstrap import open_policy_version, policy_path

    other = str(policy_path()) if name.startswith("adopted") else name
    return open_policy_version(other).policy.service


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
    from amends.cli.policy_texts import explained_text

    loaded = open_policy(file)
    told = explain_policy(loaded, environment)
    if format_ is Format.JSON:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    typer.echo("\n".join(explained_text(told)))
