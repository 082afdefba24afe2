"""Past test runs from JUnit reports: each of one release, at the time that the report states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

from amends.adapters.histories.cells import CellError, read_time
from amends.adapters.testreports import merge_reports, read_junit
from amends.adapters.testreports.xml import parse_xml
from amends.application.history import Fault, JUnitPast, Remark, Told
from amends.application.reports import SuiteReport
from amends.errors import UsageError
from amends.events import payloads as p
from amends.releases.catalogue import bare_name

RELEASE_PROPERTIES = ("release", "version", "commit", "git.commit", "git.sha", "revision")
"""Properties of a report by which it may say itself what it tested, the first that is there."""

_PLACES = {"{release}": r"(?P<release>[^/]+)", "{suite}": r"(?P<suite>[^/]+)", "*": r"[^/]*"}
_PLACE = re.compile(r"\{release\}|\{suite\}|\*")


class JUnitHistory:
    """Reads reports, in the order of their paths; a folder stands for the ``.xml`` files in it."""

    source = "/amends/import/junit"

    def __init__(self, past: JUnitPast) -> None:
        self._past = past
        self._path = _pattern(past.pattern) if past.pattern else None

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``."""
        for file in _files(self._past.files):
            yield from self._report(file)

    def _report(self, file: Path) -> Iterator[Told | Fault]:
        try:
            content = file.read_bytes()
            reports = read_junit(content, where=str(file))
            root = parse_xml(content, str(file), "a JUnit report")
        except UsageError as error:
            yield Fault("not-junit", error.where or str(file), error.message, error.remedy)
            return
        except OSError as error:
            yield Fault("unreadable", str(file), f"the report cannot be read: {error.strerror}")
            return
        named = self._path.search(file.as_posix()) if self._path else None
        found = named.groupdict() if named else {}
        release = self._past.release or found.get("release") or _stated_release(root)
        if not release:
            yield Fault(
                "no-release", f"{file}:1", "nothing says which release was tested; left out",
                "give --release, or --pattern 'ci/{release}/{suite}.xml', or write it as a property of the "
                "report",
            )  # fmt: skip
            return
        yield from self._suites(
            file, root, reports, bare_name(self._past.service, release), found.get("suite", "")
        )

    def _suites(
        self, file: Path, root: Element, reports: list[SuiteReport], release: str, suite: str
    ) -> Iterator[Told | Fault]:
        name = self._past.suite or suite
        runs = [merge_reports(name, reports)] if name else _by_name(reports)
        ended, fault = self._ended(file, root)
        if ended is None:
            if fault:
                yield fault
            return
        for run in runs:
            if not run.name:
                yield Fault("no-suite", f"{file}:1", "nothing names the suite; left out", "give --suite NAME")
                continue
            payload = p.SuiteFinished(
                service=self._past.service, release=release, suite=run.name, outcome=run.outcome,
                environment=self._past.environment, passed=run.passed, failed=run.failed, errors=run.errors,
                skipped=run.skipped, cases=run.cases,
            )  # fmt: skip
            key = (self._past.service, release, run.name, self._past.environment, run.digest)
            yield Told("testsuiterun.finished", payload, key, ended, ended, str(file))

    def _ended(self, file: Path, root: Element) -> tuple[datetime | None, Fault | None]:
        """Return when the last of the suites ended, and what is wrong with that."""
        found: list[datetime] = []
        for suite in root.iter("testsuite"):
            stated = (suite.get("timestamp") or "").strip()
            if not stated:
                continue
            try:
                found.append(read_time(stated, self._past.zone) + timedelta(seconds=_seconds(suite)))
            except (CellError, OverflowError) as error:
                remedy = error.remedy if isinstance(error, CellError) else "mend the time"
                message = f"timestamp: {error}; left out"
                return None, Fault(getattr(error, "fault", "not-a-time"), f"{file}:1", message, remedy)
        if not found:
            return None, Fault(
                "no-time", f"{file}:1", "the report does not say when it ran; left out",
                "have the runner write a timestamp, or use `amends record tests` as it runs",
            )  # fmt: skip
        return max(found), None


def _seconds(suite: Element) -> float:
    try:
        return max(0.0, float((suite.get("time") or "0").replace(",", "")))
    except ValueError:
        return 0.0


def _stated_release(root: Element) -> str:
    stated = {
        (one.get("name") or "").lower(): (one.get("value") or one.text or "").strip()
        for one in root.iter("property")
    }
    return next((stated[name] for name in RELEASE_PROPERTIES if stated.get(name)), "")


def _by_name(reports: list[SuiteReport]) -> list[SuiteReport]:
    names = dict.fromkeys(report.name for report in reports)
    return [merge_reports(name, [one for one in reports if one.name == name]) for name in names]


def _files(paths: Sequence[Path]) -> Iterator[Path]:

    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.xml"))
        else:
            yield path


def _pattern(text: str) -> re.Pattern[str]:
    if "{release}" not in text and "{suite}" not in text:
        raise UsageError(
            f"found the pattern {text!r}, which names neither {{release}} nor {{suite}}",
            remedy="for example 'ci/{release}/{suite}.xml'",
        )
    parts, at = [], 0
    for hit in _PLACE.finditer(text):
        parts += [re.escape(text[at : hit.start()]), _PLACES[hit[0]]]
        at = hit.end()
    try:
        return re.compile("(?:^|/)" + "".join(parts) + re.escape(text[at:]) + "$")
    except re.error:
        raise UsageError(
            f"found the pattern {text!r}; {{release}} and {{suite}} stand once at most",
            remedy="name each once",
        ) from None
