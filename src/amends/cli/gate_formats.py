"""How a decision of the gates is printed: text, JSON, JUnit, Markdown, GitHub annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from amends.errors import UsageError
from amends.events.event import format_time
from amends.events.payloads import GateRow
from amends.gates.evaluate import PolicyDecision, effective
from amends.gates.policy import LoadedPolicy
from amends.verdicts import Decision

_MEANS = {
    Decision.PASS: "may go to", Decision.BLOCK: "may not go to",
    Decision.UNDECIDED: "cannot go yet to", Decision.ERROR: "could not be evaluated for",
}  # fmt: skip


def render(form: str, decision: PolicyDecision, loaded: LoadedPolicy, *, tty: bool = False) -> str:
    """Return a decision in one of the formats ``text``, ``json``, ``junit``, ``markdown`` and ``github``."""
    service = loaded.policy.service
    if form == "json":
        return json.dumps(_as_json(decision, service, loaded.digest), indent=2, ensure_ascii=False)
    if form == "junit":
        return _as_junit(decision, service)
    if form == "github":
        return _as_github(decision, loaded)
    if form == "markdown":
        return _as_markdown(decision, service)
    return _as_table(decision, service) if tty else _as_text(decision, service)


def files_of(also: Iterable[str], forms: Iterable[str]) -> list[tuple[str, Path]]:
    """Read ``FORM=FILE``. Raises ``UsageError`` unless each names a format and a file in a folder."""
    found = []
    for text in also:
        form, _, name = text.partition("=")
        if form not in tuple(forms) or not name:
            raise UsageError(
                f"found --also {text!r}; allowed: FORM=FILE with one of {', '.join(forms)}",
                remedy="write for example --also junit=gates.xml",
            )
        if not Path(name).parent.is_dir():
            raise UsageError("there is no such folder", where=name, remedy="make it first")
        found.append((form, Path(name)))
    return found


def _as_json(decision: PolicyDecision, service: str, digest: str) -> dict[str, Any]:
    return {
        "decision": decision.decision.value,
        "service": service,
        "release": decision.release,
        "environment": decision.environment,
        "at": format_time(decision.at),
        "until": format_time(decision.until) if decision.until else None,
        "policy": digest,
        "gates": [
            {
                "gate": row.gate,
                "kind": row.kind,
                "decision": row.decision,
                "reason": row.reason,
                "events": list(row.events),
                "until": format_time(row.until) if row.until else None,
                "mode": row.mode,
                "overridden_by": row.overridden_by or None,
                "owner": row.owner or None,
                "because": row.because or None,
                "applies": row.applies,
            }
            for row in decision.rows
        ],
    }


def _headline(decision: PolicyDecision, service: str) -> str:
    wait = f"; at the earliest {format_time(decision.until)}" if decision.until else ""
    return (
        f"{decision.decision.value}: {service}@{decision.release} {_MEANS[decision.decision]} "
        f"{decision.environment}, as of {format_time(decision.at)}{wait}"
    )


def _note(row: GateRow) -> str:
    """Say what became of a gate's answer that does not count."""
    if row.decision == "pass":
        return ""
    if row.mode == "observe":
        would = {"block": "would have blocked", "undecided": "would have waited"}
        return f" (observing only: it {would.get(row.decision, 'could not tell')})"
    return f" (overridden by {row.overridden_by})" if row.overridden_by else ""


def _standing(row: GateRow) -> str:
    """Say whose gate it is and why it is there."""
    parts = [f"owner: {row.owner}"] if row.owner else []
    return "; ".join([*parts, *([f"because: {row.because}"] if row.because else [])])


def _as_text(decision: PolicyDecision, service: str) -> str:
    width = max(len(row.gate) for row in decision.rows)
    lines = [_headline(decision, service)]
    for row in decision.rows:
        lines.append(f"  {row.gate:<{width}}  {row.decision:<9}  {row.reason}{_note(row)}")
        more = [_standing(row), f"events: {', '.join(row.events)}" if row.events else ""]
        lines += [f"  {'':<{width}}  {'':<9}  {line}" for line in more if line]
    return "\n".join(lines)


def _as_table(decision: PolicyDecision, service: str) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"pass": "green", "block": "red", "undecided": "yellow", "error": "magenta"}
    table = Table("gate", "decision", "reason", "events", title_justify="left")
    for row in decision.rows:
        table.add_row(
            Text(row.gate), Text(row.decision, colours[row.decision]), Text(_told(row)),
            Text("\n".join(row.events), overflow="fold"),
        )  # fmt: skip
    console = Console()
    with console.capture() as captured:
        console.print(Text(_headline(decision, service), "bold"))
        console.print(table)
    return captured.get().rstrip()


def _as_markdown(decision: PolicyDecision, service: str) -> str:
    """Write a table, as summaries of jobs and comments show it."""
    lines = [f"### {_cell(_headline(decision, service))}", "", "| gate | answer | why |", "|---|---|---|"]
    for row in decision.rows:
        observing = ", observing" if row.mode == "observe" else ""
        lines.append(f"| {_cell(row.gate)} | **{row.decision}**{observing} | {_cell(_told(row))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Keep others' text from becoming a table, a tag, an image or a mention of somebody."""
    for character, harmless in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("[", "\\[")):
        text = text.replace(character, harmless)
    return "<br>".join(_MENTION.sub("@\u200b", text).splitlines())


_MENTION = re.compile(r"(?<!\w)@")


def _told(row: GateRow) -> str:
    return "\n".join(line for line in (row.reason + _note(row), _standing(row)) if line)


def _as_junit(decision: PolicyDecision, service: str) -> str:
    """Write what CI systems have in common of JUnit's format: one test case for each gate.

    A verdict's text stands in the attribute and in the element: some consumers show the one, some the other.
    Times are 0: gates take none that anybody measures, and some consumers want the attribute.
    """
    from xml.etree import ElementTree as Xml

    verdicts = [_junit_verdict(row) for row in decision.rows]
    counts = {
        "tests": str(len(verdicts)), "failures": str(verdicts.count("failure")),
        "errors": str(verdicts.count("error")), "skipped": str(verdicts.count("skipped")), "time": "0",
    }  # fmt: skip
    name = _xml(f"amends gate {service}@{decision.release} to {decision.environment}")
    root = Xml.Element("testsuites", {"name": "amends gate", **counts})
    stamp = format_time(decision.at).removesuffix("Z")
    suite = Xml.SubElement(root, "testsuite", {"name": name, "timestamp": stamp, **counts})
    for row, verdict in zip(decision.rows, verdicts, strict=True):
        classname = _xml(f"amends.{service}.{decision.environment}")
        case = Xml.SubElement(suite, "testcase", name=_xml(row.gate), classname=classname, time="0")
        text = _xml(_told(row))
        if verdict:
            message = _xml(row.reason + _note(row))
            Xml.SubElement(case, verdict, message=message, type=row.decision).text = text
        Xml.SubElement(case, "system-out").text = "\n".join([text, *row.events])
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode")


_UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return _UNFIT.sub("", text)


def _junit_verdict(row: GateRow) -> str:
    """Only a pass is green; an answer that does not count, or a gate that does not apply, is skipped."""
    if row.decision == "pass":
        return "" if row.applies else "skipped"
    if effective(row) is Decision.PASS:
        return "skipped"
    return "error" if row.decision == "error" else "failure"


def _as_github(decision: PolicyDecision, loaded: LoadedPolicy) -> str:
    """Write workflow commands: docs.github.com, "Workflow commands for GitHub Actions".

    An annotation stands at the gate's line in the policy, where that lies in the repository.
    """
    found = [f"::{_github_level(row)} {_annotation(row, decision, loaded)}" for row in decision.rows]
    return "\n".join([*found, " ".join(_headline(decision, loaded.policy.service).split())])


def _github_level(row: GateRow) -> str:
    if effective(row) is Decision.PASS:
        return "notice"
    return "warning" if row.decision == "undecided" else "error"


def _annotation(row: GateRow, decision: PolicyDecision, loaded: LoadedPolicy) -> str:
    labels = loaded.policy.labels(decision.environment)
    at = {"title": f"{row.gate}: {row.decision}"}
    if row.gate in labels and not Path(loaded.path).is_absolute():
        place = ("gates", decision.environment, labels.index(row.gate))
        at = {"file": loaded.path, "line": str(loaded.line_of(place)), **at}
    named = ",".join(f"{name}={_github_value(value)}" for name, value in at.items())
    return f"{named}::{_github_text(_told(row))}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_value(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
