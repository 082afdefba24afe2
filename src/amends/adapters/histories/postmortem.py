"""Post-mortems that were written elsewhere: each an incident, with its timeline and what else it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from amends.application.desk import derived_id
from amends.application.history import Fault, PostmortemPast, Remark, Told
from amends.events import payloads as p
from amends.events.redaction import cut, redact, without_addresses
from amends.incidents.postmortems import Postmortem, read_postmortem
from amends.incidents.postmortems.facts import Reading

LARGEST = 32_000_000
"""Bytes; a post-mortem that is larger is something else."""
_LONGEST = 2_000
_ROLE = "post-mortem"
_NO_ZONE = "give --timezone, for example UTC or Europe/Berlin"


def read_files(files: Sequence[Path], zone: tzinfo | None) -> Iterator[tuple[Path, Postmortem | Fault]]:
    """Yield what each file says, or why it cannot be read."""
    for file in files:
        yield file, _read(file, zone)


def _read(file: Path, zone: tzinfo | None) -> Postmortem | Fault:
    try:
        size = file.stat().st_size
        if size > LARGEST:
            return Fault(
                "too-large", str(file), f"the file has {size:,} bytes; allowed are {LARGEST:,}",
                "give the post-mortem alone, without what is attached to it",
            )  # fmt: skip
        data = file.read_bytes()
    except OSError as error:
        return Fault(
            "unreadable", str(file), f"the file cannot be read: {error.strerror}", "give files that are there"
        )
    if not data.strip():
        return Fault("empty", str(file), "the file is empty", "give a post-mortem in Markdown, HTML or text")
    return read_postmortem(file.name, data, zone)


class PostmortemHistory:
    """Reads post-mortems as the facts of incidents."""

    source = "/amends/import/postmortem"

    def __init__(self, past: PostmortemPast) -> None:
        self._past = past

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``."""
        for file, found in read_files(self._past.files, self._past.zone):
            if isinstance(found, Fault):
                yield found
                continue
            for one in found.parts or (found,):
                yield from self._incident(file, one)

    def _incident(self, file: Path, found: Postmortem) -> Iterator[Told | Fault | Remark]:
        detected = _detected_at(found)
        if detected is None:
            yield Fault(
                "no-time", f"{file}:1",
                "no time of the incident could be read, so it has no place in the log",
                "record it by hand: `amends incident open`",
            )  # fmt: skip
            return
        if detected.tzinfo is None:
            yield Fault(
                "no-zone", f"{file}:1", "its times have no zone, and the document names none", _NO_ZONE
            )
            return
        title = _text(found.title)
        incident = f"PM-{derived_id('postmortem', self._past.service, file.name, title)[:8]}"
        known = found.milestones.get("detected") or found.milestones.get("declared")
        opened = p.IncidentOpened(
            incident=incident, service=self._past.service, environment=self._past.environment, summary=title,
            opened_by="person", team=self._past.team, role=_ROLE,
        )  # fmt: skip
        yield Told(
            "incident.detected", opened, (incident,), detected, known.high if known else None,
            f"{file}:{found.title_line or 1}",
        )  # fmt: skip
        yield from self._timeline(file, found, incident)
        yield from self._milestones(file, found, incident)
        yield self._document(file, found, incident, detected)
        yield Remark("note", f"{file.name} is {incident}: amends incident show {incident}")

    def _timeline(self, file: Path, found: Postmortem, incident: str) -> Iterator[Told | Fault]:
        for number, line in enumerate(found.timeline):
            where = f"{file.name}:{line.line}"
            if line.at.tzinfo is None:
                yield Fault("no-zone", f"{file}:{line.line}", "this line's time has no zone", _NO_ZONE)
                continue
            note = p.NoteTaken(
                incident=incident, service=self._past.service, text=_text(line.text),
                at=line.at.astimezone(UTC), source=where,
                until=line.until.astimezone(UTC) if line.until != line.at else None,
            )  # fmt: skip
            yield Told("note.taken", note, (incident, where, str(number)), line.at, None, where)

    def _milestones(self, file: Path, found: Postmortem, incident: str) -> Iterator[Told]:
        for name, reading in found.milestones.items():
            where = f"{file.name}:{reading.line}"
            ends = (reading.at, reading.earliest, reading.latest)
            if any(end is not None and end.tzinfo is None for end in ends) or not any(ends):
                continue
            interval = (None, None) if reading.at else (_utc(reading.earliest), _utc(reading.latest))
            told = p.MilestoneSet(
                incident=incident, service=self._past.service, milestone=name,  # type: ignore[arg-type]
                at=_utc(reading.at), earliest=interval[0], latest=interval[1], source=where, role=_ROLE,
            )  # fmt: skip
            at = reading.high or reading.low
            assert at is not None
            yield Told("milestone.set", told, (incident, name), at, None, where)
            if name == "resolved":
                moved = p.IncidentMoved(
                    incident=incident, service=self._past.service, environment=self._past.environment,
                    role=_ROLE, reason=where,
                )  # fmt: skip
                yield Told("incident.resolved", moved, (incident,), at, None, where)

    def _document(self, file: Path, found: Postmortem, incident: str, at: datetime) -> Told:
        payload = p.PostmortemImported(
            incident=incident, service=self._past.service, file=file.name, title=_text(found.title),
            lines=len(found.timeline), excerpts=tuple(_excerpts(file, found)),
            rollback_attempted=found.rollback.attempted, rollback_effective=found.rollback.effective,
        )  # fmt: skip
        end = max((r.high for r in found.milestones.values() if r.high and r.high.tzinfo), default=at)
        return Told("postmortem.imported", payload, (incident,), max(end, at), None, f"{file}:1")


def _excerpts(file: Path, found: Postmortem) -> Iterator[p.Excerpt]:
    for about, one in (("trigger", found.trigger), ("detection", found.detection)):
        if one:
            yield p.Excerpt(
                about=about, kind=one.kind, text=_text(one.text),  # type: ignore[arg-type]
                source=f"{file.name}:{one.line}", confidence=round(one.confidence, 2),
            )  # fmt: skip
    for against in found.contradictions:
        lines = ", ".join(f"{file.name}:{line}" for line in dict.fromkeys(against.lines))
        yield p.Excerpt(about="contradiction", kind=against.kind, text=_text(against.text), source=lines)
    for doubt in found.doubts:
        yield p.Excerpt(about="doubt", text=doubt)
    for item in found.action_items:
        yield p.Excerpt(
            about="action", text=_text(item.text), source=f"{file.name}:{item.line}", done=item.done,
            confidence=round(item.confidence, 2),
        )  # fmt: skip


def _detected_at(found: Postmortem) -> datetime | None:
    """Return when the incident's event is: it was known then at the latest, as far as the document says."""
    named: list[Reading] = [
        found.milestones[name] for name in ("detected", "declared", "started", "mitigated", "resolved")
        if name in found.milestones
    ]  # fmt: skip
    times = [reading.high or reading.low for reading in named]
    return next((at for at in times if at), found.timeline[0].at if found.timeline else None)


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None


def _text(text: str) -> str:
    return cut(redact(without_addresses(text)), _LONGEST)
