"""What is read of post-mortems, against facts that a person read of them by hand.

A milestone is right when its moment is within a minute of the annotated one, or its interval contains it
and is stated by the document as such; for an annotated day, when it is that day. One that is given where the
annotation has none counts as wrong. Intervals are Wilson's, 95%.

An action item is right when it shares a third of its words with one of the annotator's, who paraphrased them
(words by their first five letters; each of theirs is used once). A contradiction is right when it, or the
lines that it points at, has a number or time of one that the annotator noted.

Usage: ``.venv/bin/python benchmarks/postmortems.py [DATA]``, the folder with ``postmortems/truth.jsonl``.
"""

from __future__ import annotations

import json
import re
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
        lines = (folder / truth["file"]).read_text("utf-8").split("\n")
        _pairs("action items", *_actions(read, truth), given, wanted, right)
        _pairs("contradictions", *_contradictions(read, truth, lines), given, wanted, right)
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


def _pairs(
    field: str, one: list[set[str]], other: list[set[str]], share: float,
    given: Counter[str], wanted: Counter[str], right: Counter[str],
) -> None:  # fmt: skip
    """Pair what was read with what was annotated, the likest first, each once."""
    likest = sorted(
        (
            (len(a & b) / max(1, min(len(a), len(b))), n, m)
            for n, a in enumerate(one)
            for m, b in enumerate(other)
        ),
        reverse=True,
    )
    used: tuple[set[int], set[int]] = set(), set()
    for likeness, n, m in likest:
        if likeness >= share and n not in used[0] and m not in used[1]:
            used[0].add(n)
            used[1].add(m)
    given[field] += len(one)
    wanted[field] += len(other)
    right[field] += len(used[0])


def _actions(read: Postmortem, truth: dict[str, Any]) -> tuple[list[set[str]], list[set[str]], float]:
    annotated = [one for one in truth["action_items"] if not one.startswith("(")]
    return (
        [_words(one.text) for one in read.action_items if annotated],
        [_words(one) for one in annotated],
        1 / 3,
    )


def _contradictions(
    read: Postmortem, truth: dict[str, Any], lines: list[str]
) -> tuple[list[set[str]], list[set[str]], float]:
    found = [
        _numbers(" ".join([one.text, *(lines[line - 1][:300] for line in one.lines)]))
        for one in read.contradictions
    ]
    return found, [_numbers(one) for one in truth["inconsistencies_in_source"]], 1e-9


def _words(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[a-z][a-z0-9]{2,}", text.lower())} - {
        "the",
        "and",
        "for",
        "with",
    }


def _numbers(text: str) -> set[str]:
    spelt = {
        "nine": "9",
        "seven": "7",
        "declared": "declared",
        "mitigation": "mitigated",
        "mitigated": "mitigated",
    }
    named = {name for word, name in spelt.items() if word in text.lower()}
    return (
        named
        | set(re.findall(r"\d{1,2}:\d\d|(?<![\d:])\d{2,3}(?![\d:])", text))
        | set(re.findall(r"\d{4}-\d\d-\d\d", text))
    )


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
        began = time.process_time()
        read_postmortem(name, text.encode())
        print(f"{what}: {time.process_time() - began:.1f} s of one core")


if __name__ == "__main__":
    main()
