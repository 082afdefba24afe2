"""A worker that is killed while it tells people: nothing is lost, and a repetition can be told from news."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.adapters.clocks import AcceleratedClock
from amends.adapters.stores import open_store
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.application.notices.reading import notices, outbox
from amends.events import payloads as p
from tests.receivers import Mailbox, http_receiver, mail_server

_FASTER = 400.0  # an attempt's lease of three minutes is over within half a second
_INCIDENTS = 12


@pytest.mark.crash
def test_kills_lose_nothing_and_repeat_only_under_the_same_id(tmp_path: Path, crash_rounds: int) -> None:
    chance = random.Random(5)
    clock = AcceleratedClock.start(
        tmp_path / "clock.json", at=datetime(2026, 3, 2, 9, tzinfo=UTC), factor=_FASTER
    )
    store = str(tmp_path / "log.db")
    ids = itertools.count()
    log = Log(open_store(store).store, clock, lambda: f"t{next(ids)}", "/test")
    box = Mailbox()
    with mail_server(box) as port, http_receiver() as hook:
        declared = {
            "audiences": {"leads": {"kind": "leadership", "people": 5, "channels": ["mail", "hook"]}},
            "channels": {
                "mail": {"email": {"server": "127.0.0.1", "port": port, "security": "none",
                                   "from": "a@example.com", "to": ["leads@example.com"]}},
                "hook": {"webhook": {"url": hook.url, "secret_env": "HOOK_SECRET"}},
            },
            "escalation": [{"tell": ["leads"]}],
        }  # fmt: skip
        (tmp_path / "notices.yaml").write_text(json.dumps(declared))
        rounds = max(6, crash_rounds // 3)
        for number in range(rounds):
            worker = start(tmp_path, store)
            wait_until_up(worker)
            if number < _INCIDENTS:
                open_incident(
                    log, service="shop", release=f"1.{number}", previous="1.0", environment="production",
                    summary=f"Number {number}", opened_by="person",
                )  # fmt: skip
            time.sleep(chance.uniform(0.0, 0.25))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        last = start(tmp_path, store)
        try:
            deadline = time.monotonic() + 60
            while not settled(log, min(rounds, _INCIDENTS)) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            last.kill()
            last.wait()
    told = notices(log)
    assert len(told) == min(rounds, _INCIDENTS)
    assert outbox(log) == []
    mails, posts = Counter(box.ids), Counter(headers["webhook-id"] for headers, _ in hook.posts)
    assert len(mails) == len(posts) == len(told)
    assert sum(mails.values()) - len(mails) <= rounds
    assert sum(posts.values()) - len(posts) <= rounds
    intended = [f.payload for f in log.facts(kinds=("notice.intended",))]
    assert {one.revision for one in intended if isinstance(one, p.NoticeIntended)} == {1}


def start(folder: Path, store: str) -> subprocess.Popen[str]:
    environ = {
        **os.environ, "AMENDS_CLOCK": str(folder / "clock.json"), "AMENDS_STATE": str(folder / "state"),
        "HOOK_SECRET": "whsec_" + "YWJjZGVmZ2hpamtsbW5vcA==",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "amends", "worker", "--store", store], cwd=folder, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_until_up(worker: subprocess.Popen[str]) -> None:
    assert worker.stdout
    assert "carries deployments on" in worker.stdout.readline()


def settled(log: Log, count: int) -> bool:
    return len(notices(log)) == count and not outbox(log)
