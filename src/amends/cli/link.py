"""``amends link``: another one-time link for a server that runs."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

Server = Annotated[
    str,
    typer.Option("--server", metavar="URL", help="A server elsewhere; its token is read from AMENDS_TOKEN."),
]


@app.command()
def link(server: Server = "") -> None:
    """Print a link that signs one browser in, once, within 15 minutes.

    Without --server it is the one that `amends serve` started from this folder: that one leaves a note in
    .amends/server.json, readable by its owner alone.
    """
    import os

    from amends.config import Settings

    settings = Settings.read(os.environ)
    url, token = (server.rstrip("/"), settings.token) if server else _noted(settings)
    typer.echo(f"open once, within 15 minutes: {url}{_ask(url, token)}")


def _noted(settings: object) -> tuple[str, str]:
    import json

    from amends.config import Settings
    from amends.errors import UsageError

    assert isinstance(settings, Settings)
    path = settings.state_dir / "server.json"
    try:
        found = json.loads(path.read_text("utf-8"))
        return str(found["url"]), str(found["errand"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "found no note of a running server",
            where=str(path),
            remedy="start one with `amends serve`, or name one with --server URL and AMENDS_TOKEN",
        ) from None


def _ask(url: str, token: str) -> str:
    import httpx

    from amends.errors import NotAllowedError, UsageError

    if not token:
        raise UsageError("no token is given for that server", remedy="set AMENDS_TOKEN")
    try:
        answer = httpx.post(f"{url}/api/v1/links", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.HTTPError as problem:
        raise UsageError(
            f"no server answers: {problem}", where=url, remedy="is it running? `amends serve` starts one"
        ) from None
    if answer.status_code != 201:
        raise NotAllowedError(
            f"the server answered {answer.status_code}",
            where=url,
            remedy="is AMENDS_TOKEN one of its tokens?",
        )
    return str(answer.json()["path"])
