"""Instances of a service: detached processes, each with its own directory, found again after anything."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import httpx
import msgspec

from amends.adapters.deployers.control import free_port
from amends.adapters.deployers.fence import slug, write_durably
from amends.adapters.deployers.loopback import client
from amends.adapters.deployers.output import presentable, read_ends
from amends.adapters.deployers.placeholders import fill_arguments
from amends.adapters.deployers.processes import (
    ProcessId,
    clean_environment,
    is_alive,
    leads_session,
    marked,
    signal_all,
    signal_group,
    spawn_detached,
)
from amends.adapters.deployers.settings import ProcessSettings
from amends.adapters.deployers.table import INSTANCES, MARKER
from amends.adapters.deployers.trees import placeholder_values
from amends.errors import ActuationFailedError
from amends.events.prepared import prepare
from amends.releases.actuation import ReleaseRef

_KEEP_RETIRED = 5  # directories of instances that ended, kept for their output


class InstanceRecord(msgspec.Struct, frozen=True):
    """What is known of an instance. ``pid`` 0: its starter was killed before it could write it down."""

    name: str
    version: str
    commit: str
    deployment: str
    tree: str
    url: str
    pid: int = 0
    started: float = 0.0

    def identity(self) -> ProcessId | None:
        """Return the process, when it is known."""
        return ProcessId(self.pid, self.started) if self.pid else None


prepare(InstanceRecord)


class Instances:
    """The instances of one service in one environment.

    Parameters
    ----------
    directory:
        The state directory of the service and environment.
    """

    def __init__(self, settings: ProcessSettings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self._home = directory / INSTANCES

    def alive(self) -> dict[str, InstanceRecord]:
        """Return the instances that run, by name.

        A process whose starter was killed before writing down its pid is found by its mark and adopted.
        """
        records = self.known()
        found = {name: r for name, r in records.items() if is_alive(r.identity())}
        unidentified = {name for name, r in records.items() if not r.pid}
        for name, processes in (self._marked() if unidentified else {}).items():
            first = processes[0]
            if name in unidentified and leads_session(first.pid):
                found[name] = msgspec.structs.replace(records[name], pid=first.pid, started=first.started)
                self._write(found[name])
        return found

    def remaining(self) -> set[str]:
        """Return the names of all instances of which any process is left, be it a child of one that died."""
        return set(self._marked())

    def _marked(self) -> dict[str, list[ProcessId]]:
        return {Path(mark).name: found for mark, found in marked(MARKER, f"{self._home}/").items()}

    def known(self) -> dict[str, InstanceRecord]:
        """Return what is written down, alive or not, by name."""
        records = {}
        for path in self._home.glob("*/instance.json"):
            try:
                record = msgspec.json.decode(path.read_bytes(), type=InstanceRecord)
            except (FileNotFoundError, msgspec.DecodeError):
                continue
            records[record.name] = record
        return records

    def start(self, release: ReleaseRef, environment: str, deployment: str, tree: Path) -> InstanceRecord:
        """Start an instance; it is not ready yet when this returns.

        Raises
        ------
        ActuationFailedError
            The program cannot be started.
        """
        name, home = self._new_home(release)
        port = free_port()
        record = InstanceRecord(
            name, release.version, release.commit, deployment, str(tree), f"http://127.0.0.1:{port}"
        )
        values = {**placeholder_values(release, environment), "port": str(port)}
        argv = fill_arguments(self._settings.run, values, "deploy.process.run")
        self._write(record)
        try:
            process = spawn_detached(
                argv, cwd=tree, env=self._environment(home, values), output=home / "output.log"
            )
        except OSError as error:
            shutil.rmtree(home, ignore_errors=True)
            raise ActuationFailedError(
                f"{release} cannot be started: {error.strerror or error}: {argv[0]}",
                where="deploy.process.run",
                remedy="check that it is installed and spelled right; {python} is amends' own Python",
            ) from error
        record = msgspec.structs.replace(record, pid=process.pid, started=process.started)
        self._write(record)
        return record

    def wait_until_ready(self, record: InstanceRecord, keep_waiting: Callable[[], None]) -> None:
        """Wait until an instance can take traffic.

        Raises
        ------
        ActuationFailedError
            It ended, or did not become ready in time; holds what it printed.
        """
        end = time.monotonic() + self._settings.startup_timeout
        pause = 0.02
        while not self.is_ready(record):
            if not is_alive(record.identity()):
                raise self._not_ready(record, "ended before it was ready")
            if time.monotonic() >= end:
                raise self._not_ready(record, f"was not ready after {self._settings.startup_timeout:g} s")
            keep_waiting()
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def is_ready(self, record: InstanceRecord, timeout: float = 2.0) -> bool:
        """Tell whether an instance runs and answers 2xx on its readiness path."""
        if not record.url or not is_alive(record.identity()):
            return False
        path = self._settings.ready
        try:
            answer = client().get(f"{record.url}/{path.lstrip('/')}", timeout=timeout)
        except httpx.HTTPError as error:
            # Without a readiness path a connection is enough, whatever comes over it.
            return not path and not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        return not path or answer.is_success

    def end(self, record: InstanceRecord) -> None:
        """Stop an instance that never had traffic."""
        process = record.identity()
        if process is not None and is_alive(process):
            signal_group(process.pid, signal.SIGTERM)
            until = time.monotonic() + self._settings.stop_timeout
            while is_alive(process) and time.monotonic() < until:
                time.sleep(0.02)
        signal_all(self._marked().get(record.name, []), signal.SIGKILL)

    def end_remaining(self) -> None:
        """Kill whatever is left of any instance."""
        for processes in self._marked().values():
            signal_all(processes, signal.SIGKILL)

    def put_away(self, keep: Iterable[str]) -> None:
        """Move the directories of instances that ended aside, all but those named in ``keep``."""
        retired = self._directory / "retired"
        retired.mkdir(exist_ok=True)
        for home in [h for h in self._home.glob("*") if h.name not in set(keep)]:
            home.replace(retired / f"{time.time_ns()}-{home.name}")
        for old in sorted(retired.iterdir())[:-_KEEP_RETIRED]:
            shutil.rmtree(old, ignore_errors=True)

    def metrics_url(self, record: InstanceRecord) -> str:
        """Return the address of an instance's exposition, or an empty string."""
        path = self._settings.metrics
        return f"{record.url}/{path.lstrip('/')}" if path and record.url else ""

    def _new_home(self, release: ReleaseRef) -> tuple[str, Path]:
        self._home.mkdir(exist_ok=True)
        name = f"{slug(release.version)}.{time.time_ns():x}"
        home = self._home / name
        home.mkdir()
        return name, home

    def _environment(self, home: Path, values: Mapping[str, str]) -> dict[str, str]:
        # What is meant for amends (its store, its token) is not for the service.
        env = {k: v for k, v in clean_environment({}).items() if not k.startswith("AMENDS_")}
        told = {f"AMENDS_{k.upper()}": v for k, v in values.items() if k not in ("python", "port")}
        return {**env, **told, "PORT": values["port"], **self._settings.env, MARKER: str(home)}

    def _write(self, record: InstanceRecord) -> None:
        write_durably(self._home / record.name / "instance.json", msgspec.json.encode(record))

    def _not_ready(self, record: InstanceRecord, what: str) -> ActuationFailedError:
        log = self._home / record.name / "output.log"
        printed = presentable(read_ends(log), env=clean_environment(self._settings.env))
        return ActuationFailedError(
            f"version {record.version} {what}:\n{printed or '(it printed nothing)'}",
            where=self._settings.run,
            remedy=f"make it answer 2xx on {self._settings.ready or 'its port'}, or raise startup_timeout",
        )
