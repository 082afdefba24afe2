"""``amends notice``: see what each audience would read and what it costs, tell them, and see who was told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.incident import IncidentArgument, RoleOption, say
from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.application.notices.office import Office
    from amends.reviews.notices.outbox import Delivery, Notice

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="See what each audience would read and what it costs, tell them, and see who was told.",
)  # fmt: skip

ToOption = Annotated[str, typer.Option("--to", metavar="AUDIENCE", help="An audience of notices.yaml")]
YesOption = Annotated[bool, typer.Option("--yes", help="Send without asking")]


@contextmanager
def open_notices(store: str) -> Iterator[Office]:
    """Open the log and notices.yaml for one command."""
    from amends.bootstrap import open_office, open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        yield open_office(workspace)
    finally:
        workspace.close()


@app.command()
def preview(
    incident: IncidentArgument,
    to: ToOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what an audience (every one, if none is named) would read, and its price. Sends nothing.

    JSON: a list of {"audience", "kind", "subject", "text", "words", "people", "seconds_each", "hours",
    "digest_hours", "channels", "revision", "same", "held"}.
    """
    from amends.application.notices.office import open_incident_desk
    from amends.application.notices.telling import preview as look

    with open_notices(store) as office:
        desk = open_incident_desk(office, incident)
        found = [
            look(office, incident, name, desk=desk) for name in ([to] if to else office.policy.audiences)
        ]
    if format is Format.JSON:
        rows = [
            {
                "audience": one.audience, "kind": one.kind, "subject": one.text.subject,
                "text": one.text.body,
                "words": one.price.words, "people": one.price.people, "seconds_each": one.price.seconds_each,
                "hours": one.price.hours, "digest_hours": one.digest_price.hours, "channels": one.channels,
                "revision": one.last.said.revision if one.last else 0, "same": one.same, "held": one.held,
            }
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"--- {one.audience} ({one.kind}), by {', '.join(one.channels)}")
        typer.echo(f"{one.text.subject}\n\n{one.text.body}")
        typer.echo(f"price {one.offer}")
        if one.same and one.last:
            typer.echo(f"they were told the same on {one.last.at:%Y-%m-%d %H:%M} UTC; nothing would be sent")
        if one.held:
            typer.echo(f"held: {one.held}")
        typer.echo("")


@app.command()
def send(
    incident: IncidentArgument,
    to: Annotated[str, typer.Option("--to", metavar="AUDIENCE", help="An audience of notices.yaml")],
    digest: Annotated[bool, typer.Option("--digest", help="Keep it for the weekly digest")] = False,
    yes: YesOption = False,
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Tell an audience, after showing the price and offering the digest.

    Where it was told the same already, nothing is sent. What a channel does not take now stays in the outbox:
    a server, a worker, or `amends notice deliver` tries it again.
    JSON: {"incident", "audience", "revision", "deferred", "channels": [{"channel", "state", "reason"}]}.
    """
    from amends.application.notices.telling import defer
    from amends.application.notices.telling import preview as look
    from amends.application.notices.telling import send as do
    from amends.workflows.notifying import hand_over

    with open_notices(store) as office:
        said = look(office, incident, to)
        chosen = "digest" if digest else "now" if yes or said.same or said.held else _ask(said.offer)
        if chosen == "nothing":
            typer.echo("nothing is sent")
            return
        if chosen == "digest":
            fresh = defer(office, incident, to, role=role)
            text = f"kept for the digest of {to}" if fresh else f"the digest of {to} has it already"
            say(format, text, incident=incident, audience=to, revision=0, deferred=True, channels=[])
            return
        if format is Format.TEXT and not said.held:
            typer.echo(f"price {said.offer}")
        notice = do(office, incident, to, role=role)
        states = [] if notice is None else [
            hand_over(office, incident, to, notice.said.revision, one.channel) or one
            for one in notice.deliveries
        ]  # fmt: skip
    revision = notice.said.revision if notice else said.last.said.revision if said.last else 0
    rows = [{"channel": one.channel, "state": one.state.value, "reason": one.reason} for one in states]
    lines = [
        f"{to} is told about {incident} (revision {revision})",
        *(f"  {_delivery(one)}" for one in states),
    ]
    if notice is None:
        lines = [f"{to} was told the same already (revision {revision}); nothing is sent"]
    say(
        format, "\n".join(lines), incident=incident, audience=to, revision=revision, deferred=False,
        channels=rows,
    )  # fmt: skip


def _ask(offer: str) -> str:
    from amends.errors import UsageError

    typer.echo(f"price {offer}", err=True)
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to be asked whether that is worth it",
            remedy="give --yes to send it now, or --digest to let it wait",
        )
    answer = typer.prompt("send (n)ow, with the (d)igest, or (not) at all?", default="d", err=True)
    return {"n": "now", "now": "now", "d": "digest", "digest": "digest"}.get(
        answer.strip().lower(), "nothing"
    )


@app.command("list")
def list_(
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT", help="Only about this one")] = "",
    to: ToOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show who has been told what, the newest first.

    JSON: a list of {"topic", "audience", "revision", "occasion", "at", "subject", "text", "people", "hours",
    "channels": [{"channel", "state", "attempts", "reason", "due"}]}.
    """
    from amends.application.notices.reading import notices

    with open_notices(store) as office:
        _show(
            notices(office.log, incident=incident, audience=to), format, "nobody has been told anything yet"
        )


@app.command()
def outbox(store: StoreOption = "", format: FormatOption = Format.TEXT) -> None:
    """Show what is on its way or was refused for good. JSON: as `amends notice list`."""
    from amends.application.notices.reading import outbox as look

    with open_notices(store) as office:
        _show(look(office.log), format, "the outbox is empty")


def _show(found: list[Notice], format: Format, nothing: str) -> None:
    from amends.events.event import format_time

    if format is Format.JSON:
        rows = [
            {
                "topic": one.said.topic, "audience": one.said.audience, "revision": one.said.revision,
                "occasion": one.said.occasion, "at": format_time(one.at), "subject": one.said.subject,
                "text": one.said.text, "people": one.said.people, "hours": _hours(one),
                "channels": [
                    {
                        "channel": d.channel, "state": d.state.value, "attempts": d.attempts,
                        "reason": d.reason, "due": format_time(d.due),
                    }
                    for d in one.deliveries
                ],
            }
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        said = one.said
        typer.echo(
            f"{format_time(one.at)}  {said.topic} to {said.audience}, revision {said.revision}: "
            f"{said.occasion}"
        )
        typer.echo(f"    {said.subject}")
        for delivery in one.deliveries:
            typer.echo(f"    {_delivery(delivery)}")
    if not found:
        typer.echo(nothing)


def _hours(one: Notice) -> float | None:
    return None if one.said.people is None else one.said.people * one.said.seconds_each / 3600


def _delivery(one: Delivery) -> str:
    from amends.events.event import format_time

    match one.state.value:
        case "sent":
            return f"{one.channel}: sent{f'; {one.note}' if one.note else ''}"
        case "refused":
            return f"{one.channel}: refused: {one.reason} (`amends notice retry` after mending that)"
        case "under way":
            return f"{one.channel}: under way"
    why = f": {one.reason}; tried {one.attempts} times, again at {format_time(one.due)}" if one.reason else ""
    return f"{one.channel}: waiting{why}"


@app.command()
def plan(incident: IncidentArgument, store: StoreOption = "", format: FormatOption = Format.TEXT) -> None:
    """Show who is to be told by the rules of notices.yaml, and when, unless it is over before.

    JSON: a list of {"at", "audience", "occasion", "by", "rule"}.
    """
    from amends.application.notices.reading import plan as look
    from amends.application.notices.telling import preview as price_of
    from amends.events.event import format_time

    with open_notices(store) as office:
        planned = look(office, incident)
        prices = {one.audience: price_of(office, incident, one.audience).price.sentence for one in planned}
    if format is Format.JSON:
        rows = [
            {
                "at": format_time(o.at),
                "audience": o.audience,
                "occasion": o.occasion,
                "by": o.by,
                "rule": o.rule,
            }
            for o in planned
        ]
        typer.echo(json.dumps(rows))
        return
    for one in planned:
        way = "at once" if one.by == "now" else "in the digest"
        rule = f"rule {one.rule}: {one.occasion}"
        typer.echo(f"{format_time(one.at)}  {one.audience}, {way} ({rule}); {prices[one.audience]}")
    if not planned:
        typer.echo("no rule has anybody left to tell")


@app.command()
def deliver(store: StoreOption = "", format: FormatOption = Format.TEXT) -> None:
    """Do once what a server or worker does all the time: rules that are due, the digest, the outbox.

    JSON: {"told", "sent", "failed", "again_at"}.
    """
    from amends.events.event import format_time
    from amends.workflows.notifying import Notifier

    with open_notices(store) as office:
        done = Notifier(office).run()
    lines = [f"told {done.told}, handed over {done.sent}", *(f"not taken: {text}" for text in done.failed)]
    again = format_time(done.again_at) if done.again_at else ""
    lines += [f"something is due at {again}"] if again else []
    say(
        format,
        "\n".join(lines),
        told=done.told,
        sent=done.sent,
        failed=list(done.failed),
        again_at=again or None,
    )


@app.command()
def retry(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="An incident, or a digest")],
    to: Annotated[str, typer.Option("--to", metavar="AUDIENCE")],
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="What refused it")],
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Try again what a channel refused for good. JSON: {"channel", "state", "reason"}."""
    from amends.application.notices.telling import retry as do
    from amends.workflows.notifying import hand_over

    with open_notices(store) as office:
        notice = do(office.log, topic, to, channel, role=role)
        one = hand_over(office, topic, to, notice.said.revision, channel)
    state, reason = (one.state.value, one.reason) if one else ("waiting", "")
    say(format, _delivery(one) if one else "it waits", channel=channel, state=state, reason=reason)


@app.command()
def digest(
    to: ToOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Send it now instead of on its day")] = False,
    role: RoleOption = "",
    store: StoreOption = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what waits for the weekly digest of an audience (every one, if none is named), with its price.

    JSON: a list of {"audience", "subject", "text", "hours", "sent"}.
    """
    from amends.application.notices.digests import preview_digest, send_digest
    from amends.workflows.notifying import Notifier

    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    with open_notices(store) as office:
        office.audience(to) if to else None
        for name in [to] if to else office.policy.audiences:
            found = preview_digest(office, name)
            if found is None:
                continue
            subject, text, cost = found
            sent = yes and send_digest(office, name, office.log.clock.now(), role=role) is not None
            rows.append(
                {"audience": name, "subject": subject, "text": text, "hours": cost.hours, "sent": sent}
            )
            lines += [f"--- {name}: {subject}", text, f"price {cost.sentence}", "sent" if sent else "waits"]
        if yes:
            Notifier(office).run()
    if format is Format.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines) if lines else "nothing waits for a digest")


@app.command()
def schema() -> None:
    """Print the JSON Schema of notices.yaml."""
    from amends.reviews.audiences.settings import NoticePolicy

    typer.echo(json.dumps(NoticePolicy.model_json_schema(by_alias=True), indent=2, sort_keys=True))


def _register_statements() -> None:
    from amends.cli import statement

    app.command("statement")(statement.statement)
    app.command("approve")(statement.approve)
    app.command("publish")(statement.publish)


_register_statements()
