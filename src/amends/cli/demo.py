"""``amends demo``: the whole loop on real processes, real traffic and a real git history."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from amends.demo.stage import Stage

app = typer.Typer(add_completion=False)

Keep = Annotated[bool, typer.Option("--keep", help="Leave the server, the service and its traffic running.")]
Headless = Annotated[
    bool, typer.Option("--headless", help="Plain output; exit non-zero if any step did not really happen.")
]
Where = Annotated[
    Path | None, typer.Option("--dir", help="An empty folder to play in. Default: a temporary one.")
]
StoreName = Annotated[
    str, typer.Option("--store", envvar="AMENDS_STORE", metavar="PATH|URL", help="Another log.")
]
StopIn = Annotated[
    Path | None, typer.Option("--stop", metavar="DIR", help="Stop what `--keep` left running in a folder.")
]


@app.command()
def demo(
    keep: Keep = False, headless: Headless = False, directory: Where = None, store: StoreName = "",
    stop: StopIn = None,
) -> None:  # fmt: skip
    """Tell how a release that passed every gate escapes, is rolled back, and can never pass again.

    Takes up to two minutes. Weeks pass on an accelerated clock; processes, requests, git and tests are real.
    """
    if stop is not None:
        _stop(stop)
        return
    from rich.console import Console

    from amends.demo.narration import StoryError
    from amends.demo.story import clear, tell

    console = Console(force_terminal=False if headless else None, width=110 if headless else None)
    console.print("Weeks pass here on an accelerated clock; processes, requests, git and tests are real.")
    try:
        stage = tell(console, store=store, root=directory)
    except StoryError as error:
        sys.stderr.write(f"amends: the story broke off: {error}\n")
        raise typer.Exit(1) from None
    _what_next(console, stage, keep)
    if not keep:
        clear(stage, keep_files=directory is not None)


def _stop(root: Path) -> None:
    from amends.demo.story import stop

    stopped = stop(root)
    if not stopped:
        typer.echo("Nothing of this demo runs any more.")
        return
    typer.echo(f"Stopped: {', '.join(stopped)}.")
    typer.echo(f"The log and the repository stay in {root}; remove the folder when you are done with them.")


def _what_next(console: Console, stage: Stage, keep: bool) -> None:
    narrator = stage.narrator
    narrator.title("What to try next")
    narrator.say(f"{len(narrator.claims)} claims, each with its event, in {narrator.elapsed:.0f} s.")
    if keep:
        link, words = stage.amends("link").strip(), ("amends", "demo", "--stop", str(stage.root))
        narrator.say(f"Look around: {link}")
        narrator.say(f"The folder: {stage.root}. Stop everything: {shlex.join(words)}")
        again = f"AMENDS_STATE={shlex.quote(str(stage.root / 'state'))} amends link"
        narrator.say(f"Another link: {again}. The traffic ends by itself after eight hours.")
    else:
        narrator.say("amends demo --keep     leaves the server running, to look around in a browser")
    narrator.say("amends init            writes an amends.yaml for your own service")
    console.print()
