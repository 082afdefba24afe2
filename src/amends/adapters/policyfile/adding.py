"""Adding a gate to a policy file without disturbing what people wrote around it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from amends.errors import PolicyError


def add_gate(text: str, environment: str, gate_entry: Mapping[str, Any], because: str = "") -> str:
    """Return a policy's text with one more gate at the end of an environment's list.

    Comments, order and quoting stay. Where the list is written in lines, only lines are added; a list in
    brackets gets the gate inside its brackets.

    Parameters
    ----------
    gate_entry:
        As in the file: ``{"tests": {"suites": ["regression"]}, "mode": "block"}``.
    because:
        Why the gate is there; put into the entry unless that says so itself.

    Raises
    ------
    PolicyError
        If the text is no YAML mapping.
    """
    tree = _tree(text)
    entry = dict(gate_entry)
    if because and not entry.get("because"):
        entry["because"] = because
    wanted = _with_entry(_tree(text), environment, entry)
    gates = tree.get("gates")
    listed = gates.get(environment) if isinstance(gates, CommentedMap) else None
    if isinstance(listed, CommentedSeq) and listed and not listed.fa.flow_style():
        candidate = _inserted(text, environment, listed, entry)
        if _tree(candidate) == wanted:
            return candidate
    return _dump(wanted, text)


def _tree(text: str) -> CommentedMap:
    try:
        tree = _yaml(text).load(text)
    except YAMLError as error:
        raise PolicyError(f"this is not YAML: {error}", where="amends.yaml", remedy="mend the YAML") from None
    if not isinstance(tree, CommentedMap):
        raise PolicyError("this is no policy", where="amends.yaml", remedy="write one with `amends init`")
    return tree


def _yaml(text: str) -> YAML:
    """Return a round-trip parser that keeps quotes, long lines and the file's way to indent lists."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    if not _has_flush_lists(text):
        yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _has_flush_lists(text: str) -> bool:
    """Whether dashes stand in their parent's column."""
    previous = ""
    for line in text.splitlines():
        if line.lstrip().startswith("- ") and previous.rstrip().endswith(":"):
            return len(line) - len(line.lstrip()) == len(previous) - len(previous.lstrip())
        if line.strip() and not line.lstrip().startswith("#"):
            previous = line
    return False


def _with_entry(tree: CommentedMap, environment: str, entry: Mapping[str, Any]) -> CommentedMap:
    if not isinstance(tree.get("gates"), CommentedMap):
        tree["gates"] = CommentedMap()
    listed = tree["gates"].get(environment)
    if not isinstance(listed, CommentedSeq):
        listed = tree["gates"][environment] = CommentedSeq()
    elif not listed:
        tree["gates"][environment] = listed = CommentedSeq()
    listed.append(_styled(entry))
    return tree


def _styled(entry: Mapping[str, Any]) -> CommentedMap:
    """Write a gate's parameters in braces and its other fields below it, a line each."""
    found = CommentedMap()
    for name, value in entry.items():
        found[name] = CommentedMap(value) if isinstance(value, Mapping) else value
        if isinstance(value, Mapping):
            found[name].fa.set_flow_style()
    return found


def _inserted(text: str, environment: str, listed: CommentedSeq, entry: Mapping[str, Any]) -> str:
    """Put the entry's lines after the last line of the list."""
    lines = text.splitlines(keepends=True)
    column = listed.lc.item(0)[1] - 2
    last = _last_line(text, environment)
    snippet = CommentedSeq([_styled(entry)])
    dumped = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.dump(snippet, dumped)
    added = "".join(" " * max(column, 0) + line for line in dumped.getvalue().splitlines(keepends=True))
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    return "".join([*lines[: last + 1], added, *lines[last + 1 :]])


def _last_line(text: str, environment: str) -> int:
    """Return the index of the last line with content of an environment's list."""
    root = YAML(typ="rt").compose(text)
    gates = next(value for key, value in root.value if key.value == "gates")
    listed = next(value for key, value in gates.value if key.value == environment)
    lines = text.splitlines()
    last = min(listed.end_mark.line, len(lines) - 1)
    if listed.end_mark.line <= last:
        last -= 1
    while not lines[last].strip() or lines[last].lstrip().startswith("#"):
        last -= 1
    return int(last)


def _dump(tree: CommentedMap, text: str) -> str:
    out = io.StringIO()
    _yaml(text).dump(tree, out)
    return out.getvalue()
