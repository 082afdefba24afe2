"""Write the generated pages of docs/reference from the code, so that they cannot disagree.

`python scripts/write_reference.py` writes them; `--check` says which are out of date and exits 1.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from amends.cli.main import COMMANDS, load_command
from amends.events import payloads
from amends.events.kinds import KINDS, SPEC_VERSION
from amends.gates.entry import ENTRY_FIELDS, GateEntry, gate_kinds
from amends.gates.policy import Policy
from amends.gates.variables import VARIABLES
from amends.gates.when import When

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/write_reference.py from the code; edit the docstrings there. -->\n\n"


def events() -> str:
    """Return the page about the kinds of event."""
    lines = [
        "# Events\n",
        NOTE,
        f"Every event is a CloudEvent that carries a CDEvent {SPEC_VERSION}. Standard kinds keep what only "
        "amends knows in `customData.amends`, custom kinds in `subject.content`. Any tool may send them "
        "(`POST /api/v1/events`); kinds that are not listed here are kept as they are. An event "
        "may leave out `time`, as CloudEvents allows: a CDEvent's is then its `context.timestamp`, another "
        "event counts as having happened when it was recorded. An imported event needs its time.\n",
    ]
    for kind in KINDS:
        lines.append(f"\n## {kind.name}\n\n`{kind.cdtype}` in stream `{kind.stream}`\n")
        lines.append(f"\n{_text(kind.payload)}\n\n| field | type | default |\n|---|---|---|")
        lines.extend(_fields(kind.payload))
    return _page(lines)


def _page(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _text(thing: Any) -> str:
    found = inspect.getdoc(thing) or ""
    return "" if found == inspect.getdoc(payloads.Payload) else found.replace("``", "`")


def _fields(payload: type[payloads.Payload]) -> Iterator[str]:
    hints = get_type_hints(payload)
    for field in msgspec.structs.fields(payload):
        default = "required" if field.required else f"`{_default(field)}`"
        yield f"| `{field.name}` | `{_type(hints[field.name])}` | {default} |"


def _default(field: Any) -> str:
    return repr(field.default_factory() if field.default is msgspec.NODEFAULT else field.default)


def _type(hint: Any) -> str:
    name = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    for module in ("typing.", "datetime.datetime", "amends.events.payloads."):
        name = name.replace(module, "datetime" if module.startswith("datetime") else "")
    return name.rsplit(".", 1)[-1].replace("|", "\\|") if "[" not in name else name.replace("|", "\\|")


def gates() -> str:
    """Return the page about gates."""
    lines = ["# Gates\n", NOTE, f"{_text(GateEntry)}\n"]
    for name in gate_kinds():
        gate = next(t for t in get_args(GateEntry.model_fields[name].annotation) if t is not type(None))
        lines.append(f"\n## {name}\n\n{_text(gate)}\n\n| parameter | default | what it is |\n|---|---|---|")
        lines.extend(_parameters(gate))
    lines.extend(_variables())
    lines.append("\n## Beside every gate\n\n| field | default | what it is |\n|---|---|---|")
    lines.extend(row for row in _parameters(GateEntry) if row.split("`")[1] in ENTRY_FIELDS)
    lines.append(f"\n### when\n\n{_text(When)}\n\n| parameter | default | what it is |\n|---|---|---|")
    lines.extend(_parameters(When))
    return _page(lines)


def _parameters(part: Any) -> Iterator[str]:
    for name, field in part.model_fields.items():
        shown = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)}`"
        yield f"| `{field.alias or name}` | {shown} | {field.description or ''} |"


def _variables() -> Iterator[str]:
    """Yield what the expressions of `expr` may name."""
    types = {
        "texts": "map(string, string)", "flags": "map(string, bool)", "numbers": "map(string, double)",
        "counts": "map(string, int)", "list": "list(string)",
    }  # fmt: skip
    yield "\n### What an expression may name\n\n| name | CEL type | what it is |\n|---|---|---|"
    for variable in VARIABLES:
        yield f"| `{variable.name}` | `{types.get(variable.type, variable.type)}` | {variable.says} |"


def commands() -> str:
    """Return the page about the command line."""
    lines = ["# The command line\n", NOTE]
    lines.append("Exit codes: 0 pass, 1 blocked, 2 usage, 3 undecided, 4 could not evaluate.\n")
    for name in COMMANDS:
        lines.extend(_command(load_command(name), f"amends {name}"))
    return _page(lines)


def _command(command: Any, path: str) -> Iterator[str]:
    yield f"\n## {path}\n\n{inspect.cleandoc(command.help or '')}\n"
    children = getattr(command, "commands", {})
    if children:
        for name, child in children.items():
            yield from _command(child, f"{path} {name}")
        return
    rows = [row for row in (_parameter(p) for p in command.params) if row]
    if rows:
        yield "| option | what it does |\n|---|---|"
        yield from rows


def _parameter(parameter: Any) -> str:
    if parameter.name == "help":
        return ""
    names = (
        ", ".join(parameter.opts) if parameter.param_type_name == "option" else str(parameter.name).upper()
    )
    return f"| `{names}` | {(getattr(parameter, 'help', '') or '').replace('|', chr(92) + '|')} |"


def schema() -> str:
    """Return the JSON Schema of amends.yaml."""
    return json.dumps(Policy.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


PAGES = {"events.md": events, "gates.md": gates, "commands.md": commands, "amends.schema.json": schema}


def main() -> None:
    """Write the pages, or with ``--check`` compare them."""
    stale = [name for name, make in PAGES.items() if _differs(REFERENCE / name, make())]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"out of date: {', '.join(stale)}; run: python scripts/write_reference.py")
        return
    for name in stale:
        (REFERENCE / name).write_text(PAGES[name]())


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text


if __name__ == "__main__":
    main()
