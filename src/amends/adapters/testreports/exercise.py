"""What a suite exercised: covered lines (coverage.py's JSON, Cobertura XML, LCOV) and keys of inputs."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from amends.adapters.testreports.xml import parse_xml, read_bytes
from amends.errors import UsageError
from amends.events.redaction import redact

Covered = dict[str, tuple[int, ...]]
_WHAT = "coverage.py's JSON or XML report, another Cobertura XML, or LCOV"


def read_coverage(path: Path, *, root: Path) -> Covered:
    """Return the covered lines of each file, by path relative to ``root`` where it lies under it.

    Raises ``UsageError`` with file:line when the file is of no known form or names no file at all.
    """
    content = read_bytes(path)
    first = content.lstrip()[:1]
    if first == b"{":
        lines = _from_json(content, path)
    elif first == b"<":
        lines = _from_cobertura(content, path)
    else:
        lines = _from_lcov(content, path)
    if not lines:
        raise UsageError("the coverage report names no file", where=f"{path}:1", remedy=f"give {_WHAT}")
    found: dict[str, set[int]] = {}
    for name, numbers in lines:
        found.setdefault(_relative(name, root), set()).update(numbers)
    return {name: tuple(sorted(numbers)) for name, numbers in sorted(found.items())}


def read_inputs(path: Path) -> tuple[str, ...]:
    """Return the input keys of a file, one on each line; empty lines and repetitions are dropped."""
    text = read_bytes(path).decode("utf-8", "replace")
    keys = (redact(line.strip()) for line in text.splitlines())
    return tuple(dict.fromkeys(key for key in keys if key))


def _from_json(content: bytes, path: Path) -> list[tuple[str, list[int]]]:
    try:
        report = json.loads(content)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(
            f"this is not JSON: {error}", where=f"{path}:{line}", remedy=f"give {_WHAT}"
        ) from None
    files = report.get("files")
    if not isinstance(files, dict) or not all(_is_file(part) for part in files.values()):
        raise UsageError(
            "this JSON is not a coverage.py report: it has no `files` with `executed_lines`",
            where=f"{path}:1", remedy="coverage json -o coverage.json",
        )  # fmt: skip
    return [(name, part["executed_lines"]) for name, part in files.items()]


def _is_file(part: Any) -> bool:
    lines = part.get("executed_lines") if isinstance(part, dict) else None
    return isinstance(lines, list) and all(isinstance(line, int) for line in lines)


def _from_cobertura(content: bytes, path: Path) -> list[tuple[str, list[int]]]:
    root = parse_xml(_without_known_doctype(content), str(path), "coverage.py's XML report")
    if root.tag != "coverage":
        raise UsageError(
            f"found <{root.tag}>; allowed is Cobertura's <coverage>",
            where=f"{path}:1",
            remedy=f"give {_WHAT}",
        )
    sources = [source.text.strip() for source in root.iter("source") if source.text and source.text.strip()]
    base = sources[0] if len(sources) == 1 else ""
    found = []
    for part in root.iter("class"):
        name = part.get("filename", "")
        hits = [
            int(line.get("number", "0"))
            for line in part.iter("line")
            if (line.get("hits") or "0") not in ("0", "")
        ]
        if name:
            found.append((str(PurePath(base) / name), hits))
    return found


_COBERTURA_DOCTYPES = (
    b"<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>",
    b'<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">',
)


def _without_known_doctype(content: bytes) -> bytes:
    """Drop the one document type that Cobertura's writers are known to state; it declares no entity."""
    for known in _COBERTURA_DOCTYPES:
        content = content.replace(known, b"", 1)
    return content


def _from_lcov(content: bytes, path: Path) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        tag, _, value = line.strip().partition(":")
        if tag == "SF":
            found.append((value, []))
        elif tag == "DA" and found:
            parts = value.split(",")
            if len(parts) < 2 or not parts[0].isdecimal() or not parts[1].lstrip("-").isdecimal():
                raise UsageError(f"found {line!r}; allowed is DA:LINE,HITS", where=f"{path}:{number}")
            if int(parts[1]) > 0:
                found[-1][1].append(int(parts[0]))
        elif not found and tag not in ("TN", ""):
            raise UsageError(
                f"this is no coverage report: {line[:60]!r}", where=f"{path}:{number}", remedy=f"give {_WHAT}"
            )
    return found


def _relative(name: str, root: Path) -> str:
    place = PurePath(name)
    if place.is_absolute():
        for base in (root, root.resolve()):
            if place.is_relative_to(base):
                place = place.relative_to(base)
                break
    return place.as_posix()
