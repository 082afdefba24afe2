"""How a decision of the gates is printed: text, JSON, JUnit, GitHub annotations."""

from __future__ import annotations

import json
from typing import Any

from amends.events.event import format_time
from amends.events.payloads import GateRow
from amends.gates.evaluate import PolicyDecision, effective
from amends.verdicts import Decision

_MEANS = {
    Decision.PASS: "may go to", Decision.BLOCK: "may not go to",
    Decision.UNDECIDED: "cannot go yet to", Decision.ERROR: "could not be evaluated for",
}  # fmt: skip


def render(form: str, decision: PolicyDecision, service: str, digest: str, *, tty: bool = False) -> str:
    """Return a decision in one of the formats ``text``, ``json``, ``junit`` and ``github``."""
    if form == "json":
        return json.dumps(_as_json(decision, service, digest), indent=2, ensure_ascii=False)
    if form == "junit":
        return _as_junit(decision, service)
    if form == "github":
        return _as_github(decision, service)
    return _as_table(decision, service) if tty else _as_text(decision, service)


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


def _as_text(decision: PolicyDecision, service: str) -> str:
    width = max(len(row.gate) for row in decision.rows)
    lines = [_headline(decision, service)]
    for row in decision.rows:
        lines.append(f"  {row.gate:<{width}}  {row.decision:<9}  {row.reason}{_note(row)}")
        if row.events:
            lines.append(f"  {'':<{width}}  {'':<9}  events: {', '.join(row.events)}")
    return "\n".join(lines)


def _as_table(decision: PolicyDecision, service: str) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"pass": "green", "block": "red", "undecided": "yellow", "error": "magenta"}
    table = Table("gate", "decision", "reason", "events", title_justify="left")
    for row in decision.rows:
        table.add_row(
            Text(row.gate), Text(row.decision, colours[row.decision]), Text(row.reason + _note(row)),
            Text("\n".join(row.events), overflow="fold"),
        )  # fmt: skip
    console = Console()
    with console.capture() as captured:
        console.print(Text(_headline(decision, service), "bold"))
        console.print(table)
    return captured.get().rstrip()


def _as_junit(decision: PolicyDecision, service: str) -> str:
    from xml.etree import ElementTree as Xml

    verdicts = [_junit_verdict(row) for row in decision.rows]
    suite = Xml.Element(
        "testsuite",
        name=f"amends gate {service}@{decision.release} to {decision.environment}",
        tests=str(len(verdicts)),
        failures=str(verdicts.count("failure")),
        errors=str(verdicts.count("error")),
        skipped=str(verdicts.count("skipped")),
        timestamp=format_time(decision.at).removesuffix("Z"),
    )
    for row, verdict in zip(decision.rows, verdicts, strict=True):
        case = Xml.SubElement(suite, "testcase", name=row.gate, classname=f"amends.{decision.environment}")
        text = row.reason + _note(row)
        if verdict:
            Xml.SubElement(case, verdict, message=text, type=row.decision)
        Xml.SubElement(case, "system-out").text = "\n".join([text, *row.events])
    root = Xml.Element("testsuites")
    root.append(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode")


def _junit_verdict(row: GateRow) -> str:
    """Only a pass is green; an answer that does not count is skipped, not passed."""
    if row.decision == "pass":
        return ""
    if effective(row) is Decision.PASS:
        return "skipped"
    return "error" if row.decision == "error" else "failure"


def _as_github(decision: PolicyDecision, service: str) -> str:
    """Write workflow commands: docs.github.com, "Workflow commands for GitHub Actions"."""
    lines = []
    for row in decision.rows:
        counts = effective(row) is not Decision.PASS
        level = ("error" if row.decision != "undecided" else "warning") if counts else "notice"
        title = f"{row.gate}: {row.decision}"
        lines.append(f"::{level} title={_github_value(title)}::{_github_text(row.reason + _note(row))}")
    return "\n".join([*lines, _headline(decision, service)])


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_value(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
