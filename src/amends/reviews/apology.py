"""Should anyone apologise? It walks through the record, and almost always answers: no mail.

An apology by mail asks many people to absolve one, and tells them that the matter was one person's. The
record says what it was: a change that people reviewed, that passed every gate there was, and met a condition
which no gate had met before. What makes amends is the changed process. Where customers were hurt, it is the
organisation that owes them words.

Whether something was hidden on purpose is not in any record and not for software to judge. Only the person
knows; ``INTENT`` is asked of them alone, its answer goes nowhere, and nothing here depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amends.incidents.escape import EscapeState
from amends.reviews.audiences.rendering import customer_paragraphs, gate_lines
from amends.reviews.audiences.story import Story

Hurt = Literal["yes", "no", "not known"]

INTENT = (
    "Only you know this, and your answer is neither stored nor sent: did you hide something about it on "
    "purpose?"
)
IF_HIDDEN = (
    "Then say it yourself, soon, in private, to the person you report to, and say what was hidden and what "
    "you will do. That is a conversation, not a mail, and no tool can have it for you."
)
IF_NOT = "Then there is nothing to confess. What follows is all that is needed."


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer with its reasons. ``organisation`` is a draft of its words where customers are owed some."""

    answer: str
    acknowledged: str
    missed: tuple[str, ...]
    hurt: Hurt
    hurt_because: str
    say: tuple[str, ...]
    offer: tuple[str, ...]
    organisation: str = ""


def advise(story: Story, *, looked_after_by: str = "", published: bool = False) -> Advice:
    """Walk through the record.

    Parameters
    ----------
    looked_after_by:
        The role that acknowledged the incident; empty if none did.
    published:
        Whether its review is published.
    """
    hurt, because = _hurt(story)
    draft = (
        "\n\n".join(customer_paragraphs(story)) if hurt == "yes" and story.statement != "published" else ""
    )
    return Advice(
        answer=_answer(hurt, draft), acknowledged=_acknowledged(looked_after_by, published, story),
        missed=_missed(story), hurt=hurt, hurt_because=because, say=_say(story),
        offer=_offer(story, published),
        organisation=draft,
    )  # fmt: skip


def _answer(hurt: Hurt, draft: str) -> str:
    if hurt == "yes" and draft:
        return "No mail from a person. Customers are owed words, and those are the organisation's: see below."
    if hurt == "yes":
        return "No mail. The organisation has said its words to customers; a second voice would add nothing."
    if hurt == "not known":
        return (
            "No mail. Find out first whether anyone outside was hurt; if so, the organisation speaks to them."
        )
    return "No mail. Nobody outside was hurt, and inside it was the process that let it through."


def _acknowledged(role: str, published: bool, story: Story) -> str:
    if published:
        return "Yes: the review is published, and it says what happened and what changes."
    if role:
        return f"Yes: {role} took it on, in the record. Publishing the review will say the rest."
    if story.revisions or story.mends:
        return "In part: the review is begun. Publishing it is how the team takes responsibility."
    return "Not yet: nobody has acknowledged the incident. Doing so is worth more than an apology."


def _missed(story: Story) -> tuple[str, ...]:
    said = gate_lines(story)[:6]
    absent = [row.gate for row in story.matrix.rows if row.state is EscapeState.NOT_IN_PLACE]
    if absent:
        said.append(f"Not in place: {', '.join(absent)}.")
    return tuple(said) or (
        "Which gates it passed is not recorded, so nobody can say that a person was the gap.",
    )


def _hurt(story: Story) -> tuple[Hurt, str]:
    if story.statement == "published":
        return "yes", "a statement to customers is published"
    if story.failures:
        told = " ".join(one.text for one in story.impact[:2])
        return "yes", told or f"{story.failures:,} failures are on record"
    if story.failures == 0:
        return "no", "what users met was counted, and nothing failed"
    return "not known", "nobody counted what users met; absence of numbers is not absence of harm"


def _say(story: Story) -> tuple[str, ...]:
    blind = [row.gate for row in story.passed if row.state is EscapeState.RAN_BLIND]
    gate = f", for example what {blind[0]} would have needed to see" if blind else ""
    return (
        f"What you know about {story.incident.id} that is not in the record yet{gate}.",
        "What made the change look safe at the time: that is the part which helps others.",
        "How you are. It weighs more on you than on anyone who reads about it.",
    )


def _offer(story: Story, published: bool) -> tuple[str, ...]:
    active = next((one for one in story.mends if one.state == "active"), None)
    proven = next((one for one in story.mends if one.state == "proven"), None)
    if active:
        first = f"The amendment {active.id}: {active.title}. It is in place, and it is proven."
    elif proven:
        first = f"The amendment {proven.id}: {proven.title}. It is proven; activating it is one command."
    elif story.mends:
        first = f"The amendment {story.mends[0].id}: prove it, and it says more than any sentence."
    else:
        first = "An amendment: a test or a gate that is red on this release and green on the fix."
    note = (
        "The learning note: publish the review"
        if not published
        else "The learning note: show the review to another team"
    )
    return (first, f"{note}.", "Cake.")
