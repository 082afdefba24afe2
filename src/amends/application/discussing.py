"""What people say about a review: comments on passages, minutes of the meeting, and that they read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from amends.application.log import Log
from amends.application.record import require_incident
from amends.application.reviewing import list_revisions
from amends.errors import NotAllowedError, NotFoundError, UsageError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.anchoring import Passages
from amends.reviews.discussion import (
    Comment,
    Placed,
    Reader,
    fold_comments,
    fold_readers,
    place_comments,
)  # fmt: skip
from amends.reviews.revisions import Revision, revision
from amends.reviews.sections import Marked, mark_sections

_ATTEMPTS = 50
_LONGEST = 20_000
_LONGEST_QUOTE = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says and as whom: a role, a team, and a pseudonym where one is known."""

    text: str
    role: str = ""
    team: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Discussion:
    """A revision with all that was said of it."""

    placed: tuple[Placed, ...]
    minutes: tuple[Comment, ...]
    readers: tuple[Reader, ...]
    sections: tuple[Marked, ...]

    @property
    def open(self) -> tuple[Comment, ...]:
        """The comments that nobody has settled."""
        return tuple(one.comment for one in self.placed if one.comment.open)


def read_discussion(
    log: Log, incident: str, revisions: Sequence[Revision], shown: Revision | None
) -> Discussion:
    """Return what was said of an incident's review, placed in the revision that is shown."""
    facts = log.stream(f"review/{incident}")
    comments = fold_comments(facts)
    minutes = tuple(one for one in comments if one.said.kind == "minute")
    if shown is None:
        return Discussion((), minutes, fold_readers(facts), ())
    return Discussion(
        place_comments(comments, revisions, shown), minutes, fold_readers(facts),
        mark_sections(revisions, shown, facts),
    )  # fmt: skip


def comment(
    log: Log, incident: str, said: Said, *, quote: str = "", number: int = 0, answers: str = ""
) -> Comment:
    """Record a comment on a passage of a revision (0: the latest), on the whole, or on another comment.

    Raises ``NotFoundError`` for a comment or revision that there is not, ``UsageError`` for an empty text or
    a quote that the revision does not hold.
    """
    shown = revision(list_revisions(log, incident), number)
    before = after = ""
    if answers:
        quote = ""
    if quote.strip():
        if len(quote) > _LONGEST_QUOTE:
            raise UsageError(
                f"the passage has {len(quote):,} characters; at most {_LONGEST_QUOTE:,} are quoted",
                remedy="quote its beginning",
            )
        passages = Passages(shown.text)
        found = passages.find(quote)
        if found is None:
            raise UsageError(
                f"revision {shown.number} does not hold the passage {_cut(quote)!r}",
                remedy=f"copy it from the text: `amends review show {incident} --revision {shown.number}`",
            )
        before, after = passages.around(found)
    return _say(
        log, incident, said, revision=shown.number, kind="comment", quote=quote.strip(), before=before,
        after=after, answers=answers,
    )  # fmt: skip


def take_minute(log: Log, incident: str, said: Said, *, topic: str = "") -> Comment:
    """Record a minute of the meeting, where given under a topic of its agenda. Raises ``UsageError``."""
    revisions = list_revisions(log, incident)
    latest = revisions[-1].number if revisions else 0
    return _say(log, incident, said, revision=latest, kind="minute", topic=topic)


def _say(
    log: Log, incident: str, said: Said, *, revision: int, kind: Literal["comment", "minute"],
    quote: str = "", before: str = "", after: str = "", answers: str = "", topic: str = "",
) -> Comment:  # fmt: skip
    if not said.text.strip():
        raise UsageError("the comment is empty", remedy="write what you would like to say")
    if len(said.text) > _LONGEST:
        raise UsageError(
            f"the comment has {len(said.text):,} characters; at most {_LONGEST:,} are kept",
            remedy="write the rest into the review itself",
        )
    service = require_incident(log, incident).service
    for _ in range(_ATTEMPTS):
        facts = log.stream(f"review/{incident}")
        if answers:
            _thread(fold_comments(facts), answers, incident)
        taken = sum(1 for fact in facts if isinstance(fact.payload, p.ReviewCommented))
        told = p.ReviewCommented(
            incident=incident, service=service, comment=f"c{taken + 1}", revision=revision,
            text=said.text.strip(), kind=kind, quote=quote, before=before, after=after, answers=answers,
            topic=topic, role=said.role, team=said.team, author=said.author,
        )  # fmt: skip
        try:
            fact = log.record("review.commented", told, expected=_version(facts))
        except VersionConflictError:
            continue
        return Comment(told.comment, told, fact.occurred_at, fact.id)
    raise VersionConflictError(f"others keep writing about {incident}", remedy="try again")


def settle(log: Log, incident: str, name: str, *, role: str, reason: str = "", again: bool = False) -> Fact:
    """Say that a comment is dealt with; with ``again`` that it is not.

    Raises ``NotFoundError`` for a comment that there is not, ``NotAllowedError`` when it stands so already.
    """
    service = require_incident(log, incident).service
    found = _thread(fold_comments(log.stream(f"review/{incident}")), name, incident)
    if found.open == again:
        raise NotAllowedError(
            f"{name} is {'open' if found.open else 'settled'} already",
            remedy=f"see `amends review comments {incident}`",
        )
    told = p.CommentMoved(incident=incident, service=service, comment=name, role=role, reason=reason)
    return log.record("comment.reopened" if again else "comment.settled", told)


def mark_read(
    log: Log, incident: str, *, number: int = 0, role: str, team: str = "", reader: str = ""
) -> Reader:
    """Record that someone read a revision (0: the latest); said twice it is recorded once."""
    service = require_incident(log, incident).service
    shown = revision(list_revisions(log, incident), number)
    if not role.strip() and not team.strip():
        raise UsageError("who read it?", remedy="give a role or a team: --role ROLE, --team TEAM")
    for known in fold_readers(_of_reader(log, incident, reader)):
        same = (known.role.casefold(), known.team.casefold()) == (role.casefold(), team.casefold())
        if same and known.revision >= shown.number:
            return known
    told = p.ReviewRead(
        incident=incident, service=service, revision=shown.number, role=role, team=team, reader=reader
    )
    return fold_readers([log.record("review.read", told)])[0]


def _of_reader(log: Log, incident: str, reader: str) -> list[Fact]:
    return [
        fact
        for fact in log.stream(f"review/{incident}")
        if isinstance(fact.payload, p.ReviewRead) and fact.payload.reader == reader
    ]


def accept_sections(
    log: Log, incident: str, *, role: str, titles: Sequence[str] = (), number: int = 0
) -> tuple[str, ...]:
    """Take drafted sections as they stand: those with these titles, or all that are still as drafted.

    Returns the titles of those that were accepted now. Raises ``NotFoundError`` for an unknown title.
    """
    service = require_incident(log, incident).service
    revisions = list_revisions(log, incident)
    shown = revision(revisions, number)
    marked = mark_sections(revisions, shown, log.stream(f"review/{incident}"))
    there = [one.section.title for one in marked]
    for title in titles:
        if title not in there:
            raise NotFoundError(
                f"revision {shown.number} has no section {title!r}",
                remedy=f"its sections are: {', '.join(name for name in there if name)}",
            )
    wanted = [
        one.section for one in marked
        if one.origin == "drafted" and (not titles or one.section.title in titles)
    ]  # fmt: skip
    if wanted:
        log.record_all([
            ("section.accepted", p.SectionAccepted(
                incident=incident, service=service, revision=shown.number, section=section.title,
                digest=section.digest, role=role,
            ))
            for section in wanted
        ])  # fmt: skip
    return tuple(section.title for section in wanted)


def _thread(comments: Sequence[Comment], name: str, incident: str) -> Comment:
    for one in comments:
        if one.id == name and one.said.kind == "comment":
            return one
    names = ", ".join(one.id for one in comments if one.said.kind == "comment") or "none yet"
    raise NotFoundError(
        f"{incident} has no comment {name!r}; there are: {names}",
        remedy=f"see `amends review comments {incident}`; an answer goes to the comment that began it",
    )


def _version(facts: Sequence[Fact]) -> int:
    return facts[-1].recorded.seq if facts else 0


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
