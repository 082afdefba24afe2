"""Notices on real channels: mail servers that are down or refuse, signed webhooks, a status page."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from aiosmtpd.smtp import AuthResult
from standardwebhooks.webhooks import Webhook

from amends.adapters.couriers.opening import courier_of
from amends.adapters.noticesfile import parse_notices
from amends.application.incidents import open_incident, resolve
from amends.application.notices.courier import Handed, Letter
from amends.application.notices.office import Office
from amends.application.notices.reading import outbox
from amends.application.notices.statements import approve, draft_statement, published, write_statement
from amends.application.notices.telling import defer, retry, send
from amends.errors import NotAllowedError
from amends.events import payloads as p
from amends.reviews.notices.outbox import LEASE
from amends.workflows.notifying import Notifier, hand_over
from tests.receivers import Mailbox, Receiver, http_receiver, mail_server
from tests.servers import free_port
from tests.story import Story

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two characters").decode()
ATOM = "{http://www.w3.org/2005/Atom}"


class Scene:
    """A story, its office and one process's notifier."""

    def __init__(self, folder: Path, **declared: Any) -> None:
        self.story = Story(store=str(folder / "log.db")).tell()
        self.folder = folder
        text = json.dumps({"approvers": ["head of support"], **declared})  # JSON is YAML
        policy = parse_notices(text)
        environ = {"HOOK_SECRET": SECRET, "CHAT_URL": declared.get("chat_url", "")}
        self.office = Office(
            self.story.log, policy, self.story.opened.people,
            lambda name: courier_of(name, policy, environ, folder, lambda: published(self.story.log)),
        )  # fmt: skip
        self.environ = environ
        self.notifier = Notifier(self.office)

    def send(self, audience: str = "leads") -> None:
        assert send(self.office, self.story.incident, audience, role="commander")

    def until_quiet(self, **span: float) -> int:
        """Let time pass as a process would that sleeps until it is due; return how many passes it took."""
        end = self.story.clock.now() + timedelta(**span)
        passes = 0
        while self.story.clock.now() <= end:
            again = self.notifier.run().again_at
            passes += 1
            if again is None or again > end:
                self.story.clock.at = end + timedelta(seconds=1)
                break
            self.story.clock.at = max(again, self.story.clock.now())
        return passes


def mail(port: int, *to: str) -> dict[str, Any]:
    return {"email": {"server": "127.0.0.1", "port": port, "security": "none", "from": "amends@example.com",
                      "to": list(to or ("leads@example.com",))}}  # fmt: skip


def leads(*channels: str) -> dict[str, Any]:
    return {"leads": {"kind": "leadership", "people": 12, "channels": list(channels)}}


def test_a_mail_server_that_is_down_for_a_day_loses_and_repeats_nothing(tmp_path: Path) -> None:
    port = free_port()
    scene = Scene(tmp_path, audiences=leads("mail"), channels={"mail": mail(port)})
    scene.send()
    scene.story.add("milestone.set", p.MilestoneSet(
        incident=scene.story.incident, service="shop", milestone="mitigated", at=scene.story.clock.now()
    ))  # fmt: skip
    scene.send()
    assert scene.until_quiet(hours=24) < 100
    [first, second] = outbox(scene.story.log)
    assert {d.channel: d.state for d in first.deliveries} == {"web": "sent", "mail": "waiting"}
    assert "cannot be used" in next(d.reason for d in first.deliveries if d.reason)
    box = Mailbox()
    with mail_server(box, port):
        scene.notifier = Notifier(scene.office)  # another process
        scene.until_quiet(hours=2)
        scene.until_quiet(hours=24)
    assert outbox(scene.story.log) == []
    assert [str(m["X-Amends-Notice"])[-1] for m in box.mails] == ["1", "2"]
    assert len(set(box.ids)) == 2
    assert str(box.mails[0]["Auto-Submitted"]) == "auto-generated"
    assert second.said.text.split()[0] in box.mails[1].get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_starttls_and_a_login_with_a_certificate_authority_of_ones_own(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with: apt-get install openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"amends", b"right"))

    box = Mailbox()
    with mail_server(
        box, tls_context=context, require_starttls=True, authenticator=knows, auth_required=True
    ) as port:
        said = mail(port)
        said["email"] |= {
            "security": "starttls", "ca_file": "cert.pem", "user_env": "MAIL_USER", "password_env": "MAIL_KEY"
        }  # fmt: skip
        scene = Scene(tmp_path, audiences=leads("mail"), channels={"mail": said})
        scene.environ |= {"MAIL_USER": "amends", "MAIL_KEY": "wrong"}
        scene.send()
        scene.notifier.run()
        assert box.mails == []
        assert "right" not in str([f.payload for f in scene.story.log.facts(kinds=("notice.failed",))])
        scene.environ["MAIL_KEY"] = "right"
        scene.until_quiet(hours=1)
    assert len(box.mails) == 1


def test_whom_the_server_took_is_not_written_to_again(tmp_path: Path) -> None:
    box = Mailbox(refusing={"b@example.com": "450 4.2.1 b@example.com is busy"})
    with mail_server(box) as port:
        declared = mail(port, "a@example.com", "b@example.com")
        scene = Scene(tmp_path, audiences=leads("mail"), channels={"mail": declared})
        scene.send()
        scene.notifier.run()
        box.refusing.clear()
        scene.until_quiet(hours=1)
    assert [mail["X-RcptTo"] for mail in box.mails] == ["a@example.com", "b@example.com"]
    assert len(set(box.ids)) == 1
    assert "example.com" not in "".join(
        str(f.payload) for f in scene.story.log.facts(kinds=("notice.failed",))
    )


def test_what_is_refused_for_good_waits_for_a_person(tmp_path: Path) -> None:
    box = Mailbox(refusing={"leads@example.com": "550 5.1.1 unknown"})
    with mail_server(box) as port:
        scene = Scene(tmp_path, audiences=leads("mail"), channels={"mail": mail(port)})
        scene.send()
        scene.until_quiet(days=3)
        [left] = outbox(scene.story.log)
        assert next(d for d in left.deliveries if d.channel == "mail").state == "refused"
        assert next(d for d in left.deliveries if d.channel == "mail").attempts == 1
        box.refusing.clear()
        retry(scene.story.log, scene.story.incident, "leads", "mail", role="on-call")
        scene.until_quiet(hours=1)
    assert len(box.mails) == 1


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


def hook(receiver: Receiver) -> dict[str, Any]:
    return {"webhook": {"url": receiver.url, "secret_env": "HOOK_SECRET"}}


def test_webhooks_are_signed_and_keep_their_id(tmp_path: Path, receiver: Receiver) -> None:
    scene = Scene(tmp_path, audiences=leads("hook"), channels={"hook": hook(receiver)})
    receiver.answer = 503
    now = scene.story.clock
    now.at = now.at.now(now.at.tzinfo)  # the standard's verifier goes by the real time
    scene.send()
    scene.notifier.run()
    receiver.answer = 204
    now.later(40)
    scene.notifier.run()
    assert len(receiver.posts) == 2
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == 1
    headers, body = receiver.posts[-1]
    told = Webhook(SECRET).verify(body.decode(), headers)
    assert told["data"]["audience"] == "leads"
    with pytest.raises(Exception, match="signature"):
        Webhook(SECRET).verify(body.decode().replace("leads", "other"), headers)


def test_a_receiver_that_is_gone_is_left_alone(tmp_path: Path, receiver: Receiver) -> None:
    scene = Scene(tmp_path, audiences=leads("hook"), channels={"hook": hook(receiver)})
    receiver.answer = 410
    scene.send()
    scene.until_quiet(days=2)
    assert len(receiver.posts) == 1


def test_a_chat_is_reached_through_apprise(tmp_path: Path, receiver: Receiver) -> None:
    scene = Scene(tmp_path, audiences=leads("chat"), channels={"chat": {"apprise": {"url_env": "CHAT_URL"}}})
    scene.environ["CHAT_URL"] = f"json://127.0.0.1:{receiver.port}/chat"
    scene.send()
    scene.notifier.run()
    assert scene.story.incident in receiver.json()["title"]
    assert outbox(scene.story.log) == []


def test_a_dead_channel_holds_up_no_other(tmp_path: Path, receiver: Receiver) -> None:
    channels = {"mail": mail(free_port()), "hook": hook(receiver)}
    scene = Scene(tmp_path, audiences=leads("mail", "hook"), channels=channels)
    scene.send()
    scene.notifier.run()
    assert len(receiver.posts) == 1


def test_a_process_that_dies_after_handing_over_repeats_under_the_same_id(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        scene = Scene(tmp_path, audiences=leads("mail"), channels={"mail": mail(port)})
        scene.send()

        def dies(letter: Letter) -> Handed:
            scene.office.courier_for("mail").deliver(letter)
            raise KeyboardInterrupt

        dying = replace(scene.office, courier_for=lambda _: SimpleNamespace(deliver=dies))
        with pytest.raises(KeyboardInterrupt):
            hand_over(dying, scene.story.incident, "leads", 1, "mail")
        scene.story.later(seconds=LEASE.total_seconds() - 1)
        scene.notifier.run()
        assert len(box.mails) == 1  # the attempt is still its maker's
        scene.story.later(seconds=2)
        scene.notifier.run()
    assert len(box.mails) == 2
    assert len(set(box.ids)) == 1
    assert outbox(scene.story.log) == []


def test_two_processes_hand_a_notice_over_once(tmp_path: Path, receiver: Receiver) -> None:
    scene = Scene(tmp_path, audiences=leads("hook"), channels={"hook": hook(receiver)})
    scene.send()
    other = Notifier(scene.office)
    other.run()
    scene.notifier.run()
    assert len(receiver.posts) == 1


def test_what_was_told_is_not_told_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, audiences=leads())
    scene.send()
    assert send(scene.office, scene.story.incident, "leads") is None


def test_rules_tell_once_by_severity_and_duration(tmp_path: Path) -> None:
    audiences = leads() | {"team": {"kind": "team"}, "world": {"kind": "customers"}}
    rules = [{"tell": ["team"]}, {"tell": ["leads", "world"], "after": "30m", "severities": ["major"]},
             {"tell": ["team"], "when": "resolved"}]  # fmt: skip
    scene = Scene(tmp_path, audiences=audiences, escalation=rules, reminders="off")
    scene.until_quiet(days=30)  # the story's own incident is mitigated, and its past is told or stale by now
    before = len(scene.story.log.facts(kinds=("notice.intended",)))
    incident = open_incident(
        scene.story.log, service="shop", release="1.5.0", previous="1.4.1", environment="production",
        summary="Slow", opened_by="person", severity="major",
    )  # fmt: skip
    scene.until_quiet(minutes=29)
    told = scene.story.log.facts(kinds=("notice.intended",))[before:]
    assert [f.payload.audience for f in told] == ["team"]  # type: ignore[union-attr]
    scene.until_quiet(minutes=2)
    scene.notifier = Notifier(scene.office)
    scene.until_quiet(minutes=30)
    resolve(scene.story.log, incident, role="commander", reason="fixed")
    scene.until_quiet(hours=1)
    told = scene.story.log.facts(kinds=("notice.intended",))[before:]
    assert [(f.payload.audience, f.payload.occasion) for f in told] == [  # type: ignore[union-attr]
        ("team", "opened"), ("leads", "opened"), ("team", "resolved"),
    ]  # fmt: skip
    # Customers are told nothing by a rule: a draft waits for a management role.
    [drafted] = [f.payload for f in scene.story.log.stream(f"statement/{incident}")]
    assert isinstance(drafted, p.StatementRevised)
    assert drafted.drafted


def test_the_digest_goes_out_once_a_week_with_what_waited(tmp_path: Path) -> None:
    scene = Scene(tmp_path, audiences=leads())
    assert defer(scene.office, scene.story.incident, "leads")
    assert not defer(scene.office, scene.story.incident, "leads")
    scene.until_quiet(days=15)
    told = [f.payload for f in scene.story.log.facts(kinds=("notice.intended",))]
    [digest] = [one for one in told if isinstance(one, p.NoticeIntended)]
    assert digest.occasion == "digest"
    assert scene.story.incident in digest.subject + digest.text
    assert digest.people == 12


def test_customers_are_told_what_was_approved_and_nothing_else(tmp_path: Path) -> None:
    audiences = {"world": {"kind": "customers", "people": 2000, "channels": ["status"]}}
    channels = {"status": {"status_page": {"folder": "public", "url": "https://status.example.com"}}}
    scene = Scene(
        tmp_path,
        audiences=audiences,
        channels=channels,
        organisation="Example",
        products={"shop": "Checkout"},
    )
    office, incident = scene.office, scene.story.incident
    with pytest.raises(NotAllowedError, match="has not approved"):
        send(office, incident, "world")
    draft_statement(office, incident)
    with pytest.raises(NotAllowedError, match="head of support"):
        approve(office, incident, role="engineer")
    scene.notifier.run()
    assert not (tmp_path / "public").exists()
    approve(office, incident, role="Head of Support")
    scene.notifier.run()
    page = (tmp_path / "public/index.html").read_text()
    assert "Checkout: an incident, resolved" in page
    scene.story.later(minutes=5)
    write_statement(
        office,
        incident,
        "Checkout: what we changed",
        "We <b>changed</b> our checks.\n<script>x()</script>",
        role="support",
    )
    scene.notifier.run()
    assert "what we changed" not in (tmp_path / "public/index.html").read_text()
    approve(office, incident, role="head of support")
    scene.notifier.run()
    page = (tmp_path / "public/index.html").read_text()
    assert "what we changed" in page
    assert "What we said before" in page
    assert "<script" not in page
    feed = ET.parse(tmp_path / "public/feed.atom").getroot()
    [entry] = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Checkout: what we changed"
    assert entry.findtext(f"{ATOM}published") < entry.findtext(f"{ATOM}updated")  # type: ignore[operator]
    for part in ("id", "title", "updated"):  # RFC 4287, 4.1.1 and 4.1.2
        assert feed.findtext(f"{ATOM}{part}")
        assert entry.findtext(f"{ATOM}{part}")
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
