"""What ``amends import`` prints: progress while it runs, an account at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amends.application.importing import ImportSummary

_WORDS = {"assumed": "assumed", "left out": "left out", "note": "note"}


@contextmanager
def progress(what: str) -> Iterator[Callable[[ImportSummary], None]]:
    """Show on stderr how far an import is: a line that renews itself on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(f"reading {what} …") as status:
            yield lambda summary: status.update(f"{what}: {summary.facts:,} facts")
        return
    sys.stderr.write(f"reading {what} …\n")
    shown = [0]

    def plainly(summary: ImportSummary) -> None:
        if summary.facts >= shown[0] + 20_000:
            shown[0] = summary.facts
            sys.stderr.write(f"{what}: {summary.facts:,} facts\n")
            sys.stderr.flush()

    yield plainly


def as_json(what: str, summary: ImportSummary) -> str:
    """Return an import's account as one JSON object."""
    return json.dumps({"imported": what, **summary.to_json()}, ensure_ascii=False)


def as_text(what: str, summary: ImportSummary) -> str:
    """Return an import's account for people: what was understood, what was assumed, what was not."""
    return "\n".join([*_understood(what, summary), *_said(summary), *_not_understood(summary)])


def _understood(what: str, summary: ImportSummary) -> Iterator[str]:
    span = ""
    if summary.earliest and summary.latest:
        span = f", from {summary.earliest:%Y-%m-%d} to {summary.latest:%Y-%m-%d}"
    yield f"{what}: {summary.facts:,} facts{span}"
    for kind in sorted({*summary.new, *summary.known, *summary.otherwise}):
        parts = [f"{summary.new[kind]:,} new"]
        if summary.known[kind]:
            parts.append(f"{summary.known[kind]:,} in the log already")
        if summary.otherwise[kind]:
            where = ", ".join(summary.examples[kind][:3])
            parts.append(f"{summary.otherwise[kind]:,} told otherwise before, which stays ({where} …)")
        yield f"  {kind:<22} {', '.join(parts)}"
    if summary.reverts:
        counts = summary.reverts
        yield (
            f"  of the reverts {counts['failure']:,} read like a failure, {counts['not_failure']:,} like "
            f"none, "
            f"{counts['uncertain']:,} are uncertain: by their words alone, so none is certain"
        )


def _said(summary: ImportSummary) -> Iterator[str]:
    for kind, word in _WORDS.items():
        for remark in summary.remarks:
            if remark.kind == kind:
                yield f"{word}: {remark.text}"


def _not_understood(summary: ImportSummary) -> Iterator[str]:
    if not summary.faults:
        yield "everything else was understood"
        return
    yield f"not understood: {summary.faults.total():,}"
    for name, count in summary.faults.most_common():
        yield f"  {name}: {count:,}"
        for fault in summary.first[name]:
            yield f"    {fault.where}: {fault.message}"
        remedy = summary.first[name][0].remedy
        if remedy:
            yield f"    mend: {remedy}"
