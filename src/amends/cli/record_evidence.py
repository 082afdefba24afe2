"""``amends record``: evidence that gates ask for."""

from __future__ import annotations

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


def add_evidence(app: typer.Typer) -> None:
    """Add the commands of this module to the group."""
    for name, function in (
        ("tests", suite_run), ("coverage", coverage), ("sign-off", sign_off), ("shift", shift),
        ("traffic", traffic),
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
        receipts = [record_tests(desk, release, report, environment=environment, stamp=stamp)]
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
