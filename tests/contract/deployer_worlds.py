"""Two real worlds for a deployer: shell commands with their state in a file, processes behind the proxy."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from amends.adapters.deployers.command import CommandDeployer
from amends.adapters.deployers.process import ProcessDeployer
from amends.adapters.deployers.settings import CommandSettings, ProcessSettings
from amends.releases.actuation import Action, Actuation, Observation, ReleaseRef

SERVICE, ENVIRONMENT = "shop", "production"

# Answers with its version; holds /slow/SECONDS; a version "broken…" exits, "deaf…" never answers.
SHOP = """
    import sys, time, os
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    VERSION = "@VERSION@"
    if VERSION.startswith("broken"):
        print("no such table: prices, password=hunter22", flush=True)
        sys.exit(3)
    if VERSION.startswith("deaf"):
        time.sleep(600)
    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536
        disable_nagle_algorithm = True
        def answer(self):
            if self.path.startswith("/slow"):
                time.sleep(float(self.path.split("/")[2]))
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) + f"{VERSION} {os.getpid()}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", f"seen={VERSION}")
            self.end_headers()
            self.wfile.write(body)
        do_GET = do_POST = answer
        def log_message(self, *args):
            pass
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
    Server(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""

# A platform in miniature: which versions run and who has which share, in one JSON file.
PLATFORM = """
    import json, sys, time
    from pathlib import Path
    state, action, version, baseline, weight = Path(sys.argv[1]), *sys.argv[2:6]
    now = json.loads(state.read_text()) if state.exists() else {"weights": {}, "running": []}
    weights, running = now["weights"], set(now["running"])
    if version.startswith("broken") and action == "start":
        print("no such table: prices, password=hunter22")
        sys.exit(3)
    if version.startswith("deaf") and action == "start":
        time.sleep(600)
    if action == "start":
        running |= {version} | ({baseline} if baseline else set())
        weights.setdefault(version, 0)
        if baseline and not any(weights.values()):
            weights[baseline] = 100
    elif action in ("weight", "promote") and version not in running:
        sys.exit(f"{version} does not run")
    elif action == "weight":
        weights = {version: int(weight)} | ({baseline: 100 - int(weight)} if baseline else {})
    elif action == "promote":
        weights, running = {version: 100}, {version}
    elif action == "rollback":
        weights, running = ({baseline: 100}, {baseline}) if baseline else ({}, set())
    if action == "observe":
        print(json.dumps({"weights": weights, "instances": [
            {"name": v, "version": v, "alive": v in running} for v in sorted(running)]}))
    else:
        state.write_text(json.dumps({"weights": weights, "running": sorted(running)}))
        with state.with_suffix(".log").open("a") as log:
            log.write(action + "\\n")
"""


class Deployer(Protocol):
    def actuate(self, order: Actuation) -> Observation: ...

    def observe(self, service: str, environment: str) -> Observation: ...


@dataclass
class World:
    """A deployer with what it works on."""

    deployer: Deployer
    shop: Path
    commits: dict[str, str]

    def release(self, version: str) -> ReleaseRef:
        if version not in self.commits:
            self.commits[version] = commit_version(self.shop, version)
        return ReleaseRef(SERVICE, version, self.commits[version])

    def order(
        self, action: Action, version: str, baseline: str | None, token: int, weight: int = 0
    ) -> Actuation:
        before = self.release(baseline) if baseline else None
        return Actuation(
            action, SERVICE, ENVIRONMENT, f"d-{version}", self.release(version), before, weight, token
        )

    def do(
        self, action: Action, version: str, baseline: str | None, token: int, weight: int = 0
    ) -> Observation:
        return self.deployer.actuate(self.order(action, version, baseline, token, weight))

    def first(self, version: str) -> None:
        """Release a first version, with tokens 1 to 3."""
        self.do(Action.START, version, None, 1)
        self.do(Action.SHIFT, version, None, 2, weight=100)
        self.do(Action.PROMOTE, version, None, 3)

    def look(self) -> Observation:
        return self.deployer.observe(SERVICE, ENVIRONMENT)


def commit_version(repository: Path, version: str) -> str:
    """Commit the shop at ``version`` to a repository, made on first use, and return the commit."""
    if not repository.exists():
        repository.mkdir(parents=True)
        git(repository, "init", "--quiet")
    (repository / "shop.py").write_text(textwrap.dedent(SHOP).replace("@VERSION@", version))
    git(repository, "add", "shop.py")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", version)
    return git(repository, "rev-parse", "HEAD")


def git(repository: Path, *arguments: str) -> str:
    who = ["-c", "user.name=shop", "-c", "user.email=shop@example.org", "-c", "commit.gpgsign=false"]
    argv = ["git", "-C", str(repository), *who, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def process_settings(repository: Path, **changes: object) -> ProcessSettings:
    settings = ProcessSettings(
        run="{python} shop.py {port}",
        repository=repository,
        ready="/",
        startup_timeout=10.0,
        drain_timeout=5.0,
        stop_timeout=5.0,
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


def process_world(root: Path, **changes: object) -> World:
    shop = root / "repository"
    return World(ProcessDeployer(process_settings(shop, **changes), root / "run"), shop, {})


def command_settings(root: Path, **changes: object) -> CommandSettings:
    platform = root / "platform.py"
    platform.write_text(textwrap.dedent(PLATFORM))
    call = f"{sys.executable} {platform} {root / 'state.json'}"
    arguments = "{version} {baseline} {weight}"
    settings = CommandSettings(
        start=f"{call} start {arguments}",
        weight=f"{call} weight {arguments}",
        promote=f"{call} promote {arguments}",
        rollback=f"{call} rollback {arguments}",
        observe=f"{call} observe {arguments}",
        root=root,
        timeout=20.0,
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


def command_world(root: Path, **changes: object) -> World:
    return World(CommandDeployer(command_settings(root, **changes), root / "run"), root / "repository", {})
