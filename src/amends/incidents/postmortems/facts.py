"""What was read of a post-mortem: each fact with the line that says it and how sure the reading is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

MILESTONES = ("started", "detected", "declared", "mitigated", "resolved")


@dataclass(frozen=True, slots=True)
class Reading:
    """A milestone: ``at`` is a moment; without it, it lay between ``earliest`` and ``latest``.

    A moment is its own earliest and latest. Times without a zone are those of a document that names none.
    ``confidence`` runs from 0 to 1: how often readings by this rule are right, roughly; it is no probability.
    """

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    line: int
    confidence: float
    text: str = ""

    @property
    def high(self) -> datetime | None:
        return self.at or self.latest

    @property
    def low(self) -> datetime | None:
        return self.at or self.earliest

    def to_json(self) -> dict[str, Any]:
        """Return the reading as the contract of ``--format json`` has it."""
        return {
            "at": _time(self.at), "earliest": _time(self.earliest), "latest": _time(self.latest),
            "line": self.line, "confidence": round(self.confidence, 2),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """Something else that the document says: ``kind`` is our word for it, ``text`` the document's."""

    kind: str
    text: str
    line: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ActionItem:
    text: str
    line: int
    done: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two things in a document that cannot both be so; ``lines`` say where they stand."""

    kind: str
    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """``attempted`` is ``None`` where the document does not tell how it ended, ``effective`` where open."""

    attempted: bool | None = None
    effective: bool | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """``at`` to ``until``: equal for a moment."""

    at: datetime
    until: datetime
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Postmortem:
    """What one document says of one incident. ``doubts`` say what about the file itself was guessed.

    ``parts`` are the incidents of a document that tells several; its own milestones are then unknown.
    """

    title: str
    title_line: int
    milestones: Mapping[str, Reading]
    timeline: Sequence[TimelineLine] = ()
    trigger: Statement | None = None
    detection: Statement | None = None
    rollback: Rollback = field(default_factory=Rollback)
    action_items: Sequence[ActionItem] = ()
    contradictions: Sequence[Contradiction] = ()
    doubts: Sequence[str] = ()
    parts: Sequence[Postmortem] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``import postmortem --dry-run --format json`` prints, but for its file."""
        found: dict[str, Any] = {
            "title": self.title,
            "milestones": {
                name: reading.to_json() if (reading := self.milestones.get(name)) else None
                for name in MILESTONES
            },
            "trigger": _statement(self.trigger, "type", "what"),
            "detection": _statement(self.detection, "how", "note"),
            "rollback": {
                "attempted": self.rollback.attempted, "effective": self.rollback.effective,
                "line": self.rollback.line,
            },
            "action_items": [
                {"text": one.text, "line": one.line, "done": one.done, "confidence": round(one.confidence, 2)}
                for one in self.action_items
            ],
            "contradictions": [
                {"kind": one.kind, "text": one.text, "lines": list(one.lines)} for one in self.contradictions
            ],
            "timeline": [
                {"at": _time(one.at), "until": _time(one.until), "text": one.text, "line": one.line}
                for one in self.timeline
            ],
            "doubts": list(self.doubts),
        }  # fmt: skip
        if self.parts:
            found["parts"] = [part.to_json() for part in self.parts]
        return found


def _statement(one: Statement | None, kind: Literal["type", "how"], text: str) -> dict[str, Any] | None:
    if one is None:
        return None
    return {kind: one.kind, text: one.text, "line": one.line, "confidence": round(one.confidence, 2)}


def _time(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.isoformat(timespec="seconds" if at.second else "minutes").replace("+00:00", "Z")
