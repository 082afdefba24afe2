"""A replay for a terminal."""

from __future__ import annotations

from amends.application.replays import Replayed
from amends.prevention.replay.report import cause_sentence, difference_words, percent, plural, summary

_SHOWN = 10


def as_text(done: Replayed, event: str) -> str:
    """Return the decision with its reason first, then the causes, then what to know about the run."""
    judged, causes = done.played.judged, done.played.causes
    lines = [f"{judged.decision.value}: {summary(judged, causes)}."]
    for number, cause in enumerate(causes[:_SHOWN], 1):
        lines += ["", f"cause {number}: {cause_sentence(cause)}"]
        lines += [
            f"  {difference_words(one)}; noise {percent(one.noise)}, p {one.p:.2g}"
            for one in cause.differences[:_SHOWN]
        ]
        if len(cause.differences) > _SHOWN:
            lines.append(f"  and {plural(len(cause.differences) - _SHOWN, 'other field')}")
        lines.append(f"  for example {', '.join(done.names[i] for i in cause.requests[:3])}")
    if len(causes) > _SHOWN:
        lines += ["", f"and {plural(len(causes) - _SHOWN, 'other cause')}: --format json lists them all"]
    lines += ["", *done.notes()]
    if event:
        lines.append(f"recorded replay.finished {event}")
    # Names of fields and parameters are a client's or a service's, and may hold a terminal's control codes.
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in "\n".join(lines)
    )
