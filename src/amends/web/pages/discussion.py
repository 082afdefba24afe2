"""What people say about a review: comments, reading, agreeing, accepting sections, and the one meeting."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from amends.application import approving, discussing
from amends.application.discussing import Said
from amends.application.meeting import read_meeting
from amends.application.record import require_incident
from amends.bootstrap import heed_policy
from amends.web.forms import Role, Words, back_to, required_role
from amends.web.templating import page, path_part

router = APIRouter(prefix="/incidents/{incident}/review", include_in_schema=False)
Text = Annotated[str, Form(max_length=20_000)]
Name = Annotated[str, Form(max_length=200)]


def _address(incident: str, rest: str = "") -> str:
    return f"/incidents/{path_part(incident)}/review{rest}"


@router.post("/comments")
def comment(
    request: Request, incident: str, text: Text = "", quote: Annotated[str, Form(max_length=4000)] = "",
    number: Annotated[int, Form(ge=0)] = 0, answers: Words = "", role: Role = "", team: Role = "",
) -> Response:  # fmt: skip
    """Comment on a passage, on the whole, or on a comment."""
    found = discussing.comment(
        request.app.state.workspace.log, incident, Said(text, required_role(role), team.strip()),
        quote=quote.replace("\r\n", "\n"), number=number, answers=answers,
    )  # fmt: skip
    return back_to(_address(incident, f"#{answers or found.id}"))


@router.post("/comments/{comment}")
def settle(
    request: Request, incident: str, comment: str, action: Annotated[Literal["settle", "reopen"], Form()],
    role: Role = "", reason: Words = "",
) -> Response:  # fmt: skip
    """Settle a comment, or open it again."""
    discussing.settle(
        request.app.state.workspace.log, incident, comment, role=required_role(role), reason=reason.strip(),
        again=action == "reopen",
    )  # fmt: skip
    return back_to(_address(incident, "#comments"))


@router.post("/readers")
def read(
    request: Request, incident: str, number: Annotated[int, Form(ge=0)] = 0, role: Role = "", team: Role = ""
) -> Response:
    """Say that one has read a revision."""
    log = request.app.state.workspace.log
    discussing.mark_read(log, incident, number=number, role=required_role(role), team=team.strip())
    return back_to(_address(incident, "#readers"))


@router.post("/sections")
def accept(
    request: Request, incident: str, section: Annotated[list[str] | None, Form()] = None, role: Role = ""
) -> Response:
    """Take drafted sections as they stand; none named are all."""
    log = request.app.state.workspace.log
    discussing.accept_sections(log, incident, role=required_role(role), titles=section or ())
    return back_to(_address(incident, "#review"))


@router.post("/state")
def move(
    request: Request, incident: str, word: Annotated[Literal["submitted", "approved", "returned"], Form()],
    role: Role = "", reason: Words = "",
) -> Response:  # fmt: skip
    """Submit the review, agree with it, or return it."""
    heed_policy(request.app.state.workspace)
    approving.move(request.app.state.workspace.log, incident, word, role=required_role(role), reason=reason)
    return back_to(_address(incident))


@router.get("/meeting")
def meeting(request: Request, incident: str) -> Response:
    """Show the agenda of the one meeting, who could be there, and the minutes."""
    log = request.app.state.workspace.log
    found = read_meeting(log, incident)
    return page(request, "review_meeting.html", i=require_incident(log, incident), m=found)


@router.post("/minutes")
def minute(
    request: Request, incident: str, text: Text = "", topic: Name = "", role: Role = "", team: Role = ""
) -> Response:
    """Take a minute."""
    discussing.take_minute(
        request.app.state.workspace.log, incident, Said(text, required_role(role), team.strip()), topic=topic
    )
    return back_to(_address(incident, "/meeting"))
