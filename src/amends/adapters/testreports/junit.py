"""JUnit XML, as pytest, Maven, Gradle, Jest, Go's and Rust's tools write it, read with junitparser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import junitparser

from amends.adapters.testreports.xml import parse_xml, read_bytes
from amends.application.reports import SuiteReport
from amends.errors import UsageError
from amends.events.payloads import TestCase
from amends.events.redaction import cut, redact

MESSAGE_LIMIT = 500
OUTPUT_LIMIT = 4_000
BUDGET = 1_000_000  # characters of output kept for one report, failed tests first
_BEFORE_MASKING = 256 * 1024  # masking goes first, so that cutting never splits a secret past recognition
_WHAT = "a JUnit report (pytest --junitxml=FILE, or your runner's JUnit reporter)"


def read_junit(report: Path | bytes, *, where: str = "") -> list[SuiteReport]:
    """Read a JUnit report; one ``SuiteReport`` for each suite that has tests of its own, nested ones too.

    Secrets in messages and output are masked. Where a suite states more failures or errors than it lists,
    its statement counts. Raises ``UsageError`` with file:line for what is no JUnit report, is cut short, or
    holds no test: nothing that ran is no success.
    """
    place = where or (str(report) if isinstance(report, Path) else "report")
    content = read_bytes(report) if isinstance(report, Path) else report
    root = parse_xml(content, place, _WHAT)
    if root.tag not in ("testsuite", "testsuites"):
        raise UsageError(
            f"found <{root.tag}>; allowed are <testsuites> and <testsuite>",
            where=f"{place}:1",
            remedy=f"give {_WHAT}",
        )
    digest = hashlib.sha256(content).hexdigest()
    # fromroot takes any ElementTree element, whatever its annotation says
    tops: Iterable[Any] = junitparser.JUnitXml.fromroot(root)  # type: ignore[arg-type]
    found = [_suite(suite, digest) for top in tops for suite in _flat(top)]
    found = [suite for suite in found if suite.cases or suite.failed or suite.errors]
    if not found:
        raise UsageError(
            "the report holds no test", where=f"{place}:1",
            remedy="check what the test run selected; nothing that ran is recorded as a success",
        )  # fmt: skip
    return found


def merge_reports(name: str, reports: Iterable[SuiteReport]) -> SuiteReport:
    """Make one suite of several: counts added, cases in order, output cut to the budget."""
    parts = list(reports)
    digests = sorted({part.digest for part in parts})
    return SuiteReport(
        name=name, passed=sum(r.passed for r in parts), failed=sum(r.failed for r in parts),
        errors=sum(r.errors for r in parts), skipped=sum(r.skipped for r in parts),
        cases=_within_budget([case for part in parts for case in part.cases]),
        digest=digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest(),
    )  # fmt: skip


def _flat(suite: Any) -> Iterator[Any]:
    yield suite
    for inner in suite.testsuites():
        yield from _flat(inner)


def _suite(suite: Any, digest: str) -> SuiteReport:
    cases = _within_budget([_case(case) for case in suite.iterchildren(suite.testcase)])
    count = {outcome: sum(c.outcome == outcome for c in cases) for outcome in _OUTCOMES}
    # A suite that contains others repeats their counts; only one without may state more than it lists.
    alone = next(iter(suite.testsuites()), None) is None
    stated = {"failed": _number(suite, "failures"), "error": _number(suite, "errors")} if alone else {}
    return SuiteReport(
        name=str(suite.name or ""), passed=count["passed"],
        failed=max(count["failed"], stated.get("failed", 0)),
        errors=max(count["error"], stated.get("error", 0)),
        skipped=count["skipped"], cases=cases, digest=digest,
    )  # fmt: skip


_OUTCOMES = ("passed", "failed", "error", "skipped")


def _case(case: Any) -> TestCase:
    results = list(case.result)
    outcome, told = "passed", None
    kinds = ((junitparser.Error, "error"), (junitparser.Failure, "failed"), (junitparser.Skipped, "skipped"))
    for kind, word in kinds:
        told = next((result for result in results if isinstance(result, kind)), None)
        if told is not None:
            outcome = word
            break
    parts = [told.text if told is not None else "", case.system_out, case.system_err]
    classname, file = str(case.classname or ""), case._elem.get("file") or ""
    return TestCase(
        name=_full_name(str(case.name or ""), classname, file),
        outcome=outcome,  # type: ignore[arg-type]
        classname=classname, file=file,
        message=_safe((told.message or told.type or "") if told is not None else "", MESSAGE_LIMIT),
        output=_safe("\n".join(part.strip("\n") for part in parts if part), OUTPUT_LIMIT),
    )  # fmt: skip


def _full_name(name: str, classname: str, file: str) -> str:
    """Return pytest's own id where the report says enough to know it, the plain name otherwise."""
    module = ".".join(PurePosixPath(file.removesuffix(".py")).parts)
    if not file.endswith(".py") or not (classname == module or classname.startswith(f"{module}.")):
        return name
    return "::".join([file, *classname.removeprefix(module).strip(".").split("."), name]).replace(
        "::::", "::"
    )


def _safe(text: str, limit: int) -> str:
    return cut(redact(cut(text, _BEFORE_MASKING)), limit)


def _number(suite: Any, attribute: str) -> int:
    value = suite._elem.get(attribute) or "0"
    return int(value) if value.isdecimal() else 0


def _within_budget(cases: list[TestCase]) -> tuple[TestCase, ...]:
    """Drop output beyond the budget, that of passed tests first; what is dropped is said."""
    left = BUDGET
    kept: dict[int, TestCase] = {}
    order = sorted(range(len(cases)), key=lambda n: cases[n].outcome not in ("failed", "error"))
    for number in order:
        case = cases[number]
        if len(case.output) > left:
            case = TestCase(
                name=case.name, outcome=case.outcome, classname=case.classname, file=case.file,
                message=case.message, output="[output left out: the report is too large]",
            )  # fmt: skip
        left -= len(case.output)
        kept[number] = case
    return tuple(kept[number] for number in range(len(cases)))
