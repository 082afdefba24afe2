"""The only place where adapters are chosen."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amends.adapters.clocks import AcceleratedClock, SystemClock
from amends.adapters.stores import OpenStore, open_store
from amends.application.log import Log
from amends.bootstrap.carrying import shared_engine as shared_engine
from amends.bootstrap.carrying import stop_local_services as stop_local_services
from amends.bootstrap.carrying import toolbox as toolbox
from amends.bootstrap.searching import open_existing_log as open_existing_log
from amends.bootstrap.searching import open_search_notes as open_search_notes
from amends.bootstrap.searching import repository_top as repository_top
from amends.bootstrap.searching import search_clock as search_clock
from amends.bootstrap.telling import open_office as open_office
from amends.bootstrap.telling import write_status_pages as write_status_pages
from amends.config import Settings
from amends.errors import PolicyError, StoreUnavailableError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from amends.application.backtesting import Priced, Swept
    from amends.application.desk import Desk
    from amends.application.history import Fault, Past
    from amends.application.ports import (
        Clock,
        CodeHost,
        EvidenceBuilder,
        HistoryReader,
    )
    from amends.application.reports import Exercised, SuiteReport
    from amends.application.starting import Survey
    from amends.events.payloads import PolicyAdopted
    from amends.gates.policy import LoadedPolicy
    from amends.incidents.postmortems import Postmortem


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that a command or the server works with."""

    settings: Settings
    opened: OpenStore
    clock: Clock
    log: Log

    def require_log(self) -> None:
        """Raise ``StoreUnavailableError`` where there is no log: nothing must not read as all well."""
        if self.opened.exists():
            return
        address, named = self.settings.store, self.settings.named
        place = "in this database" if "://" in address and self.opened.kind != "sqlite" else f"at {address}"
        raise StoreUnavailableError(
            f"there is no log {place}" + ("" if named else " yet"),
            remedy="check --store and AMENDS_STORE"
            if named
            else "run it where the log is, or name the log with --store; `amends record` and `amends deploy` "
            "begin one",
        )

    def close(self) -> None:
        """Release the store."""
        self.opened.store.close()


def open_clock(settings: Settings) -> Clock:
    """Return the machine's clock, or the accelerated one whose file ``AMENDS_CLOCK`` names."""
    return AcceleratedClock(Path(settings.clock)) if settings.clock else SystemClock()


StoryClock = AcceleratedClock  # what an accelerated story steers; `amends demo` is one


def open_workspace(
    *, store: str = "", policy: str = "", source: str = "/amends/cli", reading: bool = False
) -> Workspace:
    """Open the log and the clock that options and environment name.

    With ``reading`` a log that was named must be there; the default one may still have to begin.
    """
    settings = Settings.read(os.environ, store=store, policy=policy)
    clock = open_clock(settings)
    opened = open_store(settings.store, token=settings.token)
    log = Log(opened.store, clock, lambda: str(uuid.uuid4()), source)
    workspace = Workspace(settings, opened, clock, log)
    if reading and settings.named:
        workspace.require_log()
    return workspace


def open_desk(workspace: Workspace, *, service: str = "") -> Desk:
    """Return where facts about a service are taken; what is not given comes from the policy file.

    The service may stay empty: some facts need none.
    """
    from amends.adapters.policyfile.names import read_names
    from amends.application.desk import Desk

    names = read_names(workspace.settings.policy)
    same = not service or service == names.service
    return Desk(
        workspace.log, workspace.opened.people, service or names.service, names.team if same else "",
        policy=str(workspace.settings.policy), environments=names.environments if same else (),
    )  # fmt: skip


def open_code_host(repo: Path, *, setup: Sequence[str] = (), python: str = "") -> CodeHost:
    """Return the git repository at or around a folder.

    ``setup`` prepares each of its worktrees, in an environment made by ``python``.
    """
    from amends.adapters.codehost import GitHost

    return GitHost(repo, setup=setup or None, python=python)


def write_into_repository(repo: Path, path: str, text: str, *, replace: bool = False) -> Path:
    """Write a new file into the user's working tree and return its place.

    Raises ``UsageError`` when it is there already and ``replace`` is not set, or the repository has no tree.
    """
    place = place_in_repository(repo, path, replace=replace)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_new_file(place, text, replace=replace)
    return place


def place_in_repository(repo: Path, path: str, *, replace: bool = False) -> Path:
    """Return where a new file would stand. Raises ``UsageError`` as ``write_into_repository`` does."""
    from amends.adapters.codehost import GitHost

    top = GitHost(repo).top().resolve()
    place = (top / path).resolve()
    if not (top / ".git").exists():
        raise UsageError(f"{top} has no working tree", remedy="name a clone of it with --repo DIR")
    if not place.is_relative_to(top):
        raise UsageError(
            f"found the path {path!r}, which leads out of the repository",
            remedy="give a path relative to the repository, without ..",
        )
    if place.exists() and not replace:
        raise UsageError(
            "the file is there already", where=str(place),
            remedy="give the test another name (--name, --test), or replace it with --replace",
        )  # fmt: skip
    return place


def read_test_reports(suite: str, files: Sequence[Path]) -> SuiteReport:
    """Read JUnit files as one suite."""
    from amends.adapters.testreports import merge_reports, read_junit

    return merge_reports(suite, [report for file in files for report in read_junit(file)])


def read_gate(text: str, path: str) -> dict[str, Any]:
    """Read a gate that stands alone in a file."""
    from amends.adapters.policyfile import parse_gate

    return parse_gate(text, path)


def read_exercise(coverage: Path | None, inputs: Path | None, *, root: Path) -> Exercised:
    """Read covered and missed lines and keys of inputs, from the files that are given."""
    from amends.adapters.testreports import read_coverage, read_inputs
    from amends.application.reports import Exercised

    covered, missed = read_coverage(coverage, root=root) if coverage else (None, {})
    return Exercised(covered, missed, read_inputs(inputs) if inputs else ())


def open_history(past: Past) -> HistoryReader:
    """Return the reader of another system's past."""
    from amends.adapters.histories import open_history as reader_of

    return reader_of(past)


def read_postmortems(files: Sequence[Path], zone: tzinfo | None) -> Iterator[tuple[Path, Postmortem | Fault]]:
    """Read post-mortems without recording anything."""
    from amends.adapters.histories.postmortem import read_files

    return read_files(files, zone)


def survey_repository(folder: Path) -> Survey:
    """Look at a repository for what its first policy needs."""
    from amends.adapters.codehost.survey import survey_repository as look

    return look(folder)


def check_policy(text: str, path: Path) -> None:
    """Raise ``PolicyError`` unless a text is a policy."""
    from amends.adapters.policyfile import parse_policy

    parse_policy(text, str(path))


def add_policy_gate(text: str, environment: str, entry: Mapping[str, Any], because: str) -> str:
    """Return a policy's text with one more gate, everything else as it was."""
    from amends.adapters.policyfile import add_gate

    return add_gate(text, environment, entry, because)


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


def adopt_policy_of(desk: Desk) -> tuple[str, ...]:
    """Have the log hold the policy of a desk's service, where it is there; return what keeps it from that.

    A policy that cannot be read keeps nobody from recording what happened.
    """
    from amends.adapters.policyfile import load_policy
    from amends.application.deploying import adopt_policy

    path = Path(desk.policy)
    if not path.exists():
        return ()
    try:
        loaded = load_policy(path)
    except PolicyError as error:
        return (f"whether its gates were passed cannot be told: {error.where or path}: {error.message}",)
    if loaded.policy.service == desk.service:
        adopt_policy(desk.log, loaded)
    return ()


def heed_policy(workspace: Workspace) -> None:
    """Have the log hold the policy of the workspace, where there is one, so that its rules count."""
    if workspace.settings.policy.exists():
        adopt_policy_of(open_desk(workspace))


def policy_path() -> Path:
    """Return the policy file that the environment names, or ``amends.yaml``."""
    return Settings.read(os.environ).policy


def open_policy_version(name: str, *, service: str = "", store: str = "") -> LoadedPolicy:
    """Read one version of a policy, to be compared; see ``adapters.policyfile.versions``.

    ``adopted`` means the policy of ``service`` in the log of ``store``.
    """
    from amends.adapters.policyfile.versions import read_version
    from amends.application.policies import last_adopted

    def adopted(digest: str) -> PolicyAdopted:
        workspace = open_workspace(store=store, reading=True)
        try:
            return last_adopted(workspace.log, service, digest)
        finally:
            workspace.close()

    return read_version(name, adopted)


def policies_in_use(workspace: Workspace) -> dict[str, LoadedPolicy]:
    """Return the policy of each service: that of the policy file, then each service's last one in the log."""
    from amends.adapters.policyfile.adopted import last_adopted

    found = last_adopted(workspace.log)
    if not workspace.settings.policy.exists():
        return found
    loaded = open_policy(str(workspace.settings.policy))
    return {loaded.policy.service: loaded} | {k: v for k, v in found.items() if k != loaded.policy.service}


def open_evidence(workspace: Workspace) -> EvidenceBuilder:
    """Return the evidence of a workspace's log in bulk, brought up to date; kept in the state directory."""
    from amends.adapters.evidence.opening import open_kept

    return open_kept(workspace.settings.state_dir, workspace.settings.store, workspace.opened.store)


def open_histories(files: Sequence[Path]) -> AbstractContextManager[tuple[Log, EvidenceBuilder]]:
    """Take in what ``amends log export`` wrote, as a log with its evidence. Raises ``UsageError``."""
    from amends.adapters.evidence.opening import open_files

    return open_files(files)


def backtest_body(priced: Priced | None, swept: Swept | None = None, *, links: bool = False) -> str:
    """Return a backtest, a sweep, or both as a fragment of a page; with links to the pages of a server."""
    from amends.adapters.backtestpage import render_body

    return render_body(priced, swept, links=links)


def backtest_file(priced: Priced | None, swept: Swept | None = None) -> str:
    """Return a backtest, a sweep, or both as one HTML file that needs nothing else."""
    from amends.adapters.backtestpage import render_file

    return render_file(priced, swept)
