"""The ``amends`` command: finds a command's module when it is called, and turns errors into sentences."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from amends.errors import AmendsError

# name -> (module, one line of help); a module has `app`, a Typer with one command or a group of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("amends.cli.demo", "See the whole loop on real processes."),
    "log": ("amends.cli.log", "Show, verify, checkpoint, export and import the log."),
    "init": ("amends.cli.init", "Write a first amends.yaml from the repository."),
    "record": ("amends.cli.record", "Record what happened, for gates and incidents to rely on."),
    "import": ("amends.cli.import_history", "Bring in history that already exists."),
    "gate": ("amends.cli.gate", "Ask whether a release may go to an environment."),
    "override": ("amends.cli.override", "Let an emergency fix past its gates, for a while."),
    "policy": ("amends.cli.policy", "Check, explain, compare and describe amends.yaml."),
    "backtest": ("amends.cli.backtest", "Price a policy on the history that there is."),
    "replay": ("amends.cli.replay", "Replay recorded requests to two releases, and compare their replies."),
    "deploy": ("amends.cli.deploy", "Bring a release to an environment."),
    "watch": ("amends.cli.watch", "Ask the watch about recorded data and what it can find."),
    "deployment": ("amends.cli.deployment", "See deployments and steer them."),
    "rollback": ("amends.cli.rollback", "Go back to the previous good release, at any time."),
    "worker": ("amends.cli.worker", "Carry deployments on, without pages."),
    "incident": ("amends.cli.incident", "See how a release got past its gates, and move incidents on."),
    "review": ("amends.cli.review", "Draft, edit, discuss and publish the review of an incident."),
    "action": ("amends.cli.action", "Add action items to an incident, and say what became of them."),
    "test": ("amends.cli.testing", "Write a regression test from a captured failure, and prove it."),
    "lint": ("amends.cli.lint", "Find wording that blames in reviews, and say how to write it instead."),
    "amendment": ("amends.cli.amendment", "Propose a test or a gate, prove it, activate it."),
    "amendments": ("amends.cli.amendments", "List amendments by state, and check that guards hold."),
    "thank": ("amends.cli.thank", "Thank somebody by name on an incident's review."),
    "digest": ("amends.cli.digest", "Tell other teams what published reviews taught."),
    "search": (
        "amends.cli.search",
        "Find incidents, reviews, amendments, releases and notes by their words.",
    ),
    "measures": ("amends.cli.measures", "Count escapes, proofs, recovery and delivery, with every row."),
    "culprit": ("amends.cli.culprit", "Find the change that brought a failure, flaky tests included."),
    "notice": ("amends.cli.notice", "Tell each audience what concerns it, once, at a known price."),
    "apologise": ("amends.cli.apologise", "Should anyone apologise? What to do instead."),
    "serve": ("amends.cli.serve", "Serve pages and API, and carry deployments on."),
    "link": ("amends.cli.link", "Print a one-time link to a running server."),
    "token": ("amends.cli.token", "Issue and revoke access tokens."),
    "version": ("amends.cli.version", "Print the version."),
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported only when called: ``amends --help`` stays quick."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Click's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Click's
        if cmd_name not in COMMANDS:
            return None
        if _only_listing():
            return typer.main.get_command(_signpost(cmd_name, COMMANDS[cmd_name][1]))
        return load_command(cmd_name)


def load_command(name: str) -> Any:
    """Import a command's module and return its Click command."""
    command = typer.main.get_command(importlib.import_module(COMMANDS[name][0]).app)
    command.name = name
    return command


def _only_listing() -> bool:
    words = sys.argv[1:]
    return not words or words[0] in ("--help", "-h")


def _signpost(name: str, help_line: str) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command(name, help=help_line)(lambda: None)
    return app


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Carry a release through its gates, watch it, roll it back when it is provably worse, and prove "
    "that what escaped cannot pass again.",
)  # fmt: skip


@app.callback()
def root() -> None:
    """Hold the group together; a Typer without a callback would not be a group."""


def main() -> None:
    """Run the command line; every expected error ends as a sentence on stderr with its exit code."""
    try:
        app()
    except AmendsError as error:
        sys.stderr.write(f"amends: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("AMENDS_DEBUG"):
            raise
        sys.stderr.write(
            f"amends: something unexpected went wrong: {type(error).__name__}: {error}\n"
            "  mend: run it again with AMENDS_DEBUG=1 and report what it prints\n"
        )
        sys.exit(4)
    finally:
        if "duckdb" not in sys.modules:  # which takes what is left for a leak, and says so at length
            gc.freeze()  # the process ends: looking through all its modules for garbage would only take time
        if "_duckdb" not in sys.modules:  # which tells of all that is left of it
            gc.freeze()  # the process ends: looking through its modules for garbage would only take time
