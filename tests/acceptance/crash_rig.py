"""A place to crash in: one log, one service on a real deployer, workers to kill, and what must hold then."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amends.application.deploying import Wish, request_deployment, steer
from amends.application.deployments import find_deployment, list_deployments
from amends.bootstrap import Workspace, open_workspace, toolbox
from amends.errors import NotAllowedError
from amends.events import payloads as p
from amends.releases.actuation import ReleaseRef
from amends.releases.deployment import Deployment, Phase

SERVICE, ENVIRONMENT = "shop", "production"
WORKER = Path(__file__).with_name("crash_worker.py")

# Versions and their shares in one JSON file; a version that begins with "bad" dies once it has traffic.
PLATFORM = """
    import json, os, sys
    from pathlib import Path
    state, action, version, baseline, weight = Path(sys.argv[1]), *sys.argv[2:6]
    weights = json.loads(state.read_text()) if state.exists() else {}
    if action == "observe":
        print(json.dumps({"weights": weights, "instances": [
            {"name": v, "version": v, "ready": not (v.startswith("bad") and w)} for v, w in weights.items()
        ]}))
        sys.exit()
    before = dict(weights)
    if action == "start":
        weights = {baseline: 100, **weights, version: 0} if baseline else {version: 0}
    elif action == "weight":
        weights = {version: int(weight), baseline: 100 - int(weight)}
    elif action == "promote":
        weights = {version: 100}
    elif action == "rollback":
        weights = {baseline: 100}
    fresh = state.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(weights))
    fresh.replace(state)
"""

# Answers on /, counts answers by code on /metrics; a version that begins with "bad" fails every third one.
SHOP = """
    import sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    VERSION, counts = sys.argv[2], {"200": 0, "500": 0}
    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            code = 200
            if self.path == "/":
                total = sum(counts.values())
                code = 500 if VERSION.startswith("bad") and total % 3 == 0 else 200
                counts[str(code)] += 1
            lines = [f'http_requests_total{{code="{c}"}} {n}' for c, n in counts.items()]
            body = ("\\n".join(["# TYPE http_requests_total counter", *lines, ""])).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *args):
            pass
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""


@dataclass
class Figures:
    """What a campaign came to; everything but kills and deployments should be nought."""

    kills: int = 0
    deployments: int = 0
    stuck: int = 0
    wrong: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)


@dataclass
class CrashRig:
    """``kind`` is the deployer: ``command`` (a platform in a file) or ``process`` (instances, traffic).

    ``store`` is a PostgreSQL database; a SQLite file in ``root``, if not given.
    """

    root: Path
    kind: str
    store: str = ""
    seconds: tuple[float, float] = (0.6, 1.0)  # of each step
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _traffic: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        # The platform in a file has no metrics, so nothing there is ever conclusive.
        self.wish = "promote" if self.kind == "command" else "extend"
        self.state = self.root / "state"
        self.store = self.store or str(self.root / "log.db")
        opened = open_workspace(store=self.store, policy=str(self.root / "amends.yaml"), source="/test")
        self.workspace: Workspace = replace(opened, settings=replace(opened.settings, state_dir=self.state))
        (self.root / "town.py").write_text(textwrap.dedent(PLATFORM))
        (self.root / "service.py").write_text(textwrap.dedent(SHOP))

    def plan(self) -> dict[str, Any]:
        watch: dict[str, Any] = {"interval": 0.2, "min_requests": 20, "on_inconclusive": self.wish}
        if self.kind == "process":
            watch["metrics"] = [{
                "name": "errors", "events": 'http_requests_total{code=~"5.."}',
                "total": "http_requests_total",
            }]  # fmt: skip
        steps = [{"weight": w, "for": s} for w, s in zip((20, 50), self.seconds, strict=True)]
        return {"rollout": {"steps": steps}, "watch": watch, "deploy": self._deploy(), "team": "shop-team"}

    def _deploy(self) -> dict[str, Any]:
        if self.kind == "command":
            call = f"{sys.executable} town.py world.json"
            words = "'{version}' '{baseline}' '{weight}'"
            actions = ("start", "weight", "promote", "rollback", "observe")
            return {"command": {a: f"{call} {a} {words}" for a in actions}}
        return {
            "process": {
                "run": "{python} " + str(self.root / "service.py") + " {port} {version}", "ready": "/healthz",
                "artifact": str(self.root), "drain_timeout": 1.0, "stop_timeout": 1.0,
            }
        }  # fmt: skip

    def ask(self, version: str) -> str:
        wish = Wish(
            release=ReleaseRef(SERVICE, version), environment=ENVIRONMENT, environments=[ENVIRONMENT],
            plan=self.plan(), policy="none",
        )  # fmt: skip
        return request_deployment(self.workspace.log, wish)

    def start(self, *words: str, machine: str = "") -> subprocess.Popen[bytes]:
        """Start a worker; with ``machine`` one that shares the log and the platform, and no disk."""
        environ = {
            **os.environ,
            "AMENDS_STATE": str(self.root / f"state-{machine}" if machine else self.state),
        }
        with (self.root / "workers.log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, str(WORKER), str(self.root), self.store, *words], stdout=out, stderr=out,
                env=environ,
            )  # fmt: skip
        self.workers.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def settled(self, deployment: str) -> bool:
        d = find_deployment(self.workspace.log, deployment)
        if not d.finished:
            return False
        if d.outcome != "rolled_back":
            return True
        return bool(d.incident) and bool(
            self.workspace.log.facts(tags=(f"incident:{d.incident}",), kinds=("review.revised",))
        )

    def until_settled(self, deployment: str, patience: float = 60.0) -> Deployment:
        end = time.monotonic() + patience
        while not self.settled(deployment):
            if time.monotonic() > end:
                raise AssertionError(f"{deployment} is stuck; the workers told:\n{self.told()[-2000:]}")
            time.sleep(0.05)
        return find_deployment(self.workspace.log, deployment)

    def weights(self, d: Deployment) -> dict[str, int]:
        seen = toolbox(self.workspace).deployer_for(d).observe(SERVICE, ENVIRONMENT)
        return {version: share for version, share in seen.weights.items() if share}

    def told(self) -> str:
        """Return what the workers told, a line for each call: when, who, for which deployment, what."""
        path = self.root / "told.log"
        return path.read_text() if path.exists() else ""

    def first_advance(self, since: float) -> list[float]:
        """Return how long it took since a moment until a worker advanced something, if one did."""
        lines = self.told().splitlines()[-500:]
        later = [at for line in lines if (at := float(line.split()[0])) > since]
        return [min(later) - since] if later else []

    def answer(self, deployment: str) -> None:
        """Be the person who is asked: a good release may go on, a bad one not."""
        d = find_deployment(self.workspace.log, deployment)
        if d.phase is Phase.ASKING:
            bad = d.candidate.version.startswith("bad")
            with contextlib.suppress(NotAllowedError):  # it moved on in this moment
                steer(self.workspace.log, deployment, "aborted" if bad else "approved")

    def await_work(self, since: float, impatient: bool) -> None:
        """Wait until a worker does something, so that none is only ever killed while it starts."""
        end = time.monotonic() + (0.3 if impatient else 20.0)
        while not self.first_advance(since) and time.monotonic() < end:
            time.sleep(0.02)

    def send_traffic(self) -> None:
        """Ask the service for its page, about a hundred times a second, until closed."""
        deployer: Any = toolbox(self.workspace).deployer_for(list_deployments(self.workspace.log)[0])

        def send() -> None:
            while not self._traffic.wait(0.01):
                try:
                    url = deployer.proxy_url(SERVICE, ENVIRONMENT)
                    if url:
                        urllib.request.urlopen(url, timeout=2).read()
                except (urllib.error.URLError, OSError, ValueError):
                    continue

        threading.Thread(target=send, daemon=True).start()

    def close(self) -> None:
        self._traffic.set()
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                self.kill(process)
        if self.kind == "process" and (found := list_deployments(self.workspace.log)):
            deployer: Any = toolbox(self.workspace).deployer_for(found[0])
            deployer.stop_all(SERVICE, ENVIRONMENT)
        self.workspace.close()

    def check(self, figures: Figures) -> None:
        """Add to the figures what does not hold."""
        facts = self.workspace.log.facts()
        told = Counter(_identity(f.kind, f.payload) for f in facts if _identity(f.kind, f.payload))
        figures.duplicates += [f"{what} × {n}" for what, n in told.items() if n > 1]
        confirmed = {
            f.payload.token: f.recorded.recorded_at.timestamp()
            for f in facts
            if isinstance(f.payload, p.ActuationDone) and f.payload.outcome == "done"
        }
        for line in (self.root / "orders.jsonl").read_text().splitlines():
            order = json.loads(line)
            if order["at"] > confirmed.get(order["token"] // 2, float("inf")):
                figures.twice.append(f"{order['action']} {order['token']}")


def _identity(kind: str, said: Any) -> str:
    """What of an event may exist once only."""
    once = {
        "step.started": ("deployment", "step"), "step.concluded": ("deployment", "step"),
        "watch.assessed": ("deployment", "tick"), "deployment.finished": ("deployment",),
        "service.deployed": ("deployment",), "service.upgraded": ("deployment",),
        "service.rolledback": ("deployment",), "quarantine.set": ("deployment",),
        "incident.detected": ("deployment",), "review.revised": ("incident", "revision"),
        "actuation.done": ("deployment", "token", "outcome"),
    }  # fmt: skip
    if kind not in once or getattr(said, "outcome", "") == "extend":
        return ""
    return " ".join([kind, *(str(getattr(said, name)) for name in once[kind])])


def run_campaign(
    root: Path, kind: str, kills: int, seed: int, *, store: str = "", crew: int = 1
) -> Figures:  # fmt: skip
    """Deploy one release after the other, good and bad, while workers (so many at a time) are killed."""
    rig, figures, draw = CrashRig(root, kind, store), Figures(), random.Random(seed)
    try:
        running, deployment, asked = _first_release(rig), "", 0.0
        began, workers = time.time(), [rig.start() for _ in range(crew)]
        while figures.kills < kills or deployment:
            if not deployment:
                figures.deployments += 1
                bad = figures.deployments % 3 == 0
                deployment = rig.ask(f"{'bad' if bad else 'v'}{figures.deployments}")
                asked = time.monotonic()
            if figures.kills < kills:
                rig.await_work(began, draw.random() < 0.2)
                time.sleep(draw.uniform(0.0, 1.5))
                figures.restarts += rig.first_advance(began)
                rig.kill(workers.pop(draw.randrange(crew)))
                figures.kills += 1
                began = time.time()
                workers.append(rig.start())
            else:
                time.sleep(0.1)
            rig.answer(deployment)
            if rig.settled(deployment):
                running = _conclude(rig, figures, deployment, running)
                deployment = ""
            elif time.monotonic() - asked > 240:
                figures.stuck += 1
                break
        rig.check(figures)
        return figures
    finally:
        rig.close()


def _first_release(rig: CrashRig) -> str:
    wish, rig.wish = rig.wish, "promote"
    first, worker = rig.ask("v0"), rig.start()
    rig.until_settled(first)
    rig.kill(worker)
    rig.wish = wish
    if rig.kind == "process":
        rig.send_traffic()
    return "v0"


def _conclude(rig: CrashRig, figures: Figures, deployment: str, running: str) -> str:
    d = find_deployment(rig.workspace.log, deployment)
    version = d.candidate.version
    wanted = ("rolled_back", "aborted") if version.startswith("bad") else ("promoted",)
    after = version if "promoted" in wanted else running
    if d.outcome not in wanted or rig.weights(d) != {after: 100}:
        figures.wrong.append(f"{version}: {d.outcome} ({d.outcome_reason}), {rig.weights(d)}")
        return d.baseline.version if d.baseline and d.outcome != "promoted" else version
    return after


def refused(rig: CrashRig, version: str) -> bool:
    """Whether a quarantined release is turned away."""
    try:
        rig.ask(version)
    except NotAllowedError:
        return True
    return False
