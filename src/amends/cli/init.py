"""``amends init``: the first amends.yaml of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def init(
    repo: Annotated[Path, typer.Option("--repo", metavar="DIR", help="The repository")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace the amends.yaml that is there")] = False,
) -> None:
    """Write a working amends.yaml from what the repository shows, and say what to try next."""
    from amends.application.starting import draft_policy
    from amends.bootstrap import check_policy, survey_repository, write_new_file

    survey = survey_repository(repo)
    place = repo / "amends.yaml"
    text = draft_policy(survey)
    check_policy(text, place)
    write_new_file(place, text, replace=force)
    typer.echo(f"wrote {place}: service {survey.service}, six gates that observe and hold up nothing yet")
    for note in survey.notes:
        typer.echo(f"note: {note}", err=True)
    version = survey.version or "0.1.0"
    typer.echo("try next:")
    typer.echo(f"  amends record release {version}")
    typer.echo(f"  amends gate --service {survey.service} --release {version} --to production")
