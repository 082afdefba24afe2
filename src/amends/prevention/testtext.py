"""The text of a regression test: readable, whole, and saying where it comes from.

Everything that came from outside (input, words, names) stands in it as a literal or as escaped text of the
docstring, so that no capture can bring code along.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from amends.events.payloads import Signature
from amends.prevention.commandfailure import CommandFailure
from amends.prevention.drivers import LAST_LINE, MADE
from amends.prevention.literals import WIDTH, Source, is_builtin_exception, literal, quoted
from amends.prevention.oracle import Oracle
from amends.prevention.subjects import (
    AppSubject,
    CallSubject,
    CommandSubject,
    Parts,
    Rehearsed,
    ServiceSubject,
    Subject,
)

_STANDARD = (
    "asyncio", "datetime", "decimal", "http", "io", "json", "os", "pathlib", "re", "signal",
    "socket", "subprocess", "sys", "tempfile", "time", "urllib", "uuid", "wsgiref",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """What the docstring tells."""

    name: str
    words: str
    failure: str
    incident: str = ""
    capture: str = ""
    release: str = ""
    sizes: str = ""
    redacted: int = 0


def test_name(words: str) -> str:
    """Return a name for a test from words: ``an empty basket`` gives ``test_an_empty_basket``."""
    plain = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
    return f"test_{'_'.join(plain.split('_')[:8])[:60].rstrip('_') or 'captured_failure'}"


test_name.__test__ = False  # type: ignore[attr-defined]


def write_test(
    subject: Subject, parts: Parts, oracle: Oracle, story: Story, *, fix: str = "", depth: int = 1,
    expected: Signature | None = None, failure: CommandFailure | None = None,
) -> str:  # fmt: skip
    """Return the source of a test module.

    Parameters
    ----------
    parts:
        The reduced input.
    fix:
        The fix's name, where the oracle is the fix's.
    depth:
        How many folders the test's file is below the repository's root.
    expected:
        The signature, for a reply that must not be the captured one.
    failure:
        The failure of a command, for a subject that is one.
    """
    if isinstance(subject, CommandSubject):
        body, imports, makes = _command_body(subject, oracle, failure or CommandFailure(1), story.name)
    else:
        body, imports, makes = _body(subject, parts, oracle, expected or Signature(), story.name)
    imports |= subject.imports
    needs_root = isinstance(subject, ServiceSubject | CommandSubject)
    if needs_root:
        imports.add("from pathlib import Path")
    pieces = [_docstring(story, oracle, fix), _imports(imports)]
    if needs_root:
        pieces.append(f"ROOT = Path(__file__).resolve().parents[{depth}]")
    if isinstance(subject, CommandSubject):
        pieces[-1] += f"\nINPUT = {_lines(parts['text'])}"
    pieces.append("\n" + body)
    if makes:
        pieces.append(MADE)
    if subject.driver:
        pieces.append(subject.driver)
    return "\n\n".join(piece.rstrip("\n") if n else piece for n, piece in enumerate(pieces)) + "\n"


def _lines(text: str) -> str:
    """Write a text that does not fit on a line as a line of source for each of its lines."""
    lines = text.splitlines(keepends=True)
    if len(lines) < 2 or len(f"INPUT = {quoted(text)}") <= WIDTH:
        return quoted(text)
    return "\n".join(["(", *(f"    {quoted(line)}" for line in lines), ")"])


def _docstring(story: Story, oracle: Oracle, fix: str) -> str:
    title = _safe(f"{story.incident}: {story.words}" if story.incident else story.words)
    origin = f"a captured input of production ({story.capture})" if story.capture else "a captured input"
    origin += f", release {story.release}" if story.release else ""
    told = [f"Written by amends from {origin}.", f"It failed with {story.failure}.", story.sizes]
    if story.redacted:
        told.append(f"{story.redacted} of its values were redacted when it was recorded.")
    told.append(oracle.told(fix))
    body = textwrap.fill(_safe(" ".join(filter(None, told))), WIDTH)
    head = textwrap.fill(title if title.endswith((".", "!", "?")) else f"{title}.", WIDTH - 6)
    return f'"""{head}\n\n{body}\n"""'


def _safe(text: str) -> str:
    """Make text harmless inside a docstring: no quote, backslash or control character has a meaning."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown.replace("\\", "/").replace('"', "'")


def _imports(lines: Iterable[str]) -> str:
    """Sort imports as isort does: Python's own first, then pytest, then the project's."""
    groups: list[list[str]] = [[], [], []]
    for line in set(lines):
        module = line.split()[1].partition(".")[0]
        groups[0 if module in _STANDARD else 1 if module == "pytest" else 2].append(line)
    ordered = ["\n".join(sorted(group, key=lambda line: (line.startswith("from"), line))) for group in groups]
    return "\n\n".join(filter(None, ordered))


def _body(
    subject: Rehearsed, parts: Parts, oracle: Oracle, expected: Signature, name: str
) -> tuple[str, set[str], bool]:
    if isinstance(subject, CallSubject):
        return _call_body(subject, parts, oracle, name)
    return _request_body(subject, parts, oracle, expected, name)


def _call_body(subject: CallSubject, parts: Parts, oracle: Oracle, name: str) -> tuple[str, set[str], bool]:
    head, imports = [f"def {name}():"], set()
    if oracle.kind == "raises":
        found = subject.expression(parts, indent=8)
        if is_builtin_exception(oracle.name):
            imports.add("import pytest")
            lines = [f"    with pytest.raises({oracle.name.rpartition('.')[2]}):", f"        {found.text}"]
        else:
            lines = _refused(found, oracle.name)
    elif oracle.kind == "value" and not _short(subject, parts, oracle):
        found = subject.expression(parts, used=len("found = "))
        lines = [f"    found = {found.text}", *_assertions("found", oracle, imports)]
    elif oracle.kind == "value":
        found = subject.expression(parts, used=len("assert "))
        lines = _assertions(found.text, oracle, imports)
    else:
        found = subject.expression(parts)
        lines = [f"    {found.text}"]
    return "\n".join(head + lines), imports | found.imports, found.makes


def _short(subject: CallSubject, parts: Parts, oracle: Oracle) -> bool:
    """Return whether call and answer fit on one line of assertion."""
    text = subject.expression(parts).text
    return (
        len(oracle.places) == 1
        and "\n" not in text
        and len(text) + len(literal(oracle.places[0][1]).text) < 60
    )


def _refused(found: Source, exception: str) -> list[str]:
    """Accept an exception of the project by its name: an older release may not have its class."""
    return [
        "    try:", f"        {found.text}", "    except Exception as error:",
        f"        if type(error).__name__ != {quoted(exception.rpartition('.')[2])}:", "            raise",
    ]  # fmt: skip


def _assertions(name: str, oracle: Oracle, imports: set[str]) -> list[str]:
    lines = []
    for place, value in oracle.places:
        left = name + "".join(f"[{literal(step).text}]" for step in place)
        if value is None or isinstance(value, bool):
            lines.append(f"    assert {left} is {value}")
            continue
        found = literal(value, indent=4, used=len(f"assert {left} == "))
        imports |= found.imports
        lines += _compared(left, found.text)
    return lines


def _compared(left: str, right: str) -> list[str]:
    if "\n" in right or 4 + len(f"assert {left} == {right}") <= WIDTH:
        return [f"    assert {left} == {right}"]
    return [f"    expected = {right}", f"    assert {left} == expected"]


def _request_body(
    subject: AppSubject | ServiceSubject, parts: Parts, oracle: Oracle, expected: Signature, name: str
) -> tuple[str, set[str], bool]:
    imports: set[str] = set()
    inside = 8 if isinstance(subject, ServiceSubject) else 4
    found = subject.expression(parts, indent=inside, used=len("status, text = "))
    request = subject.request
    shown = f"{request.method} {request.path}".replace("{", "{{").replace("}", "}}")
    message = "f" + quoted(f"{shown} -> {{status}}: {{text[:500]}}")
    sent = [f"{' ' * inside}status, text = {found.text}"]
    if isinstance(subject, ServiceSubject):
        sent = [f"    with {subject.started(indent=4)} as service:", *sent, "        print(service.output())"]
    if oracle.kind == "status":
        lines = [f"    assert status == {oracle.status}, {message}"]
    elif oracle.kind == "value":
        imports.add("import json")
        lines = ["    reply = json.loads(text)", *_assertions("reply", oracle, imports)]
        if any(isinstance(value, str) and place == () for place, value in oracle.places):
            imports.discard("import json")
            lines = _assertions("text", oracle, imports)
    elif expected.status is not None and expected.status < 500:
        lines = [f"    assert status != {expected.status}, {message}"]
    else:
        lines = [f"    assert status < 500, {message}"]
    return "\n".join([f"def {name}():", *sent, *lines]), imports | found.imports, found.makes


def _command_body(
    subject: CommandSubject, oracle: Oracle, failure: CommandFailure, name: str
) -> tuple[str, set[str], bool]:
    words = literal(list(subject.command), indent=4, used=len("command = "))
    lines = [
        f"def {name}(tmp_path):", f"    command = {words.text}",
        f"    path = tmp_path / {quoted(f'input{subject.suffix}')}",
        "    path.write_bytes(INPUT.encode())", "    code, output = run(command, path, seconds=60)",
        "    print(output)",
    ]  # fmt: skip
    if oracle.kind == "status":
        lines.append(f"    assert code == {oracle.status}")
    elif oracle.kind == "value":
        lines += _compared("output.strip()", quoted(str(oracle.places[0][1]).strip()))
    elif failure.signature != Signature() or not failure.line:
        lines.append(f"    assert code != {failure.exit_code}")
    else:
        lines.append(f"    failed = ({failure.exit_code}, {quoted(failure.line)})")
        lines.append("    assert (code, last_line(output)) != failed")
        return "\n".join(lines) + "\n\n" + LAST_LINE, {"import re"}, False
    return "\n".join(lines), set(), False
