"""What the story plays on: a folder, a log, a clock, a server and traffic, all of them real."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from amends.application.log import Log
from amends.bootstrap import StoryClock, Workspace
from amends.demo.narration import Narrator, StoryError
from amends.demo.repository import SERVICE
from amends.demo.running import identify, note_running
from amends.demo.script import Script
from amends.events.codec import Fact

_PATIENCE = 60.0
_A_WORKING_DAY = 8 * 3600.0  # traffic of a story that nobody stopped ends by itself
T = TypeVar("T")


@dataclass
class Stage:
    """Everything that the scenes share. ``commits`` maps a version of the shop to its commit."""

    root: Path
    workspace: Workspace
    clock: StoryClock
    narrator: Narrator
    script: Script = field(default_factory=Script)
    commits: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    server: str = ""
    one_time_link: str = ""
    incident: str = ""
    test: str = ""
    _outputs: dict[int, Path] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        return self.root / "shop"

    @property
    def log(self) -> Log:
        return self.workspace.log

    def environ(self) -> dict[str, str]:
        """Return the environment in which every process of the story runs.

        Each command is a process of its own, so they keep compiled modules even where the user's shell does
        not: it is what lets the story end in two minutes.
        """
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **inherited,
            "AMENDS_STORE": self.workspace.settings.store,
            "AMENDS_POLICY": str(self.repo / "amends.yaml"),
            "AMENDS_STATE": str(self.root / "state"),
            "AMENDS_CLOCK": str(self.clock.path),
            "AMENDS_SERVICE": SERVICE,
            "COLUMNS": "110",
        }

    def amends(self, *words: str, exits: tuple[int, ...] = (0,), show: bool = False) -> str:
        """Run an ``amends`` command as a user would; return what it printed.

        Raises ``StoryError`` when it ends with another exit code than ``exits``.
        """
        if show:
            self.narrator.command(words)
        done = subprocess.run(
            [sys.executable, "-m", "amends", *words], cwd=self.repo, env=self.environ(),
            capture_output=True, text=True, timeout=_PATIENCE * 3, check=False,
        )  # fmt: skip
        if show:
            self.narrator.output(done.stdout)
        if done.returncode not in exits:
            raise StoryError(
                f"`amends {' '.join(words)}` ended with {done.returncode}, expected {exits}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done.stdout

    def ask(self, *words: str, exits: tuple[int, ...] = (0,)) -> Any:
        """Run a command with ``--format json`` and return its answer."""
        return json.loads(self.amends(*words, "--format", "json", exits=exits))

    @contextlib.contextmanager
    def at_pace(self, factor: float) -> Iterator[None]:
        """Run the story's clock so many times as fast as the machine's for a while."""
        self.clock.set_pace(factor)
        try:
            yield
        finally:
            self.clock.set_pace(1.0)

    def record_tests(self, version: str, suite: str, junit: Path, inputs: Path) -> None:
        """Record a suite's JUnit file and the inputs that it sent."""
        self.amends("record", "tests", version, "--suite", suite, str(junit), "--inputs", str(inputs))

    def start_server(self) -> None:
        """Start ``amends serve`` and learn where it listens."""
        process = self._spawn([sys.executable, "-m", "amends", "serve", "--port", "0"], "server")
        text = self.until(
            lambda: _found(r"http://\S+/login/\S+", self.root / "server.log", process), "the server starts"
        )
        self.one_time_link = text
        self.server = text.split("/login/")[0]
        self.narrator.link = self.server
        self.until(lambda: _answers(f"{self.server}/healthz"), "the server answers")

    def start_traffic(
        self, url: str, *, rate: float, edge_share: float, seconds: float = _A_WORKING_DAY
    ) -> subprocess.Popen[str]:
        """Start clients that send requests to an address until they are stopped."""
        words = ["-m", "amends.demo.traffic", url, "--rate", str(rate), "--edge-share", str(edge_share)]
        return self._spawn(
            [sys.executable, *words, "--seconds", str(seconds)], f"traffic-{len(self.running)}"
        )

    def _spawn(self, words: list[str], what: str) -> subprocess.Popen[str]:
        output = self.root / f"{what}.log"
        with output.open("w") as out:
            process = subprocess.Popen(
                words, cwd=self.repo, env=self.environ(), stdout=out, stderr=out, text=True,
                start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        self._outputs[process.pid] = output
        self._note_running()
        return process

    def _note_running(self) -> None:
        found = (identify(self._outputs[process.pid].stem, process.pid) for process in self.running)
        note_running(self.root, (process for process in found if process))

    def stop(self, process: subprocess.Popen[str]) -> None:
        """End a process of the story and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process in self.running:
            self.running.remove(process)
            self._note_running()

    def until(self, look: Callable[[], T | None], what: str, patience: float = _PATIENCE) -> T:
        """Look again and again until there is something; ``StoryError`` when it does not come."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.15)
        raise StoryError(f"waited {patience:.0f} s in vain until {what}")

    def latest(self, kind: str, tag: str = f"service:{SERVICE}", **fields: Any) -> Fact | None:
        """Return the newest fact of a kind whose payload has these values."""
        for fact in self.log.facts(tags=[tag], kinds=[kind], newest_first=True):
            if all(getattr(fact.payload, name, None) == value for name, value in fields.items()):
                return fact
        return None

    def proxy(self, environment: str) -> str:
        """Return the address under which an environment's service is reached."""
        return f"http://127.0.0.1:{self.ports[environment]}"

    def output_of(self, process: subprocess.Popen[str]) -> Path:
        """Return the file that a process of the story writes to."""
        return self._outputs[process.pid]

    def page_of(self, fact: Fact) -> str:
        """Return the page of the deployment that a fact belongs to."""
        return f"/deployments/{getattr(fact.payload, 'deployment', '')}"

    def find_incident(self, release: str) -> str | None:
        """Return the id of a release's incident once there is one."""
        fact = self.latest("incident.detected", release=release)
        return str(getattr(fact.payload, "incident", "")) if fact else None

    def told(self, incident: str) -> Fact | None:
        """Return the last notice about an incident once everybody whom the rules name was told."""
        sent = self.log.facts(tags=[f"incident:{incident}"], kinds=["notice.sent"])
        audiences = [getattr(fact.payload, "audience", "") for fact in sent]
        return sent[-1] if {"shop-team", "heads"} <= set(audiences) else None

    def stuck(self, tag: str) -> str:
        """Say what a deployment asks a person, or nothing when it goes on by itself."""
        asked = self.latest("step.concluded", tag, outcome="ask")
        return str(getattr(asked.payload, "reason", "")) if asked else ""

    def the(self, kind: str, **fields: Any) -> Fact:
        """Return the newest fact of a kind with these values; ``StoryError`` when there is none."""
        fact = self.latest(kind, **fields)
        if fact is None:
            raise StoryError(f"the log holds no {kind} with {fields}")
        return fact

    def now(self) -> datetime:
        return self.clock.now()


def _found(pattern: str, path: Path, process: subprocess.Popen[str]) -> str | None:
    text = path.read_text()
    if process.poll() is not None:
        raise StoryError(f"the server ended at once:\n{text}")
    match = re.search(pattern, text)
    return match.group(0) if match else None


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
