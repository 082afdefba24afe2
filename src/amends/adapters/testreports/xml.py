"""Reading XML that somebody else wrote: no document type, no entities, and errors with their line."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from amends.errors import UsageError

LARGEST = 256 * 1024 * 1024


def read_bytes(path: Path) -> bytes:
    """Return a report's bytes. Raises ``UsageError`` when it cannot be read, is empty or absurdly large."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise UsageError(
            f"the report cannot be read: {error.strerror}", where=str(path),
            remedy="check that the test run wrote it, and where",
        ) from None  # fmt: skip
    if size > LARGEST:
        raise UsageError(f"the report has {size} bytes; allowed are {LARGEST}", where=str(path))
    if not content.strip():
        raise UsageError(
            "the report is empty", where=f"{path}:1", remedy="the test run probably broke off; run it again"
        )
    return content


def parse_xml(content: bytes, where: str, what: str) -> ElementTree.Element:
    """Return the root of an XML document.

    Document types are refused: reports need none, and entities in them can expand without bound or read
    files (https://docs.python.org/3/library/xml.html#xml-security). Raises ``UsageError`` with file:line.
    """
    checker = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise UsageError(
            "found a document type (<!DOCTYPE …>), refused because entities may expand without bound",
            where=f"{where}:{checker.CurrentLineNumber}", remedy=f"write {what} without one",
        )  # fmt: skip

    checker.StartDoctypeDeclHandler = refuse
    checker.EntityDeclHandler = refuse
    try:
        checker.Parse(content, True)
        return ElementTree.fromstring(content)  # noqa: S314 - checked just above
    except (expat.ExpatError, ElementTree.ParseError) as error:
        line = getattr(error, "lineno", 0) or getattr(error, "position", (1,))[0]
        raise UsageError(
            f"this is not XML: {expat.ErrorString(error.code)}", where=f"{where}:{line}",
            remedy=f"give {what}; if the file is cut short, the test run broke off",
        ) from None  # fmt: skip
    except (LookupError, ValueError) as error:
        raise UsageError(f"this is not XML that can be read: {error}", where=f"{where}:1") from None
