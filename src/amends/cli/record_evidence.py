"""``amends record``: evidence that gates ask for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amends.cli.desk import Where, moment, recorder

ReleaseArgument = Annotated[
    str, typer.Argument(metavar="RELEASE", help="A version, or a commit or digest that names one")
]
CoverageOption = Annotated[
    Path | None,
    typer.Option("--coverage", metavar="FILE", help="coverage.py's JSON or XML, Cobertura XML or LCOV"),
]
InputsOption = Annotated[
    Path | None,
    typer.Option("--inputs", metavar="FILE", help="Keys of the inputs that it sent, one a line"),
]
RootOption = Annotated[
    Path, typer.Option("--repo", metavar="DIR", help="What paths in coverage are relative to")
]


class Decided(StrEnum):
    """What a replay came to."""

    PASS = "pass"  # noqa: S105 - no password
    BLOCK = "block"
    UNDECIDED = "undecided"
    ERROR = "error"


def add_evidence(app: typer.Typer) -> None:
    """Add the commands of this module to the group."""
    for name, function in (
        ("tests", suite_run), ("coverage", coverage), ("sign-off", sign_off), ("shift", shift),
        ("traffic", traffic), ("edge-case", edge_case), ("replay", replay),
    ):  # fmt: skip
        recorder(app, name)(function)


def suite_run(
    where: Where,
    release: ReleaseArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILE.xml…", help="JUnit reports of the suite")],
    suite: Annotated[str, typer.Option("--suite", metavar="NAME", help="The suite, as the policy calls it")],
    environment: Annotated[
        str, typer.Option("--environment", "--env", metavar="NAME", help="Where it ran")
    ] = "ci",
    digest: Annotated[
        str, typer.Option("--digest", metavar="sha256:…", help="Of the artifact that was tested")
    ] = "",
    coverage: CoverageOption = None,
    inputs: InputsOption = None,
    repo: RootOption = Path(),
) -> None:
    """Record a test run against one exact release, from JUnit XML.

    Every file is read before anything is recorded. Secrets in output are masked.
    """
    from amends.application.recording import record_exercise, record_tests
    from amends.bootstrap import read_exercise, read_test_reports

    report = read_test_reports(suite, files)
    exercised = read_exercise(coverage, inputs, root=repo)
    with where.desk() as desk:
        stamp = where.stamp()
        receipts = [record_tests(desk, release, report, environment=environment, digest=digest, stamp=stamp)]
        if coverage or inputs:
            receipts.append(record_exercise(desk, release, suite, exercised, stamp=stamp.beside("exercise")))
        where.answer(receipts)


def coverage(
    where: Where,
    release: ReleaseArgument,
    suite: Annotated[str, typer.Option("--suite", metavar="NAME", help="The suite that exercised it")],
    coverage: CoverageOption = None,
    inputs: InputsOption = None,
    repo: RootOption = Path(),
) -> None:
    """Record what a suite exercised: without it, a gate that ran cannot be told to have run blind."""
    from amends.application.recording import record_exercise
    from amends.bootstrap import read_exercise

    exercised = read_exercise(coverage, inputs, root=repo)
    with where.desk() as desk:
        where.answer([record_exercise(desk, release, suite, exercised, stamp=where.stamp())])


def sign_off(
    where: Where,
    release: ReleaseArgument,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The role that signs, for example qa")],
    by: Annotated[str, typer.Option("--by", metavar="LOGIN", help="Kept as a pseudonym only")],
    refused: Annotated[
        bool, typer.Option("--refused", help="The release was tried and is not wanted")
    ] = False,
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="Where it was tried")] = "",
    note: Annotated[str, typer.Option("--note", help="What was tried or found")] = "",
) -> None:
    """Record that a role tried the release by hand and granted or refused it."""
    from amends.application.recording import record_sign_off

    with where.desk() as desk:
        receipt = record_sign_off(
            desk, release, role=role, by=by, granted=not refused, environment=environment, note=note,
            stamp=where.stamp(),
        )  # fmt: skip
        where.answer([receipt])


def shift(
    where: Where,
    team: Annotated[str, typer.Argument(metavar="TEAM")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="For example on-call")],
    person: Annotated[str, typer.Option("--person", metavar="LOGIN", help="Kept as a pseudonym only")],
    starts: Annotated[str, typer.Option("--from", metavar="TIME", help="With its offset")],
    ends: Annotated[str, typer.Option("--to", metavar="TIME", help="With its offset")],
    planned: Annotated[
        bool, typer.Option("--planned", help="From a rota: the person has not acknowledged it yet")
    ] = False,
) -> None:
    """Record that someone is on shift and says so."""
    from amends.application.recording import record_shift

    with where.desk(needs_service=False) as desk:
        receipt = record_shift(
            desk, team, role=role, person=person, starts=moment(starts), ends=moment(ends),
            acknowledged=not planned, stamp=where.stamp(),
        )  # fmt: skip
        where.answer([receipt])


def traffic(
    where: Where,
    release: ReleaseArgument,
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="Where it served them")],
    requests: Annotated[int, typer.Option("--requests", min=0, help="How many it served")],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="With its offset")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Default: now")] = "",
) -> None:
    """Record how many requests a release served: time without traffic is no soak."""
    from amends.application.recording import record_traffic

    with where.desk() as desk:
        receipt = record_traffic(
            desk, release, environment=environment, requests=requests, since=moment(since),
            until=moment(until) if until else desk.log.clock.now(), stamp=where.stamp(),
        )  # fmt: skip
        where.answer([receipt])


def edge_case(
    where: Where,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A short name, for example zero-amount")],
    words: Annotated[str, typer.Option("--words", help="What the service must cope with")] = "",
    test: Annotated[
        str, typer.Option("--test", metavar="SELECTOR", help="The test of it: tests/test_x.py::test_y")
    ] = "",
    suite: Annotated[
        str, typer.Option("--suite", metavar="NAME", help="The suite that runs it. Default: any")
    ] = "",
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT", help="What taught it")] = "",
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The role that says so")] = "",
    retire: Annotated[bool, typer.Option("--retire", help="It no longer concerns the service")] = False,
    reason: Annotated[str, typer.Option("--reason", help="With --retire: why")] = "",
) -> None:
    """Document an edge case with the test that guards it, or retire one. The last word counts."""
    from amends.application.edgecases import record_edge_case, retire_edge_case
    from amends.errors import UsageError

    if retire and (words or test or suite or incident):
        raise UsageError(
            "found --retire with what the edge case is", remedy="give --retire with --reason alone"
        )
    with where.desk() as desk:
        if retire:
            receipt = retire_edge_case(desk, name, reason=reason, role=role, stamp=where.stamp())
        else:
            receipt = record_edge_case(
                desk, name, words=words, test=test, suite=suite, incident=incident, role=role,
                stamp=where.stamp(),
            )  # fmt: skip
        where.answer([receipt])


def replay(
    where: Where,
    release: ReleaseArgument,
    decision: Annotated[Decided, typer.Option("--decision", help="What the replay came to")],
    requests: Annotated[int, typer.Option("--requests", min=0, help="How many were replayed")] = 0,
    differences: Annotated[
        int, typer.Option("--differences", min=0, help="Replies that differ and should not")
    ] = 0,
    baseline: Annotated[str, typer.Option("--baseline", metavar="V", help="What it was compared with")] = "",
    reason: Annotated[str, typer.Option("--reason", help="What was found")] = "",
) -> None:
    """Record what a replay of recorded requests found, wherever it ran."""
    from amends.application.recording import record_replay

    with where.desk() as desk:
        receipt = record_replay(
            desk, release, decision=decision.value, baseline=baseline, requests=requests,
            differences=differences, reason=reason, stamp=where.stamp(),
        )  # fmt: skip
        where.answer([receipt])
