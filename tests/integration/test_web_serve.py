"""``amends serve`` and its companions as real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.servers import die_with_parent

AMENDS = (sys.executable, "-m", "amends")


@dataclass
class Served:
    """A running ``amends serve`` with what it has said so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def until(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"it ended without saying {pattern}: {''.join(self.lines)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def amends(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AMENDS, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**clean_environment(), **more},
    )  # fmt: skip


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    running: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> Served:
        process = subprocess.Popen(
            [*AMENDS, "serve", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=clean_environment(), preexec_fn=die_with_parent,
        )  # fmt: skip
        running.append(process)
        return Served(process)

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_the_first_start_makes_a_token_and_each_start_a_link(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first = start("--port", "0")
    token = first.until(r"access token .*: (\S+)")[1]
    url = first.until(r"AMENDS_STORE=(\S+) ")[1]
    link = first.until(r"(http://127\.0\.0\.1:\d+/login/\S+)")[1]
    assert not url.endswith((":0", ":8787"))
    assert httpx.get(link).status_code == 303
    assert httpx.get(f"{url}/api/v1/board", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert token not in b"".join(path.read_bytes() for path in (tmp_path / ".amends").iterdir()).decode(
        "latin-1"
    )
    assert first.stop() == 0
    second = start("--port", "0")
    second.until(r"/login/\S+")
    assert not any("access token" in line for line in second.lines)
    assert second.stop(signal.SIGINT) == 0


def test_a_link_is_asked_of_the_running_server(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    none = amends(tmp_path, "link")
    assert none.returncode == 2
    assert "amends serve" in none.stderr
    served = start("--port", "0", "--no-loop")
    token = served.until(r"access token .*: (\S+)")[1]
    served.until(r"/login/\S+")
    note = tmp_path / ".amends" / "server.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    link = re.search(r"http://\S+", amends(tmp_path, "link").stdout)
    assert link
    assert httpx.get(link[0]).status_code == 303
    url = json.loads(note.read_text())["url"]
    assert "/login/" in amends(tmp_path, "link", "--server", url, AMENDS_TOKEN=token).stdout
    assert amends(tmp_path, "link", "--server", url, AMENDS_TOKEN="wrong").returncode == 2
    served.stop()
    assert not note.exists()


def test_tokens_are_issued_and_revoked(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    token = amends(tmp_path, "token", "issue", "ci").stdout.strip()
    served = start("--port", "0", "--no-loop")
    url = served.until(r"amends serves (http://\S+)")[1]
    assert not any("access token" in line for line in served.lines)
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{url}/api/v1/board", headers=headers).status_code == 200
    assert amends(tmp_path, "token", "revoke", "ci").returncode == 0
    assert httpx.get(f"{url}/api/v1/board", headers=headers).status_code == 401
    assert amends(tmp_path, "token", "revoke", "ci").returncode == 2
    assert amends(tmp_path, "token", "issue", "browser x").returncode == 2


def test_an_open_page_does_not_hold_up_the_stop(start) -> None:  # type: ignore[no-untyped-def]
    served = start("--port", "0")
    link = served.until(r"(http://\S+)/login/(\S+)")
    with httpx.Client(base_url=link[1]) as client:
        client.get(f"/login/{link[2]}")
        with client.stream("GET", "/deployments/none/events") as answer:
            assert answer.status_code == 200
            assert served.stop() == 0
    assert not any("Traceback" in line for line in served.process.stdout)


def test_what_cannot_be_served_is_said(tmp_path: Path) -> None:
    memory = amends(tmp_path, "serve", "--store", "memory:", "--port", "0")
    assert (memory.returncode, "memory" in memory.stderr) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = amends(tmp_path, "serve", "--port", port)
    assert found.returncode == 2
    assert port in found.stderr
    assert "--port 0" in found.stderr
    assert "Traceback" not in found.stderr
    assert amends(tmp_path, "serve", "--host", "no.such.host.invalid").returncode == 2
    assert amends(tmp_path, "serve", "--tls-cert", "none.pem").returncode == 2


def test_a_server_for_others_warns_and_answers_to_its_name(start) -> None:  # type: ignore[no-untyped-def]
    served = start("--host", "0.0.0.0", "--port", "0", "--host-name", "amends.example")
    served.until("warning: other machines")
    port = served.until(r"http://amends\.example:(\d+)/login/")[1]
    url = f"http://127.0.0.1:{port}/healthz"
    assert httpx.get(url, headers={"Host": "amends.example"}).status_code == 200
    assert httpx.get(url, headers={"Host": "other.example"}).status_code == 421
