"""``amends replay``: recorded requests to two releases, and whether the newer one answers differently."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.options import PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.replays import Replayed, Services
    from amends.gates.replay_plan import Replay

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ReplayFormat(StrEnum):
    """How a replay is printed."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


@app.command()
def replay(
    baseline: Annotated[str, typer.Option("--baseline", metavar="URL", help="The release that is good.")],
    candidate: Annotated[str, typer.Option("--candidate", metavar="URL", help="The release in question.")],
    captures: Annotated[
        Path, typer.Option("--captures", metavar="DIR", help="Recorded requests: a folder of captures.")
    ],
    twin: Annotated[
        str,
        typer.Option(
            "--twin",
            metavar="URL",
            help="Another instance of the baseline: where the two differ from each other does not count.",
        ),
    ] = "",
    release: Annotated[
        str, typer.Option("--release", metavar="V", help="Record the answer as evidence about this release.")
    ] = "",
    before: Annotated[
        str, typer.Option("--baseline-release", metavar="V", help="The release that it was compared with.")
    ] = "",
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Both services write to a store that may be spoilt: send POST, PUT, PATCH and DELETE, too.",
        ),
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="FIELD", help="A field that may differ; repeat it for more."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header", metavar="NAME: VALUE", help="Send this header in place of a recorded one; repeatable."
        ),
    ] = None,
    authority: Annotated[
        str, typer.Option("--ca", metavar="FILE", help="Trust this certificate authority (PEM).")
    ] = "",
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="N", help="Requests a second, in all.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", help="Inputs at a time.")
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="For one reply, such as 5s.")
    ] = "",
    at_least: Annotated[
        int | None, typer.Option("--at-least", metavar="N", help="Inputs to compare before it can pass.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Inputs to send at most.")
    ] = 5_000,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Deal out the order as another run did.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Also write the report as one HTML file.")
    ] = None,
    format_: Annotated[
        ReplayFormat, typer.Option("--format", help="text, json or html.")
    ] = ReplayFormat.TEXT,
    service: Annotated[
        str, typer.Option("--service", envvar="AMENDS_SERVICE", metavar="NAME", help="Default: the policy's.")
    ] = "",
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Send recorded requests to two releases, learn the noise, say whether the candidate answers otherwise.

    Only GET, HEAD and OPTIONS are sent unless a sandbox is declared. The part `replay` of the policy says
    what to leave aside. Exit: 0 pass, 1 block, 3 undecided, 2 usage, 4 could not run.
    """
    from amends.application.replays import Services
    from amends.bootstrap.replaying import replay_captures, replay_plan, replay_window
    from amends.verdicts import EXIT_CODES

    plan = _with_options(replay_plan(policy), ignore, rate, concurrency, timeout, at_least)
    services = Services(baseline, candidate, twin, _headers(header or []), authority)
    named = [name for name in (release, before) if name]
    desk = replay_window(store, policy, service, *named) if release else None
    try:
        with desk.failing(release, before) if desk else nullcontext():
            done = replay_captures(
                captures, services, plan, sandbox=sandbox, most=limit, seed=seed, told=_progress()
            )
        event = desk.record(done, release, before) if desk else ""
    finally:
        if desk:
            desk.close()
    _clear()
    if page:
        _write(page, done, services)
    typer.echo(_rendered(done, services, event, format_), nl=format_ is not ReplayFormat.HTML)
    raise typer.Exit(EXIT_CODES[done.played.judged.decision])


def _with_options(
    plan: Replay, ignore: list[str] | None, rate: float | None, concurrency: int | None, timeout: str,
    at_least: int | None,
) -> Replay:  # fmt: skip
    from pydantic import ValidationError

    from amends.errors import UsageError

    given: dict[str, Any] = {
        "rate": rate, "concurrency": concurrency, "timeout": timeout or None, "at_least": at_least,
        "ignore": [*plan.ignore, *ignore] if ignore else None,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return type(plan).model_validate({**plan.model_dump(by_alias=True), **given})
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(
            f"{option}: {first['msg']}; found {first['input']!r}", remedy="see `amends replay --help`"
        ) from None


def _headers(given: list[str]) -> tuple[tuple[str, str], ...]:
    from amends.errors import UsageError

    pairs = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not name.strip().isascii() or " " in name.strip():
            raise UsageError(
                "found a --header without a name and a colon", remedy="write it as 'Authorization: Bearer …'"
            )
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def _progress() -> Any:
    def told(done: int, of: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[Kreplayed {done:,} of {of:,} inputs")

    return told


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")


def _write(page: Path, done: Replayed, services: Services) -> None:
    from amends.bootstrap.replaying import replay_page
    from amends.errors import UsageError

    try:
        page.write_text(replay_page(done, services), "utf-8")
    except OSError as error:
        raise UsageError(
            f"the page cannot be written: {error.strerror}", where=str(page), remedy="name another file"
        ) from None


def _rendered(done: Replayed, services: Services, event: str, format_: ReplayFormat) -> str:
    if format_ is ReplayFormat.JSON:
        return json.dumps(done.as_json(event), indent=2, ensure_ascii=False)
    if format_ is ReplayFormat.HTML:
        from amends.bootstrap.replaying import replay_page

        return replay_page(done, services)
    from amends.cli.replay_text import as_text

    return as_text(done, event)
