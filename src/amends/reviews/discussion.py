"""Comments on a review, folded from its events and put beside the passages that they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.anchoring import LONGEST_FOLLOWED, Anchor, Passages
from amends.reviews.revisions import Revision


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its answers. ``settled`` is when a role said that it is dealt with."""

    id: str
    said: p.ReviewCommented
    at: datetime
    event: str
    settled: datetime | None = None
    settled_by: str = ""
    reason: str = ""
    answers: tuple[Comment, ...] = ()

    @property
    def by(self) -> str:
        """The role and team that said it; never a person."""
        return " of ".join(part for part in (self.said.role, self.said.team) if part) or "an unnamed role"

    @property
    def open(self) -> bool:
        """Whether it still waits; a minute waits for nobody."""
        return self.settled is None and self.said.kind == "comment"


@dataclass(frozen=True, slots=True)
class Placed:
    """A comment and where its passage stands in the revision that is shown.

    ``whole``: it is about the whole review. ``same``: the words are there. ``changed``: they were edited
    since. ``detached``: they are gone.
    """

    comment: Comment
    where: Literal["whole", "same", "changed", "detached"]
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who read the review, as a role or team; ``revision`` is the latest they said they read."""

    role: str
    team: str
    revision: int
    at: datetime
    event: str

    @property
    def who(self) -> str:
        return " of ".join(part for part in (self.role, self.team) if part) or "an unnamed role"


def fold_comments(facts: Iterable[Fact]) -> tuple[Comment, ...]:
    """Return the comments and minutes of a review's stream, oldest first, answers inside what they answer."""
    found: dict[str, Comment] = {}
    for fact in facts:
        said = fact.payload
        if isinstance(said, p.ReviewCommented) and said.comment not in found:
            found[said.comment] = Comment(said.comment, said, fact.occurred_at, fact.id)
        elif isinstance(said, p.CommentMoved) and said.comment in found:
            settled = fact.occurred_at if fact.kind == "comment.settled" else None
            found[said.comment] = replace(
                found[said.comment], settled=settled, settled_by=said.role, reason=said.reason
            )
    return tuple(
        replace(one, answers=tuple(other for other in found.values() if other.said.answers == one.id))
        for one in found.values()
        if one.said.answers not in found
    )


def place_comments(
    comments: Sequence[Comment], revisions: Sequence[Revision], shown: Revision
) -> tuple[Placed, ...]:
    """Return each comment with its place in a revision; minutes are not among them."""
    prepared: dict[int, Passages] = {}
    texts = {revision.number: revision.text for revision in revisions}

    def passages(number: int) -> Passages:
        if number not in prepared:
            prepared[number] = Passages(texts[number])
        return prepared[number]

    def place(comment: Comment) -> Placed:
        said = comment.said
        if not said.quote or said.revision not in texts:
            return Placed(comment, "detached" if said.quote else "whole")
        now = passages(shown.number)
        anchor = now.find(said.quote, said.before, said.after)
        if anchor is None and max(len(texts[said.revision]), len(shown.text)) <= LONGEST_FOLLOWED:
            then = passages(said.revision)
            began = then.find(said.quote, said.before, said.after)
            anchor = now.follow(then, began) if began is not None else None
        return Placed(comment, anchor.how if anchor else "detached", anchor)

    return tuple(place(comment) for comment in comments if comment.said.kind == "comment")


def fold_readers(facts: Iterable[Fact]) -> tuple[Reader, ...]:
    """Return who says that they read the review, each once with the latest revision, latest readers first."""
    found: dict[tuple[str, str, str], Reader] = {}
    for fact in facts:
        said = fact.payload
        if isinstance(said, p.ReviewRead):
            key = (said.role.casefold(), said.team.casefold(), said.reader)
            if key not in found or said.revision >= found[key].revision:
                found[key] = Reader(said.role, said.team, said.revision, fact.occurred_at, fact.id)
    return tuple(sorted(found.values(), key=lambda reader: (reader.at, reader.event), reverse=True))
