"""Reviews: drafted from the record, revised by people, published."""

from __future__ import annotations

from collections.abc import Mapping

from amends.application.actions import list_actions
from amends.application.agenda import agenda_for
from amends.application.amending import list_amendments
from amends.application.approving import check_agreed
from amends.application.log import Log
from amends.application.notices.reading import notices
from amends.application.record import read_record, require_incident
from amends.errors import UsageError, VersionConflictError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.reviews.agreed import Told, Work
from amends.reviews.draft import Record, draft_markdown
from amends.reviews.redraft import cited_numbers, redraft
from amends.reviews.revisions import (
    Revision,
    SideBySide,
    check_base,
    fold_revisions,
    revision,
    side_by_side,
    unified,
)  # fmt: skip
from amends.reviews.sections import mark_sections, split_sections

_ATTEMPTS = 50
_LIMIT = 5_000_000


def draft_text(
    log: Log, incident: str, numbers: Mapping[str, int] | None = None, *, full: bool = False
) -> str:
    """Return the draft that the record gives now, without saving it. Raises ``NotFoundError``.

    ``numbers`` are citations of an earlier text, which keep their number; ``full`` condenses no timeline.
    """
    found = read_record(log, incident)
    agenda, cited = agenda_for(log, found.incident, found.incident.names)
    known = {fact.id for fact in found.facts}
    facts = (*found.facts, *(fact for fact in cited if fact.id not in known))
    return draft_markdown(
        Record(
            found.incident, facts, found.timeline, found.matrix, found.milestones, found.durations,
            found.impact, agenda, found.answers, found.factors, _work(log, incident), _told(log, incident),
        ),
        numbers,
        full=full,
    )  # fmt: skip


def _work(log: Log, incident: str) -> list[Work]:
    """Return the incident's action items, and its amendments for which there is none."""
    items = list_actions(log, incident=incident)
    found = [
        Work(one.title, str(one.state), one.owner, one.due, one.guard, one.events) for one in items
    ]  # fmt: skip
    standing = {one.guard for one in items}
    for one in reversed(list_amendments(log, incident=incident)):
        if one.id not in standing:
            said = one.proposed
            found.append(Work(said.title, str(one.state), said.team, None, one.id, one.events))
    return found


def _told(log: Log, incident: str) -> list[Told]:
    return [
        Told(one.said.audience, one.said.revision, one.at, one.done, one.event)
        for one in notices(log, incident=incident)
    ]


def draft_review(log: Log, incident: str, *, again: bool = False, full: bool = False) -> int:
    """Save the draft as the first revision and return its number.

    Where there is a revision, its number is returned and nothing is written. ``again`` drafts anew from the
    record as it is now: a new revision in which what people wrote or changed stands as it was, unless it
    says the same.
    """
    revisions = list_revisions(log, incident)
    if not revisions:
        return _save(log, incident, draft_text(log, incident, full=full), based_on=0, drafted=True).number
    latest = revisions[-1]
    if not again:
        return latest.number
    fresh = draft_text(log, incident, cited_numbers(latest.text), full=full)
    facts = log.stream(f"incident/{incident}")
    last = next((r for r in reversed(revisions) if r.drafted), None)
    titles = [s.title for s in split_sections(last.text)] if last else []
    found = redraft(mark_sections(revisions, latest, facts), titles, fresh)
    if _said(found.text) == _said(latest.text):
        return latest.number
    return _save(
        log, incident, found.text, based_on=latest.number, drafted=True, kept=found.kept
    ).number  # fmt: skip


def _said(text: str) -> list[str]:
    return [section.digest for section in split_sections(text)]


def save_revision(
    log: Log, incident: str, text: str, *, based_on: int, role: str = "", note: str = ""
) -> Revision:
    """Save people's text as a new revision.

    ``based_on`` is the revision that the writer began from. Raises ``RevisionConflictError``, which holds
    both texts, when there is a newer one; ``UsageError`` for an empty or enormous text.
    """
    return _save(log, incident, text, based_on=based_on, role=role, note=note)


def restore(log: Log, incident: str, number: int, *, role: str = "") -> Revision:
    """Make an earlier revision the latest, as a new revision. Raises ``NotFoundError``."""
    revisions = list_revisions(log, incident)
    old = revision(revisions, number)
    return _save(
        log, incident, old.text, based_on=revisions[-1].number, role=role, note=f"restores revision {number}"
    )


def _save(
    log: Log, incident: str, text: str, *, based_on: int, role: str = "", note: str = "",
    drafted: bool = False, kept: tuple[str, ...] = (),
) -> Revision:  # fmt: skip
    if not text.strip():
        raise UsageError(
            "the review is empty", remedy="write something, or leave the latest revision as it is"
        )
    if len(text) > _LIMIT:
        raise UsageError(
            f"the review has {len(text):,} characters; at most {_LIMIT:,} are kept",
            remedy="link to long material instead of pasting it",
        )
    for _ in range(_ATTEMPTS):
        found = require_incident(log, incident)
        revisions = list_revisions(log, incident)
        check_base(revisions, based_on, text)
        revised = p.ReviewRevised(
            incident=incident, service=found.service, revision=based_on + 1, text=text, role=role,
            based_on=based_on, drafted=drafted, note=note, kept=kept,
        )  # fmt: skip
        try:
            fact = log.record("review.revised", revised, expected=found.version)
        except VersionConflictError:
            continue
        return fold_revisions([fact])[0]
    raise VersionConflictError(f"others keep writing to {incident}", remedy="try again")


def publish(log: Log, incident: str, *, number: int = 0, role: str = "") -> Fact:
    """Publish a revision, the latest for 0.

    Raises ``NotFoundError``, and ``NotAllowedError`` while a role that has to agree with it has not.
    """
    found = require_incident(log, incident)
    chosen = revision(list_revisions(log, incident), number)
    check_agreed(log, incident, chosen.number)
    told = p.ReviewPublished(incident=incident, service=found.service, revision=chosen.number, role=role)
    return log.record("review.published", told)


def list_revisions(log: Log, incident: str) -> tuple[Revision, ...]:
    """Return an incident's revisions, oldest first. Raises ``NotFoundError`` for an unknown incident."""
    require_incident(log, incident)
    return fold_revisions(log.stream(f"incident/{incident}"))


def read_revision(log: Log, incident: str, number: int = 0) -> Revision:
    """Return one revision, the latest for 0. Raises ``NotFoundError``."""
    return revision(list_revisions(log, incident), number)


def compare(
    log: Log, incident: str, old: int, new: int = 0
) -> tuple[str, tuple[SideBySide, ...]]:  # fmt: skip
    """Return two revisions' differences, unified and side by side. Raises ``NotFoundError``."""
    revisions = list_revisions(log, incident)
    before, after = revision(revisions, old), revision(revisions, new)
    return unified(before, after), side_by_side(before.text, after.text)
