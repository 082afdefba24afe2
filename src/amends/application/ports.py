"""What amends needs from outside. Every port has one contract suite that each adapter passes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amends.application.rehearsing import Attempt as Attempt
from amends.application.rehearsing import Rehearsal as Rehearsal

if TYPE_CHECKING:
    from amends.application.history import Fault, Remark, Told
    from amends.backtests.deployments import Deployments
    from amends.events.event import Event, Recorded
    from amends.gates.questions import Questions
    from amends.gates.table import EvidenceTable
    from amends.prevention.replay.recorded import Recorded as RecordedRequest
    from amends.prevention.replay.recorded import Reply
    from amends.releases.actuation import Actuation, Observation
    from amends.watch.measurements import Arms, MetricSnapshot
    from amends.watch.plan import MetricSpec


class Clock(Protocol):
    """Where the time comes from. Accelerated stories use another clock, never backdating."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    accelerated: bool  # whether it runs faster than time; pages and reports then say so

    def real_seconds_until(self, moment: datetime) -> float:
        """Return how many real seconds to sleep before looking again whether ``moment`` has come.

        May be shorter than the wait really is (an accelerated clock can change its pace), never longer.
        """

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` of this clock's time pass."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of every stream at one moment, under one root.

    ``root`` is the SHA-256 over the sorted (stream, seq, digest) heads and the previous checkpoint's root.
    """

    at: datetime
    position: int
    heads: Mapping[str, tuple[int, str]]
    previous: str
    root: str


class EventStore(Protocol):
    """The append-only log."""

    def append(
        self, stream: str, events: Sequence[Event], *, recorded_at: datetime, expected: int | None = None
    ) -> list[Recorded]:
        """Append to a stream; all or nothing.

        ``expected`` is the version (number of events) that the caller saw; ``None`` appends whatever it is.
        An event whose (source, id) is in the log with the same body is not written again and its existing
        record is returned; so a retry of the very same append succeeds even with the old ``expected``.

        Raises ``VersionConflictError``, ``EventConflictError`` (same key, another body) or
        ``StoreUnavailableError``.
        """

    def append_many(self, items: Sequence[tuple[str, Event]], *, recorded_at: datetime) -> list[Recorded]:
        """Append events of several streams in one transaction, in this order; for intake and imports."""

    def version(self, stream: str) -> int:
        """Return how many events a stream has; 0 for one that does not exist."""

    def read_stream(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """Return a stream's events with ``seq > after``, in order."""

    def read(
        self, *, tags: Collection[str] = (), kinds: Collection[str] = (), after: int = 0,
        limit: int | None = None, newest_first: bool = False, since: datetime | None = None,
        until: datetime | None = None, before: int | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """Return events by position that carry *any* of ``tags`` and are of *any* of ``kinds``.

        An empty collection does not restrict. ``kinds`` are short names as in ``events.kinds``, or full
        types for events of other kinds. ``after`` is a position; a follower that reads on from the last
        position it saw misses nothing, also with concurrent writers. ``before`` is a position too; only
        events below it count, so that with ``newest_first`` a reader turns one page after another.

        With ``since`` or ``until`` (both included) only events count that carry one of ``tags`` with a
        moment between them: see ``events.tags`` for which tags have one. Raises ``UsageError`` when they are
        given without tags.
        """

    def find(self, event_id: str) -> list[Recorded]:
        """Return the events with this id (one for each source that used it)."""

    def streams(self) -> Mapping[str, tuple[int, str]]:
        """Return every stream's version and last digest."""

    def last_position(self) -> int:
        """Return the position up to which a follower may read; 0 for an empty log."""

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is something after this position, at most ``timeout`` real seconds."""

    def restore(self, records: Iterable[Recorded]) -> int:
        """Write records as they are (place, times, digests) in this order; return how many were new.

        Used by ``amends log import``. Raises ``TamperedLogError`` when a record does not fit its stream.
        """

    def records(self) -> Iterator[Recorded]:
        """Iterate over the whole log in order, in batches; memory stays bounded."""

    def gaps(self) -> list[tuple[int, int]]:
        """Return ranges of positions (both ends included) whose events were taken out.

        Empty where a store leaves out positions by itself (PostgreSQL) or cannot lose one (memory).
        """

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; one that is kept already is not kept twice.

        Raises ``VersionConflictError`` when its ``previous`` is not the last one kept.
        """

    def checkpoints(self) -> list[Checkpoint]:
        """Return the kept checkpoints, oldest first."""

    def close(self) -> None:
        """Release connections and files."""


class EvidenceBuilder(Protocol):
    """Builds evidence tables of many rows from everything that a history holds.

    Each thing that it gives has its own ``words``: compare codes within one, words between them.
    """

    def deployments(self, services: Collection[str], environment: str) -> Deployments:
        """Return every deployment of some services (all, if none is named) to an environment, oldest first.

        A release goes by its version, whatever name its deployment gave it; one that nobody declared has the
        name it was deployed under.
        """

    def build(
        self,
        questions: Questions,
        families: Collection[str],
        *,
        teams: Collection[str] | None = None,
        neighbours: Sequence[tuple[str, str]] = (),
    ) -> EvidenceTable:
        """Return the table with one row for each question, as ``gates.evidence.collect_evidence`` would.

        Only relations of these families are filled, the others are empty; see
        ``gates.evaluate.families_of``. Shifts are those of ``teams``, or of all. ``neighbours`` are the other
        services that gates look at, each with an environment (``Policy.neighbours``).
        """

    def close(self) -> None:
        """Release files and memory."""


class People(Protocol):
    """The one table, outside the chain, that knows who a pseudonym is."""

    def pseudonym(self, login: str) -> str:
        """Return the stable pseudonym of a login, making one at first sight."""

    def pseudonyms(self, logins: Collection[str]) -> dict[str, str]:
        """Return the pseudonyms of many logins, as ``pseudonym`` does for one; for imports."""

    def login(self, pseudonym: str) -> str | None:
        """Return the login, or ``None`` when unknown or forgotten."""

    def forget(self, login: str) -> bool:
        """Drop the mapping; the log still verifies. Return whether there was one."""


class Tokens(Protocol):
    """Access tokens of the server; only their hashes are kept."""

    def issue(self, label: str, *, at: datetime) -> str:
        """Make a token, keep its hash, return it: the only time that it is seen."""

    def check(self, token: str) -> str | None:
        """Return the label of a token, or ``None``."""

    def revoke(self, label: str) -> bool:
        """Forget a token."""

    def any(self) -> bool:
        """Return whether any token exists."""


class Deployer(Protocol):
    """Carries out orders on the real world and reads it back."""

    def actuate(self, order: Actuation) -> Observation:
        """Carry out an order; doing it twice is the same as once.

        Raises ``ActuationRefusedError`` when a newer token was seen, ``ActuationFailedError`` with the
        captured output when it could not be done.
        """

    def observe(self, service: str, environment: str) -> Observation:
        """Read back what really runs."""


class MetricSource(Protocol):
    """Reads cumulative metrics of both arms of a watch."""

    def read(self, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
        """Return what could be read; what could not is in ``problems``, never an error of its own.

        Raises ``PolicyError`` when a selector cannot be read as one.
        """

    def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command run in a worktree gave. ``timed_out`` means that it was ended, not that it failed."""

    exit_code: int
    output: str
    timed_out: bool = False


class Worktree(Protocol):
    """A fresh checkout of one commit, with its own environment; removed by ``close``.

    ``notes`` say what a reader of its results must know, for example that submodules are missing.
    """

    path: Path
    notes: tuple[str, ...]

    def write(self, path: str, text: str) -> None:
        """Write a file inside the worktree."""

    def beside(self, name: str, text: str) -> Path:
        """Write a file outside the worktree that goes with it, and return its place.

        What looks at the whole repository does not find it there.
        """

    def run(self, command: Sequence[str], *, timeout: float) -> CommandResult:
        """Run a command there; on timeout its whole process group is ended."""

    def rehearse(self) -> Rehearsal:
        """Return what makes attempts there, with the worktree's own Python."""

    def close(self) -> None:
        """Remove it, ending a command that another thread runs there."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit, without its author's name: ``author`` and ``trailers`` hold logins to be pseudonymised."""

    sha: str
    title: str
    body: str
    author: str
    committed_at: datetime
    paths: tuple[str, ...]
    lines: int
    parents: tuple[str, ...] = ()


class CodeHost(Protocol):
    """A git repository."""

    def resolve(self, name: str) -> str:
        """Return the full commit of a revision. Raises ``NotFoundError``."""

    def commits(self, since: str, until: str, *, first_parent: bool = False) -> list[CommitInfo]:
        """Return commits reachable from ``until`` and not from ``since``, oldest first.

        ``since`` may be empty. With ``first_parent`` a merge counts as one change with all that it brought.
        """

    def show(self, revision: str, path: str) -> str | None:
        """Return a file at a revision, or ``None``."""

    def owners(self, revision: str, path: str) -> tuple[str, ...]:
        """Return the owners (teams, logins) that CODEOWNERS at a revision gives for a path."""

    def has_owners(self, revision: str) -> bool:
        """Return whether a revision has a CODEOWNERS file at all."""

    def tags_at(self, revision: str) -> tuple[str, ...]:
        """Return the tags that point at a revision, newest version first."""

    def previous_tag(self, revision: str) -> str:
        """Return the nearest tag before a revision; empty when there is none."""

    def contains(self, revision: str, commit: str) -> bool:
        """Return whether a commit is a revision or among its ancestors."""

    def files(self, revision: str) -> tuple[str, ...]:
        """Return every path of a revision."""

    def worktree(self, revision: str, setup: Sequence[str] | None = None) -> Worktree:
        """Make a fresh worktree, outside the user's own tree, which stays untouched.

        ``setup`` is a command that prepares it, in a virtual environment of its own.
        """


class HistoryReader(Protocol):
    """Another system's past."""

    source: str
    """The CloudEvents source of its facts; empty for facts that amends records from there by itself, too."""

    def read(self) -> Iterator[Told | Fault | Remark]:
        """Yield the facts of it, oldest first as far as it knows, and what could not be understood, with its
        place.

        The same history gives the same facts under the same keys. Persons are named by their logins here.
        Raises ``UsageError`` where it cannot be read at all as what it was said to be.
        """


class Spool(Protocol):
    """A note on this machine's disk of what was done while the log could not be reached."""

    def write(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry (plain JSON values, with an ``id``); it is on the disk when this returns.

        Raises ``StoreUnavailableError`` when it cannot be.
        """

    def entries(self) -> list[Mapping[str, Any]]:
        """Return what is kept, in the order in which it was written; a torn last line is left out."""

    def remove(self, ids: Collection[str]) -> None:
        """Forget the entries with these ids."""


class Engine(Protocol):
    """Calls jobs when they are due: one process's own loop, or workers on many machines.

    A job is known by a name and a key (``advance`` and a deployment's id). At most one call of the same
    name and key runs at a time; others run beside it, however slow it is.
    """

    def submit(self, job: str, key: str, *, due: datetime | None = None) -> None:
        """Have a job called at ``due`` (now, if not given), or earlier if it is waiting for an earlier call.

        Asked again while it runs, it is called once more afterwards.
        """

    def run(self, stop: Stop) -> None:
        """Call jobs until told to stop; then let those that run come to their end."""


class Stop(Protocol):
    """What ends an engine, as ``threading.Event`` does."""

    def is_set(self) -> bool:
        """Return whether it is time to end."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until then, at most ``timeout`` seconds."""


class Sender(Protocol):
    """Sends recorded requests to one service, at a bounded rate, from many threads at once."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """By which the service names itself, the longest first."""

    def send(self, request: RecordedRequest) -> Reply:
        """Return what came back, whole or cut, in bounded time; a reply with a ``failure`` if nothing did.

        Goes to this service alone: no redirect is followed, no cookie kept.
        """
