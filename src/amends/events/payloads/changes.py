"""Changes and the releases that are made of them."""

from __future__ import annotations

from typing import Literal

from amends.events.payloads.base import Moment, Payload


class ChangeMerged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A change reached the main line. ``paths`` are the files that it touches, ``lines`` how many lines.

    ``owners`` are groups, from CODEOWNERS at the change: of each group one must approve. An owner is a team's
    name without ``@`` and organisation, or a pseudonym. ``None``: nobody recorded owners. ``files`` says how
    many files it touches where their paths are not recorded; ``created`` is when work on it was first seen.
    ``unrecorded`` names what nobody recorded of it: with ``reviews`` there, that no review is known does not
    mean that there was none, and what asks for one is undecided.
    """

    service: str
    change: str
    title: str = ""
    author: str = ""
    team: str = ""
    paths: tuple[str, ...] = ()
    lines: int | None = None
    repository: str = ""
    owners: tuple[tuple[str, ...], ...] | None = None
    files: int | None = None
    created: Moment | None = None
    unrecorded: tuple[str, ...] = ()


class ChangeReviewed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One person's review of a change. ``team`` is the team for which they reviewed, where known."""

    service: str
    change: str
    reviewer: str
    verdict: Literal["approved", "changes_requested", "commented"] = "approved"
    team: str = ""
    repository: str = ""


class ChangeReverted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A change was taken back, by the change ``by`` where that is known, for a reason in its author's words.

    A revert is not always a failure: ``classified`` is what ``rule`` (see ``amends.incidents.reverts``) makes
    of the reason. It is read from words, and so never certain.
    """

    service: str
    change: str
    by: str = ""
    reason: str = ""
    classified: Literal["failure", "not_failure", "uncertain"] = "uncertain"
    rule: str = ""
    repository: str = ""


class ReleaseDeclared(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A version exists: its artifact, its head commit and the changes since ``previous``."""

    service: str
    version: str
    commit: str = ""
    digest: str = ""
    changes: tuple[str, ...] = ()
    previous: str = ""
    team: str = ""
