"""Notices: what each audience is told about an incident, at which price, and what everybody was told."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application.notices import reading
from amends.application.notices.apologising import apology_for
from amends.application.notices.digests import preview_digest
from amends.application.notices.office import Office, open_incident_desk, read_statements
from amends.application.notices.statements import approve, draft_statement, write_statement
from amends.application.notices.telling import defer, preview, retry, send
from amends.application.record import require_incident
from amends.bootstrap import open_office
from amends.errors import AmendsError
from amends.reviews.apology import IF_HIDDEN, IF_NOT, INTENT, Advice
from amends.reviews.audiences.settings import WEB
from amends.reviews.notices.outbox import Notice
from amends.web.forms import Role, Words, back_to, required_role
from amends.web.templating import page, path_part
from amends.workflows.notifying import hand_over

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=20_000)]


def _office(request: Request) -> Office:
    return open_office(request.app.state.workspace)


def panel(request: Request, incident: str) -> tuple[Advice, str, str, str] | None:
    """Return what the quiet panel of a review says, with the question that only its reader can answer.

    ``None`` when it cannot be said: a mistake in notices.yaml keeps nobody from reading a review.
    """
    try:
        return apology_for(_office(request), incident), INTENT, IF_HIDDEN, IF_NOT
    except AmendsError:
        return None


@router.get("/notices")
def notices(request: Request, audience: str = "") -> Response:
    """Show what everybody, or one audience, was told: the channel that is always there."""
    office = _office(request)
    found = reading.notices(office.log, audience=audience)
    names = sorted({*office.policy.audiences, *(one.said.audience for one in found)})
    waiting = {name: held for name in office.policy.audiences if (held := preview_digest(office, name))}
    return page(request, "notices.html", found=found, audience=audience, names=names, waiting=waiting)


@router.get("/incidents/{incident}/notices")
def of_incident(request: Request, incident: str) -> Response:
    """Show what each audience would read about an incident, its price, and who was told."""
    office = _office(request)
    desk = open_incident_desk(office, incident)
    statements = read_statements(office.log, incident)
    return page(
        request, "incident_notices.html", i=desk.story.incident,
        previews=[preview(office, incident, name, desk=desk) for name in office.policy.audiences],
        told=reading.notices(office.log, incident=incident), planned=reading.plan(office, incident),
        statements=statements, approvers=office.policy.approvers,
    )  # fmt: skip


@router.post("/incidents/{incident}/notices")
def tell(
    request: Request, incident: str, audience: Words, way: Annotated[Literal["now", "digest"], Form()],
    role: Role = "",
) -> Response:  # fmt: skip
    """Tell an audience, or keep it for the digest. The price stood beside the button."""
    office, role = _office(request), required_role(role)
    if way == "digest":
        defer(office, incident, audience, role=role)
    else:
        notice = send(office, incident, audience, role=role)
        _show(office, [notice] if notice else [])
    return back_to(f"/incidents/{path_part(incident)}/notices#told")


def _show(office: Office, sent: list[Notice]) -> None:
    """Put notices on these pages at once; the other channels are the loop's or a worker's."""
    for notice in sent:
        hand_over(office, notice.said.topic, notice.said.audience, notice.said.revision, WEB)


@router.post("/incidents/{incident}/notices/retry")
def again(request: Request, incident: str, audience: Words, channel: Words, role: Role = "") -> Response:
    """Have what a channel refused for good tried again."""
    retry(_office(request).log, incident, audience, channel, role=required_role(role))
    return back_to(f"/incidents/{path_part(incident)}/notices#told")


@router.post("/incidents/{incident}/statement")
def statement(
    request: Request, incident: str, action: Annotated[Literal["draft", "save", "approve"], Form()],
    role: Role = "", title: Words = "", text: Text = "", number: Annotated[int, Form(ge=0)] = 0,
) -> Response:  # fmt: skip
    """Draft, write or approve what the organisation tells its customers."""
    office = _office(request)
    require_incident(office.log, incident)
    match action:
        case "draft":
            draft_statement(office, incident)
        case "save":
            words = text.replace("\r\n", "\n")
            write_statement(office, incident, title, words, role=required_role(role))
        case _:
            _show(office, approve(office, incident, role=required_role(role), number=number))
    return back_to(f"/incidents/{path_part(incident)}/notices#statement")
