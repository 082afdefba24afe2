"""``amends culprit``: which change brought a failure, also where the test that shows it is flaky."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.options import Format, FormatOption, StoreOption

if TYPE_CHECKING:
    from amends.application.ports import CodeHost
    from amends.prevention.culprit import Rates
    from amends.prevention.search import Question
    from amends.workflows.hunting import Hunt
    from amends.workflows.search import AnyCrew, Outcome

INTERRUPTED = 130
_EXIT_CODES = {"culprit": 0, "flaky": 3, "undecided": 3, "untestable": 4}
_NO_PATHS = ("files", "even")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def culprit(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD…", help="The command that fails.")],
    good: Annotated[str, typer.Option("--good", metavar="REV", help="A revision that passes.")],
    bad: Annotated[str, typer.Option("--bad", metavar="REV", help="A later one that fails.")] = "HEAD",
    prior: Annotated[
        list[str] | None,
        typer.Option(
            "--prior",
            metavar="files|even|PATH",
            help="Suspect changes to the files of the failure's traceback (files, the default), to a file or "
            "folder (repeat it), or all alike (even).",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Runs that go on at a time.")] = 1,
    on_workers: Annotated[
        bool,
        typer.Option("--on-workers", help="Have the runs made by `amends worker --trials` on this log."),
    ] = False,
    with_: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="FILE", help="Bring this file of your tree to each revision; repeat."),
    ] = None,
    setup: Annotated[
        str,
        typer.Option("--setup", metavar="CMD", help="Prepare each worktree, in an environment of its own."),
    ] = "",
    signature: Annotated[
        str,
        typer.Option(
            "--signature",
            metavar="TEXT",
            help="The failure: 'ZeroDivisionError shop/price.py:share'. Default: as the bad end shows it.",
        ),
    ] = "",
    any_failure: Annotated[
        bool, typer.Option("--any-failure", help="Let every failure count, whatever its signature.")
    ] = False,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="Of one run.")] = "5m",
    hang_is_failure: Annotated[
        bool, typer.Option("--hang-is-failure", help="A run that does not end in time is a failure.")
    ] = False,
    false_fail: Annotated[
        float | None,
        typer.Option("--false-fail", min=0, max=0.9, help="About how often it fails without the defect."),
    ] = None,
    false_pass: Annotated[
        float | None,
        typer.Option("--false-pass", min=0, max=0.9, help="About how often it passes with the defect."),
    ] = None,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.5, max=0.9999, help="What a verdict asks for.")
    ] = 0.99,
    tries: Annotated[
        int, typer.Option("--tries", min=1, help="How often the bad end may pass before this gives up.")
    ] = 10,
    max_runs: Annotated[int, typer.Option("--max-runs", min=1, help="At most so many runs in all.")] = 200,
    max_time: Annotated[str, typer.Option("--max-time", metavar="TIME", help="Begin no run after it.")] = "",
    every_commit: Annotated[
        bool, typer.Option("--every-commit", help="Look inside merges, instead of taking each as one change.")
    ] = False,
    repo: Annotated[Path, typer.Option("--repo", metavar="PATH", help="The repository.")] = Path(),
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Where runs are noted. Default: inside .git"),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the runs of an earlier call.")] = False,
    service: Annotated[
        str,
        typer.Option("--service", metavar="NAME", help="Whose gates to tell of. Default: any in the log."),
    ] = "",
    store: StoreOption = "",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Find the change that brought a failure, by runs in fresh worktrees, also where the test is flaky.

    Interrupted, the same call goes on where it was. Exit: 0 culprit, 2 usage, 3 flaky or undecided, 4 could
    not be run, 130 interrupted.
    """
    from dataclasses import replace

    from amends.amendments.selector import parse_selector
    from amends.bootstrap import open_code_host
    from amends.cli.culprit_text import as_data, as_text
    from amends.workflows.hunting import plan_hunt

    host = open_code_host(repo)
    selector = parse_selector(command[0] if len(command) == 1 else shlex.join(command))
    hunt = replace(
        plan_hunt(host, good, bad, selector, every_commit=every_commit), files=_files(with_ or (), repo),
        setup=tuple(shlex.split(setup)), timeout=_seconds(timeout, "--timeout"),
        hang_is_failure=hang_is_failure, expected=_signature(signature),
    )  # fmt: skip
    question = _question(
        hunt, prior or [], any_failure=any_failure, false_fail=false_fail, false_pass=false_pass,
        confidence=confidence, most_runs=max_runs, bad_tries=tries,
    )  # fmt: skip
    with _crew(hunt, store, wanted=on_workers) as crew:
        outcome = _searched(
            host, hunt, question, repo, state, jobs=jobs, fresh=fresh, max_time=max_time, crew=crew
        )
    gates, notes = _history(host, hunt, outcome, service, store, repo)
    told = as_data(hunt, outcome, gates, notes)
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False) if format_ is Format.JSON else as_text(told))
    raise typer.Exit(_EXIT_CODES[outcome.verdict.kind])


def _question(
    hunt: Hunt, prior: list[str], *, false_fail: float | None, false_pass: float | None, **terms: Any
) -> Question:
    from amends.errors import UsageError
    from amends.prevention.culprit import FALSE_FAIL, FALSE_PASS
    from amends.prevention.search import Question

    suspects = tuple(word for word in prior if word not in _NO_PATHS)
    if "even" in prior and len(prior) > 1:
        raise UsageError("found --prior even with another --prior", remedy="leave one of them out")
    if (false_fail or 0) + (false_pass or 0) >= 1:
        raise UsageError(
            f"found --false-fail {false_fail} and --false-pass {false_pass}: such a test tells nothing",
            remedy="the two must add up to less than 1",
        )  # fmt: skip
    return Question(
        tuple(commit.paths for commit in hunt.commits), hunt.expected, suspects=suspects,
        use_files=not prior or "files" in prior, false_fail=_rates(false_fail, FALSE_FAIL),
        false_pass=_rates(false_pass, FALSE_PASS), **terms,
    )  # fmt: skip


def _rates(told: float | None, otherwise: Rates) -> Rates:
    from amends.prevention.culprit import stated

    return otherwise if told is None else stated(told)


def _searched(
    host: CodeHost, hunt: Hunt, question: Question, repo: Path, state: Path | None, *, jobs: int, fresh: bool,
    max_time: str, crew: AnyCrew | None,
) -> Outcome:  # fmt: skip
    from datetime import timedelta

    from amends.bootstrap import open_search_notes, search_clock
    from amends.cli.culprit_text import Watcher
    from amends.workflows.search import search

    place, notes = open_search_notes(repo, hunt.digest(), state, fresh=fresh)
    clock = search_clock()
    until = clock.now() + timedelta(seconds=_seconds(max_time, "--max-time")) if max_time else None
    try:
        with _terminable(), Watcher(hunt, live=sys.stderr.isatty()) as watcher:
            return search(
                host, hunt, question, notes, clock, jobs=jobs, until=until, report=watcher.look,
                where=str(place), crew=crew,
            )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo(f"amends: interrupted; the runs so far are in {place}, the same call goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _crew(hunt: Hunt, store: str, *, wanted: bool) -> Iterator[AnyCrew | None]:
    """Open the log on which workers wait, where runs are theirs to make."""
    if not wanted:
        yield None
        return
    from amends.bootstrap import open_workspace
    from amends.errors import UsageError
    from amends.workflows.trials import FarCrew

    workspace = open_workspace(store=store)
    try:
        if workspace.opened.kind not in ("sqlite", "postgres", "postgresql"):
            raise UsageError(
                f"found a log of the kind {workspace.opened.kind!r}, which no worker can see",
                remedy="name the file or the PostgreSQL database of the workers with --store",
            )
        typer.echo("asks the workers on this log; each needs `amends worker --trials CLONE`", err=True)
        yield FarCrew(workspace.log, hunt, f"{hunt.digest()}-{workspace.log.new_id()[:8]}")
    finally:
        workspace.close()


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a search as Ctrl-C does: with its processes and worktrees gone."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _history(
    host: CodeHost, hunt: Hunt, outcome: Outcome, service: str, store: str, repo: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    notes = [*_notes(hunt, outcome), *_not_brought(host, hunt, outcome, repo)]
    if outcome.verdict.kind != "culprit":
        return [], notes
    from amends.application.queries.gatehistory import gate_history
    from amends.bootstrap import open_existing_log
    from amends.errors import AmendsError, NotFoundError

    def contains(release: str, commit: str) -> bool:
        try:
            return host.contains(release, commit)
        except NotFoundError:
            return False  # a release of another repository, or one that this clone does not have

    try:
        with open_existing_log(store) as log:
            found = hunt.commits[outcome.verdict.candidates[0] - 1].sha
            return (gate_history(log, found, contains, service=service) if log else []), notes
    except AmendsError as error:
        return [], [*notes, f"the log could not be asked for its gates: {error.message}"]


def _notes(hunt: Hunt, outcome: Outcome) -> list[str]:
    notes = [f"{note}; --setup 'git submodule update --init' does" for note in outcome.notes]
    if outcome.resumed:
        notes.append(f"{outcome.resumed} of the runs are of an earlier call; --fresh begins anew")
    other = outcome.standing.other
    if other:
        notes.append(f"{other} runs failed in another way and were left out; --any-failure counts them")
    if outcome.verdict.kind == "culprit":
        commit = hunt.commits[outcome.verdict.candidates[0] - 1]
        if len(commit.parents) > 1:
            notes.append(
                f"it is a merge; look inside with --every-commit, or --good {commit.parents[0][:12]} "
                f"--bad {commit.parents[1][:12]}"
            )
    return notes


def _not_brought(host: CodeHost, hunt: Hunt, outcome: Outcome, repo: Path) -> list[str]:
    """Name the files of the command that the user's tree has and the bad revision has not."""
    if outcome.verdict.kind != "untestable":
        return []
    from amends.bootstrap import repository_top

    top, bad = repository_top(repo), hunt.revision(len(hunt.commits))
    words = {word.partition("::")[0] for word in hunt.command.command} - {path for path, _ in hunt.files}
    return [
        f"{word} is in your tree, but not in the bad revision: bring it along, --with {word}"
        for word in sorted(words)
        if not word.startswith(("/", "-")) and (top / word).is_file() and host.show(bad, word) is None
    ]


def _files(paths: list[Path] | tuple[Path, ...], repo: Path) -> tuple[tuple[str, str], ...]:
    from amends.bootstrap import repository_top
    from amends.errors import UsageError

    found = []
    for path in paths:
        top = repository_top(repo)
        try:
            inside = path.resolve().relative_to(top.resolve())
            found.append((inside.as_posix(), path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"found --with {path}, which cannot be brought along: {error}",
                remedy=f"name a text file inside {top}",
            ) from None
    return tuple(found)


def _signature(text: str) -> Any:
    from amends.errors import UsageError
    from amends.events.payloads import Signature
    from amends.prevention.signature import parse_signature

    found = parse_signature(text)
    if text and found == Signature():
        raise UsageError(
            f"found --signature {text!r}, which is none",
            remedy="give for example 'ZeroDivisionError shop/price.py:share' or '500 /quote'",
        )
    return found


def _seconds(text: str, option: str) -> float:
    from amends.errors import UsageError
    from amends.gates.shape import parse_duration

    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise UsageError(
            f"found {option} {text!r}; {error}", remedy=f"give for example {option} 30m"
        ) from None
