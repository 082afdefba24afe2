"""The only place where adapters are chosen."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amends.adapters.clocks import AcceleratedClock, SystemClock
from amends.adapters.stores import OpenStore, open_store
from amends.application.desk import Desk
from amends.application.log import Log
from amends.application.ports import Clock, CodeHost
from amends.application.reports import SuiteReport
from amends.application.starting import Survey
from amends.config import Settings
from amends.errors import UsageError

if TYPE_CHECKING:
    from amends.gates.policy import LoadedPolicy


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that a command or the server works with."""

    settings: Settings
    opened: OpenStore
    clock: Clock
    log: Log

    def close(self) -> None:
        """Release the store."""
        self.opened.store.close()


def open_clock(settings: Settings) -> Clock:
    """Return the machine's clock, or the accelerated one whose file ``AMENDS_CLOCK`` names."""
    return AcceleratedClock(Path(settings.clock)) if settings.clock else SystemClock()


StoryClock = AcceleratedClock  # what an accelerated story steers; `amends demo` is one


def open_workspace(*, store: str = "", policy: str = "", source: str = "/amends/cli") -> Workspace:
    """Open the log and the clock that options and environment name."""
    settings = Settings.read(os.environ, store=store, policy=policy)
    clock = open_clock(settings)
    opened = open_store(settings.store, token=settings.token)
    log = Log(opened.store, clock, lambda: str(uuid.uuid4()), source)
    return Workspace(settings, opened, clock, log)


def open_desk(workspace: Workspace, *, service: str = "") -> Desk:
    """Return where facts about a service are taken; what is not given comes from the policy file.

    The service may stay empty: some facts need none.
    """
    from amends.adapters.policyfile.names import read_names

    names = read_names(workspace.settings.policy)
    same = not service or service == names.service
    return Desk(
        workspace.log, workspace.opened.people, service or names.service, names.team if same else "",
        policy=str(workspace.settings.policy),
    )  # fmt: skip


def open_code_host(repo: Path) -> CodeHost:
    """Return the git repository at or around a folder."""
    from amends.adapters.codehost import GitHost

    return GitHost(repo)


def read_test_reports(suite: str, files: Sequence[Path]) -> SuiteReport:
    """Read JUnit files as one suite."""
    from amends.adapters.testreports import merge_reports, read_junit

    return merge_reports(suite, [report for file in files for report in read_junit(file)])


def read_exercise(
    coverage: Path | None, inputs: Path | None, *, root: Path
) -> tuple[dict[str, tuple[int, ...]] | None, tuple[str, ...]]:
    """Read covered lines and keys of inputs, from the files that are given."""
    from amends.adapters.testreports import read_coverage, read_inputs

    return read_coverage(coverage, root=root) if coverage else None, read_inputs(inputs) if inputs else ()


def survey_repository(folder: Path) -> Survey:
    """Look at a repository for what its first policy needs."""
    from amends.adapters.codehost.survey import survey_repository as look

    return look(folder)


def check_policy(text: str, path: Path) -> None:
    """Raise ``PolicyError`` unless a text is a policy."""
    from amends.adapters.policyfile import parse_policy

    parse_policy(text, str(path))


def write_new_file(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a file whole or not at all. Raises ``UsageError`` when it is there and ``replace`` is not set."""
    from amends.adapters.policyfile.writing import write_new_file as write

    write(path, text, replace=replace)


def open_policy(path: str = "", *, service: str = "") -> LoadedPolicy:
    """Read the policy that an option or the environment names.

    Raises ``PolicyError`` when it cannot be read as one, ``UsageError`` when it is another service's.
    """
    from amends.adapters.policyfile import load_policy

    loaded = load_policy(Settings.read(os.environ, policy=path).policy)
    if service and service != loaded.policy.service:
        raise UsageError(
            f"this is the policy of {loaded.policy.service}, not of {service}",
            where=loaded.path,
            remedy="leave --service out, or name the policy of that service with --policy FILE",
        )
    return loaded
