"""What a deployer needs to know before it can take an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """The user's own shell commands, one for each action.

    Each command runs through ``/bin/sh -c`` in ``root``. ``{service}``, ``{environment}``, ``{version}``,
    ``{commit}``, ``{digest}``, ``{baseline}``, ``{baseline_commit}``, ``{weight}``, ``{token}`` and
    ``{deployment}`` are replaced, and are also in the environment as ``AMENDS_SERVICE`` and so on; the
    fencing token is ``AMENDS_FENCING_TOKEN``, since ``AMENDS_TOKEN`` opens an amends server.

    Parameters
    ----------
    start, weight, promote, rollback:
        Carry out an action. Each may be run twice for the same order and must then change nothing more.
    observe:
        Prints ``{"weights": {version: per cent}, "instances": [{"name", "version", "url", "metrics_url",
        "alive", "ready"}]}`` as JSON on standard output.
    timeout:
        Seconds after which a command and everything in its process group is killed.
    output_limit:
        Characters of output that are kept; the middle of anything longer is left out.
    """

    start: str = ""
    weight: str = ""
    promote: str = ""
    rollback: str = ""
    observe: str = ""
    timeout: float = 120.0
    root: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)
    output_limit: int = 8000


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How to run versions of a local service behind the weighted proxy.

    Parameters
    ----------
    run:
        Starts one instance, in the version's own directory, without a shell. ``{port}`` is required (or read
        ``PORT`` from the environment); ``{python}``, ``{service}``, ``{environment}``, ``{version}``,
        ``{commit}`` and ``{digest}`` are replaced too.
    repository:
        Git repository from which each commit gets a worktree of its own under the state directory. The user's
        own working tree is never touched.
    artifact:
        Directory of a built version instead, for example ``dist/{version}``; used when not empty.
    prepare:
        Run once in a fresh worktree before its first instance, for example ``uv sync``; the same placeholders
        except ``{port}``.
    ready:
        Path that answers 2xx once the instance can take traffic; empty: a connection is enough.
    metrics:
        Path of the Prometheus exposition; empty: none.
    ports:
        Port of the proxy for each environment; absent or 0: chosen once and recorded.
    startup_timeout, prepare_timeout, drain_timeout, stop_timeout, request_timeout:
        Seconds: until ready; for ``prepare`` and git; for requests in flight when an instance is retired;
        from SIGTERM to SIGKILL; for one proxied request to be answered.
    fresh_baseline:
        Replace the baseline's instance by a new one at START, so that both arms are equally warm.
    keep_trees:
        Worktrees kept after their last instance stopped, so that a rollback need not check out again.
    """

    run: str
    repository: Path | None = None
    artifact: str = ""
    prepare: str = ""
    ready: str = "/healthz"
    metrics: str = "/metrics"
    env: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    startup_timeout: float = 30.0
    prepare_timeout: float = 300.0
    drain_timeout: float = 30.0
    stop_timeout: float = 10.0
    request_timeout: float = 60.0
    fresh_baseline: bool = False
    keep_trees: int = 3
