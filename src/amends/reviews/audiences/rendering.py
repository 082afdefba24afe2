"""One record in four lengths: the team, leadership, those who depend on the service, and customers.

Each reads what concerns it and no more: the team how it got past each gate and what is next; leadership what
users met, whether it is over, what changes and what is asked of them; dependants whether they are concerned
and what to look at; customers what they met, in their words. The same story gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from amends.events.payloads.notices import AudienceKind
from amends.incidents.escape import EscapeState
from amends.incidents.wording import say_range, say_seconds, say_time, short
from amends.reviews.audiences.redaction import Redactor
from amends.reviews.audiences.story import Mend, Story

LONGEST: dict[AudienceKind, int] = {"team": 400, "leadership": 170, "dependants": 120, "customers": 110}
"""How many words each audience reads at most; links come on top."""

_LEFT_OUT = "(shortened; the incident's page has the rest)"


@dataclass(frozen=True, slots=True)
class Text:
    """What an audience reads; ``brief`` is its line in a digest."""

    subject: str
    body: str
    brief: str


def render(story: Story, kind: AudienceKind, redactor: Redactor) -> Text:
    """Tell a story to one kind of audience: in its length, without what it does not read."""
    subject, paragraphs = _WRITERS[kind](story)
    body = _fitted(paragraphs, LONGEST[kind])
    clean = redactor.clean(body, kind)
    links = _links(story, kind)
    return Text(
        _clipped(redactor.clean(subject, kind), 16),
        f"{clean}\n\n{links}\n" if links else f"{clean}\n",
        redactor.clean(_fitted([brief_of(story, kind)], 45), kind),
    )


def brief_of(story: Story, kind: AudienceKind) -> str:
    """Return a story in a sentence or two, for a digest."""
    if kind == "customers":
        return " ".join(customer_paragraphs(story)[:2])
    active = [mend for mend in story.mends if mend.state == "active"]
    change = f" {_count(len(active), 'amendment is', 'amendments are')} active." if active else ""
    return f"{_opening(story)} {_standing(story)}{change}"


def _team(story: Story) -> tuple[str, list[str]]:
    incident = story.incident
    rows = [f"- {line}" for line in gate_lines(story)]
    blind = [row.gate for row in story.passed if row.state is EscapeState.RAN_BLIND]
    paragraphs = [f"{_opening(story)} {_standing(story)}", _caught(story), _numbers(story)]
    if story.matrix.bypassed:
        paragraphs.append("The release was deployed without a pass of its gates.")
    if rows:
        paragraphs.append("How it got past the gates:\n" + "\n".join(rows))
    paragraphs.append(_times(story))
    if story.mends:
        paragraphs.append("What changes:\n" + "\n".join(_mend(mend) for mend in story.mends))
    ask = f" Which input would {', '.join(blind)} have needed?" if blind else ""
    paragraphs.append(f"Next: read the draft of the review and write what it does not know.{ask}")
    return f"{incident.id} {story.incident.state}: {_summary(story)}", paragraphs


def _leadership(story: Story) -> tuple[str, list[str]]:
    paragraphs = [f"{_opening(story)} {_standing(story)}", _numbers(story), _exposure(story), _gates(story)]
    changes = [_mend(mend) for mend in story.mends[:4]]
    paragraphs.append("What changes:\n" + "\n".join(changes) if changes else "No amendment is proposed yet.")
    paragraphs.append(_asked(story))
    return f"{story.incident.id}: {_summary(story)}", paragraphs


def _dependants(story: Story) -> tuple[str, list[str]]:
    incident = story.incident
    span = _between(story.milestone("started").low, story.mitigated_at)
    paragraphs = [
        f"{incident.service} in {incident.environment or 'an unnamed environment'} had an incident{span}. "
        f"{_standing(story)}",
        f"If you call {incident.service}, look at your errors and retries in that time"
        f"{', and at data that you took from it' if story.over else ''}.",
    ]
    if story.over and incident.opened.previous:
        paragraphs.append(f"It runs {short(incident.opened.previous)} again.")
    owner = incident.opened.team or "the owning team"
    paragraphs.append(f"Questions and what you saw: {owner}, quoting {incident.id}.")
    return f"{incident.id}: {incident.service} {'has recovered' if story.over else 'is impaired'}", paragraphs


def _customers(story: Story) -> tuple[str, list[str]]:
    state = "resolved" if story.over else "being worked on"
    return f"{_capital(story.product)}: an incident, {state}", customer_paragraphs(story)


def customer_paragraphs(story: Story) -> list[str]:
    """Draft what the organisation tells its customers, from times and states alone.

    No free text of the record goes in: it was written for colleagues.
    """
    began, over = story.milestone("started").low or story.incident.detected_at, story.mitigated_at
    product = story.product
    if story.over:
        until = f" and {_minute(over)}" if over else ""
        met = f"Between {_minute(began)}{until}" if over else f"From {_minute(began)} on"
        first = f"{met}, some requests to {product} failed or gave a wrong answer."
        cause = "The change that caused this is withdrawn" if story.withdrawn else "It is over"
        second = f"{cause}, and the service works as before."
    else:
        first = f"Since {_minute(began)}, some requests to {product} fail or give a wrong answer."
        second = "We are working on it and will write here when it is over."
    paragraphs = [first, second, "We are sorry for the trouble that this caused you."]
    if any(mend.state == "active" for mend in story.mends):
        paragraphs.append(
            "The checks that every change passes before it reaches you now include one that stops this "
            "failure. We have run it against the change that failed and against its correction."
        )
    elif story.over:
        paragraphs.append("We are finding out how it passed our checks, and we will change them.")
    return paragraphs


_WRITERS: dict[AudienceKind, Callable[[Story], tuple[str, list[str]]]] = {
    "team": _team, "leadership": _leadership, "dependants": _dependants, "customers": _customers,
}  # fmt: skip


def _opening(story: Story) -> str:
    incident = story.incident
    release = (
        f"Release {short(incident.release)} of {incident.service}" if incident.release else incident.service
    )
    return (
        f"{release} had an incident in {incident.environment or 'an unnamed environment'}: {_summary(story)}"
    )


def _summary(story: Story) -> str:
    text = _clipped(story.incident.opened.summary, 40) or "no summary is recorded"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _standing(story: Story) -> str:
    if story.mitigated_at:
        return f"It ended for users by {say_time(story.mitigated_at)}."
    return "It is over." if story.over else "It is not over."


def _caught(story: Story) -> str:
    return f"What caught it: {story.matrix.caught}" if story.matrix.caught else ""


def _numbers(story: Story) -> str:
    if not story.impact:
        return "What users met was not counted; that is no sign that they met nothing."
    return " ".join(one.text for one in story.impact[:4])


def _exposure(story: Story) -> str:
    one = story.duration("exposure")
    if one.low is None and one.high is None:
        return ""
    return f"It lasted {say_range(one.low, one.high)} ({one.formula.replace('_', ' ')})."


def _times(story: Story) -> str:
    known = [d for d in story.durations if d.low is not None or d.high is not None]
    said = [f"{d.name} {say_range(d.low, d.high)} ({d.formula.replace('_', ' ')})" for d in known[:4]]
    return f"Times: {'; '.join(said)}." if said else ""


def _gates(story: Story) -> str:
    if not story.passed:
        return "Which gates it passed is not recorded."
    counts: dict[str, int] = {}
    for row in story.passed:
        counts[row.state] = counts.get(row.state, 0) + 1
    said = "; ".join(f"{number} “{state}”" for state, number in counts.items())
    went = "went around" if story.matrix.bypassed else "went past"
    return f"The release {went} {_count(len(story.passed), 'gate', 'gates')}: {said}."


def gate_lines(story: Story) -> list[str]:
    """Return how the release got past each gate, a line for all of which the same holds."""
    gates: dict[tuple[str, str], list[str]] = {}
    for row in story.passed:
        place = f" ({row.environment})" if row.environment != story.incident.environment else ""
        gates.setdefault((row.state, row.reason), []).append(f"{row.gate}{place}")
    return [f"{', '.join(names)}: {state}. {reason}" for (state, reason), names in gates.items()]


def _asked(story: Story) -> str:
    if story.statement in ("drafted", "waits for approval"):
        return "Asked of you: the statement to customers waits for a management role's approval."
    return "Nothing is asked of you now. The review is where questions go; it takes the place of meetings."


def _mend(mend: Mend) -> str:
    price = f" {mend.price}" if mend.price else ""
    return f"- {mend.id} ({mend.kind}, {mend.state}): {_one_line(mend.title)}.{price}"


def _links(story: Story, kind: AudienceKind) -> str:
    if kind == "customers" or not story.public_url:
        return ""
    page = f"{story.public_url.rstrip('/')}/incidents/{quote(story.incident.id, safe='')}"
    return f"{page}\n{page}/review" if kind == "team" else page


def _between(start: datetime | None, end: datetime | None) -> str:
    if start and end:
        return f" from {say_time(start)} to {say_time(end)} ({say_seconds((end - start).total_seconds())})"
    return f" since {say_time(start)}" if start else ""


def _minute(moment: datetime | None) -> str:
    return re.sub(r":\d\d UTC$", " UTC", say_time(moment))


def _fitted(paragraphs: list[str], most: int) -> str:
    """Keep whole paragraphs, then whole lines, up to ``most`` words."""
    kept: list[str] = []
    left = most - len(_LEFT_OUT.split()) - 1
    for paragraph in [one for one in paragraphs if one.strip()]:
        lines = []
        for line in paragraph.splitlines():
            words = line.split()
            if len(words) > left:
                cut = " ".join(words[: max(left, 0)])
                lines += [f"{cut} …" if cut else "", _LEFT_OUT]
                return "\n\n".join([*kept, "\n".join(one for one in lines if one)]).strip()
            lines.append(line)
            left -= len(words)
        kept.append("\n".join(lines))
    return "\n\n".join(kept)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _clipped(text: str, most: int) -> str:
    words = text.split()
    return " ".join(words) if len(words) <= most else f"{' '.join(words[:most])} …"


def _one_line(text: str) -> str:
    return " ".join(text.split())
