"""What is read of post-mortems, against facts that a person read of them by hand.

A milestone is right when its moment is within a minute of the annotated one, or its interval contains it
and is stated by the document as such; for an annotated day, when it is that day. One that is given where the
annotation has none counts as wrong. Intervals are Wilson's, 95%.

Usage: ``.venv/bin/python benchmarks/postmortems.py [DATA]``, the folder with ``postmortems/truth.jsonl``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from math import sqrt
from pathlib import Path
from typing import Any

from amends.incidents.postmortems import Postmortem, read_postmortem
from amends.incidents.postmortems.facts import MILESTONES, Reading

_DAY = len("2022-09-07")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data") / "postmortems"
    truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]
    given: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for truth in truths:
        read = _part(read_postmortem(truth["file"], (folder / truth["file"]).read_bytes()), truth["part"])
        for name in MILESTONES:
            reading, annotated = read.milestones.get(name), truth[name]
            fits = bool(reading and annotated and _fits(reading, annotated))
            for field in (name, "all milestones", *(["of these, moments"] if reading and reading.at else [])):
                given[field] += reading is not None
                right[field] += fits
            for field in (name, "all milestones"):
                wanted[field] += annotated is not None
        _others(read, truth, given, wanted, right)
    wanted["of these, moments"] = wanted["all milestones"]
    print("| field | given | annotated | right | precision | recall |\n|---|---|---|---|---|---|")
    for field in (
        *MILESTONES,
        "all milestones",
        "of these, moments",
        *(f for f in given if f not in MILESTONES),
    ):
        if field in given:
            g, w, r = given.pop(field), wanted[field], right[field]
            print(f"| {field} | {g} | {w} | {r} | {_share(r, g)} | {_share(r, w)} |")
    _speed()


def _part(read: Postmortem, part: str | None) -> Postmortem:
    if not part:
        return read
    day = datetime.fromisoformat(part[:10]).date()
    return next((one for one in read.parts if one.timeline and one.timeline[0].at.date() == day), read)


def _others(
    read: Postmortem, truth: dict[str, Any], given: Counter[str], wanted: Counter[str], right: Counter[str]
) -> None:
    answers = {
        "trigger's type": (read.trigger and read.trigger.kind, truth["trigger"]["type"]),
        "means of detection": (read.detection and read.detection.kind, truth["detection"]["how"]),
        "rollback attempted": (read.rollback.attempted, truth["rollback"]["attempted"]),
        "rollback effective": (read.rollback.effective, truth["rollback"]["effective"]),
    }
    for field, (answer, annotated) in answers.items():
        given[field] += answer not in (None, "unknown")
        wanted[field] += annotated not in (None, "unknown")
        right[field] += answer == annotated and annotated not in (None, "unknown")


def _fits(reading: Reading, annotated: str) -> bool:
    truth = datetime.fromisoformat(annotated)
    if reading.at:
        return abs(_like(reading.at, truth) - truth) <= timedelta(minutes=1)
    assert reading.earliest
    assert reading.latest
    low, high = _like(reading.earliest, truth), _like(reading.latest, truth)
    if len(annotated) == _DAY:
        return low.date() == high.date() == truth.date()
    return low <= truth <= high


def _like(at: datetime, other: datetime) -> datetime:
    return at if (at.tzinfo is None) == (other.tzinfo is None) else at.replace(tzinfo=other.tzinfo)


def _share(right: int, of: int) -> str:
    if not of:
        return "–"
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    width = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:.2f} ({middle - width:.2f}–{min(1.0, middle + width):.2f})"


def _speed() -> None:
    rows = "".join(
        f"| 2026-03-{1 + n // 1440:02} {n // 60 % 24:02}:{n % 60:02} | step {n} |\n" for n in range(10_000)
    )
    for what, name, text in (
        (
            "a timeline of 10,000 rows",
            "a.md",
            f"# A\n\n## Timeline (UTC)\n\n| Time | Event |\n|---|---|\n{rows}",
        ),
        ("5 MB of prose", "a.md", "The service was slow for some of its users. " * 114_000),
        ("5 MB of HTML", "a.html", "<p>The service was slow for <b>some</b> of its users.</p>\n" * 88_000),
    ):
        began = time.perf_counter()
        read_postmortem(name, text.encode())
        print(f"{what}: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
