"""Which subject a capture and the user's words come to."""

from __future__ import annotations

import pytest

from amends.errors import UsageError
from amends.prevention.captures import Call, Capture, Request
from amends.prevention.choosing import Ways, command_subject, subject_of
from amends.prevention.subjects import AppSubject, CallSubject, ServiceSubject

WHERE = {"id": "c", "at": "", "service": "", "release": "", "environment": "", "why": ""}
CALL = Capture(**WHERE, call=Call("m:f", ("text",)))
REQUEST = Capture(**WHERE, request=Request("GET", "/", body={"a": 1}))


def test_a_call_needs_nothing_and_a_request_a_way() -> None:
    assert isinstance(subject_of(CALL, Ways()), CallSubject)
    with pytest.raises(UsageError, match="how to reach"):
        subject_of(REQUEST, Ways())


@pytest.mark.parametrize(
    ("ways", "kind"),
    [
        (Ways(app="shop.web:app"), AppSubject), (Ways(app="shop.web:make()"), AppSubject),
        (Ways(start="uvicorn shop.web:app --port {port}"), AppSubject),
        (Ways(start="uvicorn shop.web:app --port 80", url="http://127.0.0.1:80"), ServiceSubject),
        (Ways(start="{python} -m shop --port {port}"), ServiceSubject),
        (Ways(start="docker run -p {port}:80 shop:latest"), ServiceSubject),
    ],
)  # fmt: skip
def test_an_application_is_tried_inside_and_a_command_started(ways: Ways, kind: type) -> None:
    assert isinstance(subject_of(REQUEST, ways), kind)


@pytest.mark.parametrize("ways", [Ways(app="os.system('x')"), Ways(start="'open"), Ways(start=" ")])
def test_a_way_that_cannot_be_read_is_refused(ways: Ways) -> None:
    with pytest.raises(UsageError):
        subject_of(REQUEST, ways)


def test_a_command_takes_a_text_or_what_a_capture_holds_as_one() -> None:
    assert command_subject("cat {input}", "abc").parts == {"text": "abc"}
    assert command_subject("cat {input}", "", capture=CALL).text == "text"
    assert command_subject("cat {input}", "", capture=REQUEST).text == '{"a": 1}'
    with pytest.raises(UsageError, match="no place"):
        command_subject("cat", "abc")
    with pytest.raises(UsageError, match="no input"):
        command_subject("cat {input}", "", capture=Capture(**WHERE, request=Request("GET", "/")))
