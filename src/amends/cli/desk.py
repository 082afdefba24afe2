"""What every ``amends record`` command shares: its options, its desk and how it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.application.desk import Desk, Receipt, Stamp

_FRESH, _KNOWN = "recorded", "already in the log:"
# With more events than these their number says more than their ids, which JSON has.
_MOST_IDS = 20

ServiceOption = Annotated[
    str,
    typer.Option(
        "--service", envvar="AMENDS_SERVICE", metavar="NAME", help="The service. Default: that of amends.yaml"
    ),
]
AtOption = Annotated[
    str,
    typer.Option(
        "--at", metavar="TIME", help="When it happened, with its offset: 2026-03-20T14:27:05Z. Default: now"
    ),
]
IdOption = Annotated[
    str,
    typer.Option(
        "--id", metavar="ID", help="An id of your own, such as the CI job's: the same one is recorded once"
    ),
]
EnvironmentOption = Annotated[str, typer.Option("--env", metavar="NAME", help="The environment")]


@dataclass(frozen=True, slots=True)
class Where:
    """The options by which a command finds its desk and says its answer."""

    service: str
    store: str
    policy: str
    at: str
    id: str
    format: Format

    @contextmanager
    def desk(self, *, needs_service: bool = True) -> Iterator[Desk]:
        """Open the store, hand out the desk, release the store."""
        from amends.bootstrap import open_desk, open_workspace

        workspace = open_workspace(store=self.store, policy=self.policy)
        try:
            desk = open_desk(workspace, service=self.service)
            yield desk.require_service() if needs_service else desk
        finally:
            workspace.close()

    def stamp(self) -> Stamp:
        """Return what --at and --id say."""
        from amends.application.desk import Stamp

        return Stamp(moment(self.at) if self.at else None, self.id)

    def answer(self, receipts: Sequence[Receipt]) -> None:
        """Print the event ids, or how many there are; notes go to stderr in text, into the answer in JSON."""
        notes = list(dict.fromkeys(note for receipt in receipts for note in receipt.notes))
        if self.format is Format.JSON:
            typer.echo(_json(receipts, notes))
            return
        said = [(_FRESH if receipt.fresh else _KNOWN, receipt.fact) for receipt in receipts]
        if len(said) <= _MOST_IDS:
            lines = [f"{word} {fact.kind} {fact.id}" for word, fact in said]
        else:
            counted = Counter((word, fact.kind) for word, fact in said)
            lines = [f"{word} {count} {kind}" for (word, kind), count in counted.items()]
        for line in lines:
            typer.echo(line)
        for note in notes:
            typer.echo(f"note: {note}", err=True)


def _json(receipts: Sequence[Receipt], notes: list[str]) -> str:
    import json

    events = [{"id": r.fact.id, "kind": r.fact.kind, "fresh": r.fresh} for r in receipts]
    first = events[0]["id"] if events else ""
    return json.dumps({"event": first, "events": events, "notes": notes}, ensure_ascii=False)


def moment(text: str) -> datetime:
    """Read a time as RFC 3339."""
    from amends.events.event import parse_time

    return parse_time(text)


_SHARED: dict[str, tuple[Any, Any]] = {
    "service": (ServiceOption, ""),
    "at": (AtOption, ""),
    "id": (IdOption, ""),
    "store": (StoreOption, ""),
    "policy": (PolicyOption, ""),
    "format": (FormatOption, Format.TEXT),
}


def recorder(group: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of ``function(where, …)``: its own parameters, then the options that all share."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=Parameter.KEYWORD_ONLY)
            for parameter in signature(function).parameters.values()
            if parameter.name != "where"
        ]
        common = [
            Parameter(option, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for option, (kind, default) in _SHARED.items()
        ]

        def run(**given: Any) -> None:
            where = Where(**{option: given.pop(option) for option in _SHARED})
            function(where, **given)

        run.__signature__ = Signature([*own, *common])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *common]}
        run.__doc__ = function.__doc__
        group.command(name)(run)
        return function

    return register
