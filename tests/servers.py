"""Real servers for tests: found on the machine, started on free loopback ports, stopped without trace.

A test that needs an absent server is skipped with the command that installs it, or fails where
``AMENDS_REQUIRE_SERVERS=1`` says that every server must be there (as the project's own CI does).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class ServerKind:
    """What a server's program may be called, where else it may lie, and what installs it."""

    package: str
    programs: tuple[str, ...]
    folders: tuple[str, ...] = ()


SERVERS = {
    "postgresql": ServerKind("postgresql", ("postgres",), ("/usr/lib/postgresql/*/bin",)),
    "prometheus": ServerKind("prometheus", ("prometheus",)),
    "alertmanager": ServerKind("prometheus-alertmanager", ("prometheus-alertmanager", "alertmanager")),
    "haproxy": ServerKind("haproxy", ("haproxy",), ("/usr/sbin",)),
    "chromium": ServerKind("chromium", ("chromium", "chromium-browser")),
}


def find_server(name: str) -> Path | None:
    """Return the newest program of the server ``name`` (a key of ``SERVERS``), or None."""
    kind = SERVERS[name]
    for program in kind.programs:
        on_path = shutil.which(program)
        if on_path:
            return Path(on_path)
        for pattern in kind.folders:
            found = [path for path in Path("/").glob(f"{pattern.lstrip('/')}/{program}") if path.is_file()]
            if found:
                return max(found, key=lambda path: [int(part) for part in path.parts if part.isdigit()])
    return None


def require_server(name: str) -> Path:
    """Return the program of the server ``name``; without it skip the test, or fail where it is required."""
    program = find_server(name)
    if program is not None:
        return program
    package = SERVERS[name].package
    reason = f"{name} is not installed; `make setup-servers` or `apt-get install {package}` installs it"
    if os.environ.get("AMENDS_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a loopback port that was free a moment ago; whoever binds it must be ready to ask again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent() -> None:
    """For ``preexec_fn``: have the kernel end the child when a killed test run cannot do so itself."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


def _unprivileged_user() -> str | None:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@dataclass
class PostgresServer:
    """A PostgreSQL with a data folder of its own, fsync on, listening on loopback alone.

    ``stop``, ``kill`` and ``start`` keep port and data, so a test can take the store away and give it back.
    """

    binaries: Path
    folder: Path = field(init=False)
    port: int = field(init=False, default=0)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        user = _unprivileged_user()
        # Not pytest's own temporary folder: another user may not enter that.
        self.folder = Path(tempfile.mkdtemp(prefix="amends-postgres-"))
        if user is not None:
            shutil.chown(self.folder, user)
        self._as = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        self._call(
            "initdb", "--pgdata", str(self.folder / "data"), "--username=amends", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip

    @property
    def url(self) -> str:
        """The URL of the server's maintenance database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of one database of this server."""
        return f"postgresql://amends@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers; on a port that somebody took meanwhile, on another one."""
        kept = self.port
        for _ in range(5):
            self.port = kept or free_port()
            if self._start_once():
                return
        raise RuntimeError(
            f"PostgreSQL did not start; its log:\n{self._log.read_text(errors='replace')[-2000:]}"
        )

    def stop(self) -> None:
        """Stop in order; connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop as a power cut would, as far as a process can."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, and whoever is still connected to it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False, **self._as,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stderr}")

    def _start_once(self) -> bool:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self.binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port),
                    "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                ],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent, **self._as,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        self._end(signal.SIGQUIT)
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
