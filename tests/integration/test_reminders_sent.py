"""Reminders go out by themselves, once each, by the channels of notices.yaml."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.application.actions import Moved, Wanted, add_action, move_action
from amends.application.approving import move
from amends.application.log import Log
from amends.application.notices.reading import outbox
from amends.application.notices.reminding import remind, sent_reminders, where_to
from amends.application.notices.statements import approve, draft_statement
from amends.application.reminding import read_reminders
from amends.application.reviewing import save_revision
from amends.events import payloads as p
from amends.workflows.notifying import Notifier
from tests.integration.test_notices import Scene, mail
from tests.receivers import Mailbox, http_receiver, mail_server
from tests.servers import free_port

DAY = timedelta(days=1)


def team(*channels: str, **more: Any) -> dict[str, Any]:
    return {"crew": {"kind": "team", "people": 4, "channels": list(channels), **more}}


def bodies(box: Mailbox) -> list[str]:
    return [mail.get_payload(decode=True).decode() for mail in box.mails]  # type: ignore[union-attr]


def owe(scene: Scene, title: str = "Write it down", *, owner: str = "payments", days: float = 1) -> str:
    due = scene.story.clock.now() + days * DAY
    return add_action(scene.story.log, scene.story.incident, Wanted(title, owner, due=due)).id


def test_each_reminder_reaches_its_team_once_by_mail_and_webhook_until_it_is_done(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port, http_receiver() as hook:
        scene = Scene(
            tmp_path, audiences=team("mail", "hook"),
            channels={"mail": mail(port, "crew@example.com"),
                      "hook": {"webhook": {"url": hook.url, "secret_env": "HOOK_SECRET"}}},
        )  # fmt: skip
        first, second = owe(scene), owe(scene, "Tell support", owner="support")
        scene.until_quiet(hours=30)
        assert len(box.mails) == len(hook.posts) == 2  # before they are due, and when they are
        assert all(one in bodies(box)[1] for one in (first, second, "## payments", "## support"))
        said = json.loads(hook.posts[0][1])  # its time is the story's, so its signature is too old by now
        assert said["type"] == "reminder.sent"
        move_action(scene.story.log, first, "done", Moved("developer", evidence="run 1"))
        scene.notifier = Notifier(scene.office)  # another process
        scene.until_quiet(days=8)
    later = bodies(box)[2:]
    assert len(later) == 3  # one, three and seven days late
    assert all(second in text and first not in text for text in later)
    [notice] = {f.payload.people for f in scene.story.log.facts(kinds=("notice.intended",))
                if isinstance(f.payload, p.NoticeIntended)}  # fmt: skip
    assert notice == 4
    sent = sent_reminders(scene.story.log)
    assert [(one.about, one.audience, one.by) for one in sent[:2]] == [
        (second, "crew", "web, mail, hook")
    ] * 2
    assert read_reminders(scene.story.log) == ()


def test_a_mail_server_that_is_down_delays_a_reminder_and_loses_none(tmp_path: Path) -> None:
    port = free_port()
    scene = Scene(tmp_path, audiences=team("mail"), channels={"mail": mail(port)})
    name = owe(scene, days=0)
    scene.until_quiet(hours=20)
    [one] = outbox(scene.story.log)
    assert "cannot be used" in sent_reminders(scene.story.log)[0].by
    box = Mailbox()
    with mail_server(box, port):
        scene.until_quiet(hours=2)
    assert [name in text for text in bodies(box)] == [True]
    assert one.said.includes == (f"reminder:{name}:{read_slot(scene.story.log)}",)


def read_slot(log: Log) -> str:
    [fact] = log.facts(kinds=("reminder.given",))
    assert isinstance(fact.payload, p.Reminded)
    return fact.payload.slot.isoformat()


def test_workers_at_one_time_and_one_that_died_half_way_say_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, audiences=team())
    names = {owe(scene, days=0), owe(scene, days=0)}

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("amends.application.notices.reminding.record_reminder", die)
        with pytest.raises(KeyboardInterrupt):
            remind(scene.office)
    assert len(read_reminders(scene.story.log)) == 2  # said, and not yet recorded as given
    workers = [threading.Thread(target=remind, args=(scene.office,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(scene.story.log.facts(kinds=("notice.intended",))) == 1
    assert {one.about for one in sent_reminders(scene.story.log)} == names
    assert read_reminders(scene.story.log) == ()


def test_reviewers_and_those_who_approve_statements_are_reminded_until_they_did(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        scene = Scene(
            tmp_path, channels={"mail": mail(port, "all@example.com")},
            audiences={**team("mail"), "head-of-support": {"kind": "leadership", "channels": ["mail"]},
                       "everybody": {"kind": "customers", "channels": ["mail"]}},
        )  # fmt: skip
        log, incident = scene.story.log, scene.story.incident
        latest = log.facts(kinds=("review.revised",))[-1].payload
        assert isinstance(latest, p.ReviewRevised)
        save_revision(log, incident, "What happened.", based_on=latest.revision, role="developer")
        move(log, incident, "submitted", role="developer")
        draft_statement(scene.office, incident)
        scene.until_quiet(hours=1)
        subjects = {str(one["X-Amends-Notice"]): str(one["Subject"]) for one in box.mails}
        assert "review to agree with INC-1" in subjects["reminders/crew/1"]
        assert "statement to approve INC-1" in subjects["reminders/head-of-support/1"]
        move(log, incident, "approved", role="service owner")
        approve(scene.office, incident, role="head of support")
        scene.until_quiet(days=5)
    assert len([one for one in box.mails if "reminders" in str(one["X-Amends-Notice"])]) == 2


def test_what_can_wait_comes_with_the_digest_and_off_is_off(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        scene = Scene(tmp_path, reminders="digest", audiences=team("mail"), channels={"mail": mail(port)})
        name = owe(scene, days=0)
        scene.until_quiet(days=8)
        [digest] = bodies(box)
        assert digest.count(f"action item {name},") == 1  # reminded four times, told once
        assert sent_reminders(scene.story.log)[0].by == "the weekly digest"
    silent = Scene(
        tmp_path / "silent", reminders="off", audiences=team("mail"), channels={"mail": mail(port)}
    )
    owe(silent, days=0)
    silent.until_quiet(days=2)
    assert silent.story.log.facts(kinds=("notice.intended", "reminder.given")) == []


def test_a_team_without_an_audience_is_said_and_is_no_error(tmp_path: Path) -> None:
    scene = Scene(tmp_path, audiences={"crew": {"kind": "team", "services": ["billing"]}})
    owe(scene, days=0)
    assert scene.notifier.run().failed == ()
    [due] = read_reminders(scene.story.log)
    assert where_to(scene.office, due) == (
        "", "notices.yaml declares no audience for payments: nobody is sent it"
    )  # fmt: skip
    owned = Scene(tmp_path / "owned", audiences=team(owners=["Payments"], services=["billing"]))
    owe(owned, days=0)
    [due] = read_reminders(owned.story.log)
    assert where_to(owned.office, due) == ("crew", "crew has no channel but the server's pages")
