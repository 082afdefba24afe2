"""The review of an incident: read, write, compare, publish."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application import reviewing
from amends.application.actions import list_actions
from amends.application.agenda import read_agenda
from amends.application.amending import list_amendments
from amends.application.approving import read_progress
from amends.application.discussing import read_discussion
from amends.application.record import require_incident
from amends.application.thanking import list_thanks
from amends.bootstrap import heed_policy
from amends.reviews.revisions import RevisionConflictError, side_by_side
from amends.web.forms import Role, Words, back_to, required_role
from amends.web.pages.notices import panel
from amends.web.templating import markdown_sections, page, page_with_editor, path_part

router = APIRouter(prefix="/incidents/{incident}/review", include_in_schema=False)


def _address(incident: str) -> str:
    return f"/incidents/{path_part(incident)}/review"


@router.get("")
def review(request: Request, incident: str, revision: int = 0) -> Response:
    """Show a revision, the latest if none is named."""
    log = request.app.state.workspace.log
    revisions = reviewing.list_revisions(log, incident)
    shown = reviewing.read_revision(log, incident, revision) if revisions else None
    talk = read_discussion(log, incident, revisions, shown)
    rendered = markdown_sections(shown.text, [one.section for one in talk.sections]) if shown else []
    return page(
        request, "review.html", i=require_incident(log, incident), revisions=revisions, shown=shown,
        agenda=read_agenda(log, incident), amendments=list_amendments(log, incident=incident), talk=talk,
        sections=list(zip(talk.sections, rendered, strict=True)), progress=read_progress(log, incident),
        actions=list_actions(log, incident=incident), apology=panel(request, incident),
        thanks=list_thanks(log, request.app.state.workspace.opened.people, incident),
    )  # fmt: skip


@router.get("/edit")
def edit(request: Request, incident: str) -> Response:
    """Show the form to write in; before the first revision, with what the record drafts."""
    log = request.app.state.workspace.log
    revisions = reviewing.list_revisions(log, incident)
    text = revisions[-1].text if revisions else reviewing.draft_text(log, incident)
    return page_with_editor(
        request, "review_edit.html", i=require_incident(log, incident), text=text,
        based_on=revisions[-1].number if revisions else 0,
    )  # fmt: skip


@router.post("")
def save(
    request: Request, incident: str, text: Annotated[str, Form()], based_on: Annotated[int, Form(ge=0)],
    role: Role = "", note: Words = "",
) -> Response:  # fmt: skip
    """Save a revision; when somebody else saved one meanwhile, show both texts and lose none."""
    log = request.app.state.workspace.log
    text = text.replace("\r\n", "\n")
    try:
        reviewing.save_revision(
            log, incident, text, based_on=based_on, role=required_role(role), note=note
        )  # fmt: skip
    except RevisionConflictError as conflict:
        return page_with_editor(
            request, "review_conflict.html", status=409, i=require_incident(log, incident), conflict=conflict,
            rows=side_by_side(conflict.theirs, conflict.mine), role=role, note=note,
        )  # fmt: skip
    return back_to(_address(incident))


@router.get("/history")
def history(request: Request, incident: str) -> Response:
    """List the revisions."""
    log = request.app.state.workspace.log
    revisions = reviewing.list_revisions(log, incident)
    return page(request, "review_history.html", i=require_incident(log, incident), revisions=revisions)


@router.get("/diff")
def diff(request: Request, incident: str, old: int = 0, new: int = 0) -> Response:
    """Show two revisions side by side: the latest and the one before, if none is named."""
    log = request.app.state.workspace.log
    revisions = reviewing.list_revisions(log, incident)
    after = reviewing.read_revision(log, incident, new)
    before = reviewing.read_revision(log, incident, old or max(after.number - 1, 1))
    return page(
        request, "review_diff.html", i=require_incident(log, incident), before=before, after=after,
        rows=side_by_side(before.text, after.text), revisions=revisions,
    )  # fmt: skip


@router.post("/draft")
def draft(request: Request, incident: str, again: Annotated[bool, Form()] = False) -> Response:
    """Draft the review from the record; ``again`` renews the sections that still are as it drafted them."""
    reviewing.draft_review(request.app.state.workspace.log, incident, again=again)
    return back_to(_address(incident))


@router.post("/restore")
def restore(request: Request, incident: str, number: Annotated[int, Form(ge=1)], role: Role = "") -> Response:
    """Make an earlier revision the latest."""
    reviewing.restore(request.app.state.workspace.log, incident, number, role=required_role(role))
    return back_to(_address(incident))


@router.post("/publish")
def publish(request: Request, incident: str, number: Annotated[int, Form(ge=0)], role: Role = "") -> Response:
    """Publish a revision, once the roles agree that the policy names."""
    heed_policy(request.app.state.workspace)
    reviewing.publish(request.app.state.workspace.log, incident, number=number, role=required_role(role))
    return back_to(_address(incident))
