"""The way of a review to its publication: submitted, agreed with by the roles that have to, or returned."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from amends.application.log import Log
from amends.application.record import require_incident
from amends.errors import NotAllowedError, UsageError
from amends.events import payloads as p
from amends.gates.review_rules import IncidentRules, ReviewRules
from amends.reviews.progress import Progress, ReviewState, missing_of, progress_of
from amends.reviews.revisions import fold_revisions, revision

_Part = TypeVar("_Part", ReviewRules, IncidentRules)
Word = Literal["submitted", "approved", "returned"]


def review_rules(log: Log, service: str) -> ReviewRules:
    """Return what the policy that the service used last says of reviews; defaults where it says nothing."""
    read = _last_policy(log, service)
    return _part(ReviewRules, read.get("review")) if read else ReviewRules()


def incident_rules(log: Log, service: str) -> tuple[IncidentRules, str]:
    """Return what the policy that the service used last says opens an incident, and its last environment.

    That is where releases end up: production, by whatever name. Empty where there is no such policy.
    """
    read = _last_policy(log, service)
    listed = read.get("environments")
    last = str(listed[-1]) if isinstance(listed, list) and listed else ""
    return _part(IncidentRules, read.get("incidents")), last


def _part(kind: type[_Part], said: object) -> _Part:
    from pydantic import ValidationError

    try:
        return kind.model_validate(said or {})
    except ValidationError:
        return kind()  # a text of an older or newer amends


def _last_policy(log: Log, service: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    for fact in reversed(log.stream(f"policy/{service}")):
        if isinstance(fact.payload, p.PolicyAdopted):
            try:
                read = YAML(typ="safe").load(fact.payload.text)
            except (YAMLError, ValueError):
                return {}
            return read if isinstance(read, dict) else {}
    return {}


def read_progress(log: Log, incident: str) -> Progress:
    """Return where an incident's review stands. Raises ``NotFoundError``."""
    found = require_incident(log, incident)
    facts = [*log.stream(f"incident/{incident}"), *log.stream(f"review/{incident}")]
    return progress_of(facts, review_rules(log, found.service))


def move(log: Log, incident: str, word: Word, *, role: str, reason: str = "") -> Progress:
    """Submit the latest revision, agree with it, or return it to its writers with a reason.

    Raises ``NotFoundError`` without a revision, ``UsageError`` without a role or a reason that is needed,
    ``NotAllowedError`` where the state does not allow it.
    """
    found = require_incident(log, incident)
    latest = revision(fold_revisions(log.stream(f"incident/{incident}")))
    if not role.strip():
        raise UsageError("who says so?", remedy="give --role ROLE; persons are not named")
    if word == "returned" and not reason.strip():
        raise UsageError("a review is returned with a reason", remedy="say what it still needs: --reason")
    rules = review_rules(log, found.service)
    _allow(read_progress(log, incident), word, incident)
    told = p.ReviewMoved(
        incident=incident, service=found.service, revision=latest.number, role=role.strip(),
        reason=reason.strip(), required=tuple(rules.reviewers),
    )  # fmt: skip
    log.record(f"review.{word}", told)
    return read_progress(log, incident)


def _allow(now: Progress, word: Word, incident: str) -> None:
    if word == "submitted" and now.state is not ReviewState.DRAFT:
        raise NotAllowedError(
            f"the review of {incident} is {now.state}; only a draft is submitted",
            remedy="save a new revision, or wait for those who read it",
        )
    if word != "submitted" and now.state is not ReviewState.IN_REVIEW:
        raise NotAllowedError(
            f"the review of {incident} is {now.state}; only one in review is approved or returned",
            remedy=f"submit it first: amends review submit {incident} --role ROLE",
        )


def check_agreed(log: Log, incident: str, number: int) -> None:
    """Raise ``NotAllowedError`` while a role that has to agree with a revision has not."""
    now = read_progress(log, incident)
    missing = now.missing
    if number != now.latest:
        missing = missing_of(review_rules(log, require_incident(log, incident).service), now, number)
    if missing:
        stale = f"; {now.stale[0].role} agreed with revision {now.stale[0].revision}" if now.stale else ""
        raise NotAllowedError(
            f"revision {number} lacks the agreement of {', '.join(missing)}{stale}",
            remedy=_remedy(now, incident),
        )


def _remedy(now: Progress, incident: str) -> str:
    first = (
        f"submit it: amends review submit {incident} --role ROLE; then " if now.submitted_at is None else ""
    )
    return f"{first}each agrees: amends review approve {incident} --role ROLE"
