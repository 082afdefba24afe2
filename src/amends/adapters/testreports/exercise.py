"""What a suite exercised: covered lines (coverage.py's JSON, Cobertura XML, LCOV) and keys of inputs."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from amends.adapters.testreports.xml import parse_xml, read_bytes
from amends.errors import UsageError
from amends.events.redaction import redact

Lines = dict[str, tuple[int, ...]]
_Found = list[tuple[str, list[int], list[int]]]
_WHAT = "coverage.py's JSON or XML report, another Cobertura XML, or LCOV"


def read_coverage(path: Path, *, root: Path) -> tuple[Lines, Lines]:
    """Return the covered and the missed lines of each file.

    Paths are relative to ``root`` where they lie under it. What a report does not
    list (another file, the later lines of a statement) is in neither.
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
    covered: dict[str, set[int]] = {}
    missed: dict[str, set[int]] = {}
    for name, ran, did_not in lines:
        covered.setdefault(_relative(name, root), set()).update(ran)
        missed.setdefault(_relative(name, root), set()).update(did_not)
    never = {name: numbers - covered[name] for name, numbers in missed.items()}
    return _sorted(covered), _sorted({name: numbers for name, numbers in never.items() if numbers})


def _sorted(lines: dict[str, set[int]]) -> Lines:
    return {name: tuple(sorted(numbers)) for name, numbers in sorted(lines.items())}


def read_inputs(path: Path) -> tuple[str, ...]:
    """Return the input keys of a file, one on each line; empty lines and repetitions are dropped."""
    text = read_bytes(path).decode("utf-8", "replace")
    keys = (redact(line.strip()) for line in text.splitlines())
    return tuple(dict.fromkeys(key for key in keys if key))


def _from_json(content: bytes, path: Path) -> _Found:
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
    return [(name, part["executed_lines"], part.get("missing_lines", [])) for name, part in files.items()]


def _is_file(part: Any) -> bool:
    if not isinstance(part, dict) or "executed_lines" not in part:
        return False
    both = (part["executed_lines"], part.get("missing_lines", []))
    return all(isinstance(lines, list) and all(isinstance(line, int) for line in lines) for lines in both)


def _from_cobertura(content: bytes, path: Path) -> _Found:
    root = parse_xml(_without_known_doctype(content), str(path), "coverage.py's XML report")
    if root.tag != "coverage":
        raise UsageError(
            f"found <{root.tag}>; allowed is Cobertura's <coverage>",
            where=f"{path}:1",
            remedy=f"give {_WHAT}",
        )
    sources = [source.text.strip() for source in root.iter("source") if source.text and source.text.strip()]
    base = sources[0] if len(sources) == 1 else ""
    found: _Found = []
    for part in root.iter("class"):
        name = part.get("filename", "")
        ran: list[int] = []
        did_not: list[int] = []
        for line in part.iter("line"):
            hits = line.get("hits")
            if hits:
                (did_not if hits == "0" else ran).append(int(line.get("number", "0")))
        if name:
            found.append((str(PurePath(base) / name), ran, did_not))
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


def _from_lcov(content: bytes, path: Path) -> _Found:
    found: _Found = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        tag, _, value = line.strip().partition(":")
        if tag == "SF":
            found.append((value, [], []))
        elif tag == "DA" and found:
            parts = value.split(",")
            if len(parts) < 2 or not parts[0].isdecimal() or not parts[1].lstrip("-").isdecimal():
                raise UsageError(f"found {line!r}; allowed is DA:LINE,HITS", where=f"{path}:{number}")
            _, ran, did_not = found[-1]
            (ran if int(parts[1]) > 0 else did_not).append(int(parts[0]))
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
