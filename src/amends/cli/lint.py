"""``amends lint``: what in a review's wording blames, judges with hindsight or stops at one cause."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amends.reviews.language.lint import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None)
LARGEST_FILE = 64 * 1024 * 1024


class LintFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@app.command()
def lint(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Markdown or text; - is standard input")
    ],
    format: Annotated[
        LintFormat, typer.Option("--format", help="How to print the findings")
    ] = LintFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when something was found")] = False,
) -> None:
    """Say which sentences of a review blame people, and how to write them instead.

    Labels: blame, counterfactual, hindsight, single-cause, person-named. It warns; it never scores
    anybody. A comment with its reason allows a wording: <!-- amends-lint: allow blame: REASON -->.
    JSON: a list of {"file", "line", "column", "label", "text", "message", "suggestion"}.
    """
    from amends.reviews.language.lint import lint_text

    reports = [(name, lint_text(_read(name))) for name in files]
    typer.echo(
        _RENDER[format](reports), nl=format is not LintFormat.GITHUB or any(r.findings for _, r in reports)
    )
    for name, report in reports:
        for remark in report.remarks:
            sys.stderr.write(f"{name}:{remark.line}: {remark.text}\n")
    if strict and any(report.findings for _, report in reports):
        raise typer.Exit(1)


def _read(name: str) -> str:
    """Read a file; bytes that are no UTF-8 become a mark, so that a broken encoding hides nothing else."""
    from amends.errors import UsageError

    if name == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    path = Path(name)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(
                f"the file is larger than {LARGEST_FILE // 1024 // 1024} MB",
                where=name,
                remedy="lint its parts",
            )
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror}", where=name, remedy="give files of Markdown or text"
        ) from None


Reports = list[tuple[str, "Report"]]


def _as_json(reports: Reports) -> str:
    rows = [
        {
            "file": name, "line": f.line, "column": f.column, "label": f.label.value, "text": f.text,
            "message": f.message, "suggestion": f.suggestion,
        }
        for name, report in reports
        for f in report.findings
    ]  # fmt: skip
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _as_text(reports: Reports) -> str:
    lines = []
    for name, report in reports:
        for f in report.findings:
            lines.append(f"{name}:{f.line}:{f.column}: {f.label.value}: “{f.text}”")
            lines += [f"  {f.message}", f"  {f.suggestion}"]
    found = sum(len(report.findings) for _, report in reports)
    allowed = sum(report.allowed for _, report in reports)
    noted = f"; {allowed} allowed by a comment" if allowed else ""
    many = "1 finding" if found == 1 else f"{found} findings" if found else "nothing"
    return "\n".join([*lines, f"{many} to look at{noted}"])


def _as_github(reports: Reports) -> str:
    """Write workflow commands: docs.github.com, "Workflow commands for GitHub Actions"."""
    return "\n".join(
        f"::warning file={_value(name)},line={f.line},col={f.column},title={f.label.value}::"
        f"{_data(f'“{f.text}”: {f.message} {f.suggestion}')}"
        for name, report in reports
        for f in report.findings
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_RENDER = {LintFormat.TEXT: _as_text, LintFormat.JSON: _as_json, LintFormat.GITHUB: _as_github}
