"""Reads failures as Python, pytest and JUnit print them: which exception, through which frames."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One traceback: its frames, outermost first, and the exception it ended in."""

    exception: str
    frames: tuple[Frame, ...]


_NATIVE_FRAME = re.compile(r'^\s*File "(?P<path>[^"]+)", line \d+(?:, in (?P<function>.+))?$')
_SHORT_FRAME = re.compile(r"^(?P<path>[^\s:][^:\n]*?\.\w+):\d+: in (?P<function>\S+)\s*$")
_LONG_FRAME = re.compile(r"^(?P<path>[^\s:][^:\n]*?\.\w+):\d+:\s?(?P<exception>[\w.]*)\s*$")
_LINE_STYLE = re.compile(r"^(?P<path>\S[^:\n]*?\.py):\d+: (?P<exception>[A-Za-z_][\w.]*)(?:[: ]|$)")
_DEF = re.compile(r"^[ >]?\s*(?:async\s+)?def\s+(?P<name>\w+)\s*\(")
_RAISED = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?::\s.*|:)?$")
_E_LINE = re.compile(r"^E\s+(?P<rest>\S.*)$")
_EXCEPTION_NAME = re.compile(
    r"(?:[a-z_]\w*\.)*_?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Failed|Iteration|Fault|Timeout|Group)"
    r"|(?:[a-z_]\w*\.)+_?[A-Z]\w*"
)
_ASSERT = re.compile(r"^assert(?:\s|\()")
_ENTRY_BREAK = re.compile(r"^(?:_ ){5,}|^[_=]{3,} .* [_=]{3,}$|^-{3,} .* -{3,}$")
_CHAINED = re.compile(r"^(?:The above exception was the direct cause|During handling of the above)")
_GROUP_MARGIN = re.compile(r"^\s*[|+](?:-+ \d+ -+)?\s?(?=\S|\s{2,})")
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) \S+ - (?P<rest>.+)$")


def native_failures(lines: Sequence[str]) -> Iterator[Failure]:
    """Yield each ``Traceback (most recent call last)`` block; chained ones come as several."""
    frames: list[Frame] = []
    inside = False
    for raw in lines:
        line = _GROUP_MARGIN.sub("", raw)
        if "Traceback (most recent call last):" in line:
            frames, inside = [], True
            continue
        frame = _NATIVE_FRAME.match(line) if inside else None
        if frame:
            frames.append(Frame(frame["path"], frame["function"] or "<module>"))
        elif inside and line and not line[0].isspace():
            raised = _RAISED.match(line)
            if raised:
                yield Failure(raised["name"], tuple(frames))
            inside = False


@dataclass
class _PytestReader:
    """Walks pytest's output line by line: its short, long, mixed (auto) and line styles.

    In the long style a frame is its function's source, then ``path:line:``, so the function's name is the
    first ``def`` of an entry; the failing line is followed by ``E   Type: message``.
    """

    frames: list[Frame] = field(default_factory=list)
    function: str = ""
    error: str = ""

    def read(self, line: str) -> Iterator[Failure]:
        defined = _DEF.match(line)
        raised = _E_LINE.match(line)
        if defined:
            self.function = self.function or defined["name"]
        elif raised:
            self.error = self.error or name_of(raised["rest"])
        elif _CHAINED.match(line):
            self.frames, self.error = [], ""
        elif _ENTRY_BREAK.match(line):
            self.function = ""
            if self.error or not line.startswith("_ _"):
                yield from self.finish()
        else:
            yield from self._place(line)

    def _place(self, line: str) -> Iterator[Failure]:
        short = _SHORT_FRAME.match(line)
        long = _LONG_FRAME.match(line)
        line_style = _LINE_STYLE.match(line)
        if short:
            if self.error:
                yield from self.finish()
            self.frames.append(Frame(short["path"], short["function"]))
            self.function = ""
        elif long:
            self.frames.append(Frame(long["path"], self.function))
            self.function = ""
            if long["exception"]:
                self.error = _fuller(self.error, long["exception"])
                yield from self.finish()
        elif line_style and self.error:
            self.frames.append(Frame(line_style["path"], ""))
            yield from self.finish()

    def finish(self) -> Iterator[Failure]:
        if self.error:
            yield Failure(self.error, tuple(self.frames))
        self.frames, self.error = [], ""


def pytest_failures(lines: Sequence[str]) -> Iterator[Failure]:
    """Yield each failure that pytest shows."""
    reader = _PytestReader()
    for line in lines:
        yield from reader.read(line)
    yield from reader.finish()


def bare_exceptions(lines: Sequence[str]) -> Iterator[Failure]:
    """Yield exceptions named without a traceback: JUnit messages, summaries, ``--tb=line``."""
    for line in lines:
        summary = _SUMMARY.match(line)
        placed = _LINE_STYLE.match(line)
        if placed and _EXCEPTION_NAME.fullmatch(placed["exception"]):
            yield Failure(placed["exception"], (Frame(placed["path"], ""),))
            continue
        name = name_of(summary["rest"] if summary else line.strip())
        if name:
            yield Failure(name, ())


def name_of(text: str) -> str:
    if _ASSERT.match(text):
        return "AssertionError"
    raised = _RAISED.match(text)
    if raised and _EXCEPTION_NAME.fullmatch(raised["name"]):
        return raised["name"]
    # ``Failed: DID NOT RAISE`` is pytest's own outcome; it names no dotted type.
    return "Failed" if raised and raised["name"] == "Failed" else ""


def _fuller(error: str, short: str) -> str:
    return error if error and error.rsplit(".", 1)[-1] == short.rsplit(".", 1)[-1] else short
