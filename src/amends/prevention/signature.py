"""How a failure is recognised again: from a test runner's or a service's output to a signature.

A signature is the exception's type and the innermost frame inside the project, without its line (lines move
between releases), or an HTTP status with its path. Python's own tracebacks (chained ones too), pytest's long
and short styles, JUnit messages and access-log lines are read. Asking for the signature, not for the whole
message, keeps a reduction from stalling and still refuses a test that is red for another reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from amends.events.payloads import Signature
from amends.prevention.tracebacks import Failure, bare_exceptions, native_failures, pytest_failures

_FOREIGN = re.compile(
    r"(^|/)(site-packages|dist-packages|lib/python\d[\d.]*|\.venv|\.tox|\.nox|_pytest|pluggy)(/|$)|^<"
)

_METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
_ACCESS = re.compile(
    rf'\b(?:{_METHODS})\s+(?P<path>\S+?)(?:\s+HTTP/[\d.]+)?"?\s*(?:->|→|:|=>|-)?\s*(?P<status>[1-5]\d\d)\b'
)
_STATUS_FIRST = re.compile(r"\bHTTP(?:/[\d.]+)?\s+(?P<status>[1-5]\d\d)\b[^\n]*?\s(?P<path>/\S*)")
_FOR_URL = re.compile(r"\b(?P<status>[45]\d\d)\b[^\n]{0,60}? for url:? '?(?P<path>\S+?)'?(?:\s|$)")
_STATUS_ONLY = re.compile(r"\bHTTP(?: Error)? (?P<status>[45]\d\d)\b")


def signature_of(output: str, roots: Sequence[str] = ()) -> Signature | None:
    """Return the signature of the failure that ``output`` ends in, or ``None`` when there is none.

    ``roots`` are directories that count as the project (worktree, container path); they are cut from the
    front of frames. A frame under none of them is in the project unless it lies in an installed library.
    """
    found = signatures_of(output, roots)
    return found[0] if found else None


def signatures_of(output: str, roots: Sequence[str] = ()) -> tuple[Signature, ...]:
    """Return every signature in ``output``, the one that ended the run first.

    A test that calls a service may end in its own assertion while the captured log holds the service's
    traceback: both are here.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    pytest = list(pytest_failures(lines))
    native = list(native_failures(lines))
    ordered = [*reversed(pytest), *reversed(native)] or list(bare_exceptions(lines))
    found = [_signature(failure, roots, ordered) for failure in ordered]
    answers = list(_answers(output))
    return tuple(dict.fromkeys([*found, *answers]))


def project_files(output: str, roots: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the project's files in ``output``'s tracebacks: the last one's innermost frame first."""
    lines = [line.rstrip() for line in output.splitlines()]
    failures = [*reversed(list(pytest_failures(lines))), *reversed(list(native_failures(lines)))]
    named = (_in_project(frame.path, roots) for failure in failures for frame in reversed(failure.frames))
    return tuple(dict.fromkeys(path for path in named if path))


def matches(expected: Signature, found: Signature) -> bool:
    """Return whether ``found`` is the failure that ``expected`` describes.

    Only what ``expected`` states is asked for. An exception or a frame decides where stated; status, path
    and field decide otherwise. Module prefixes of exceptions, class prefixes of functions and prefixes of
    paths may differ; lines are in neither. An empty ``expected`` matches nothing.
    """
    if expected.exception or expected.frame:
        return _same_exception(expected.exception, found.exception) and _same_frame(
            expected.frame, found.frame
        )
    if expected.status is None and not expected.path and not expected.field:
        return False
    return (
        (expected.status is None or expected.status == found.status)
        and (not expected.path or _route(expected.path) == _route(found.path))
        and (not expected.field or expected.field == found.field)
    )


def is_foreign(path: str) -> bool:
    """Return whether a file belongs to an installed library or to Python itself."""
    return bool(_FOREIGN.search(path.replace("\\", "/")))


def in_project(signature: Signature, files: Collection[str]) -> Signature:
    """Return the signature with its frame as the project names the file.

    A service's traceback names the path where it was installed; the longest end of it that is one of
    ``files`` (paths from the repository's root) is kept. A frame that matches none stays as it is.
    """
    path, colon, function = signature.frame.rpartition(":")
    parts = path.replace("\\", "/").split("/")
    for start in range(len(parts)):
        candidate = "/".join(parts[start:])
        if colon and candidate in files:
            return msgspec.structs.replace(signature, frame=f"{candidate}:{function}")
    return signature


def describe(signature: Signature) -> str:
    """Say a signature in a few words: ``ZeroDivisionError in shop/price.py:share``, ``500 on /quote``."""
    parts = []
    if signature.exception or signature.frame:
        name = signature.exception or "an exception"
        parts.append(f"{name} in {signature.frame}" if signature.frame else name)
    if signature.status is not None:
        parts.append(f"{signature.status} on {signature.path}" if signature.path else f"{signature.status}")
    elif signature.path:
        parts.append(signature.path)
    if signature.field:
        parts.append(f"field {signature.field}")
    return ", ".join(parts) or "no signature"


def parse_signature(text: str) -> Signature:
    """Read what a person writes for a signature.

    ``ZeroDivisionError shop/price.py:share`` (either part alone will do) or ``500 /quote``. Anything else
    comes back as an empty signature.
    """
    stated: dict[str, str | int] = {}
    for word in text.replace(" in ", " ").replace(" on ", " ").split():
        if re.fullmatch(r"[1-5]\d\d", word):
            stated["status"] = int(word)
        elif word.startswith("/") and ":" not in word:
            stated["path"] = word
        elif re.fullmatch(r"\S+\.\w+:[\w.<>]+", word):
            stated["frame"] = word
        elif re.fullmatch(r"[A-Za-z_][\w.]*", word):
            stated["exception"] = word
    return Signature(**stated)  # type: ignore[arg-type]


# --- tests that could not be tried ----------------------------------------------------------------------

_EXIT_REASONS = {
    2: "the run was interrupted, as pytest does when it cannot collect",
    3: "the test runner had an internal error",
    4: "the test runner did not understand the command, or the test does not exist",
    5: "no test was collected",
    126: "the command cannot be executed",
    127: "the command was not found",
}
_COLLECTION_MARKS = (
    re.compile(r"^ERROR collecting |^_+ ERROR collecting ", re.M),
    re.compile(r"^ImportError while (?:importing test module|loading conftest)", re.M),
    re.compile(r"unittest\.loader\._FailedTest"),
    re.compile(r"\berrors? during collection\b"),
    re.compile(r"^ModuleNotFoundError: No module named", re.M),
    re.compile(r"^\S*python\S*: No module named ", re.M),
    re.compile(r"^E\s+ModuleNotFoundError: No module named", re.M),
)
_NOT_IMPORTED = re.compile(r"^(?:E\s+)?(ImportError|ModuleNotFoundError): ([^\n]+)", re.M)
_IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError")


def is_collection_error(output: str, exit_code: int) -> bool:
    """Return whether a run failed before the test could say anything. See ``untestable_reason``."""
    return bool(untestable_reason(output, exit_code))


def untestable_reason(output: str, exit_code: int, expected: Signature | None = None) -> str:
    """Return why a run is no evidence, or an empty text when it is.

    pytest's exit codes 2 to 5 (https://docs.pytest.org/en/stable/reference/exit-codes.html), a shell's 126
    and 127, a process ended by a signal, errors while collecting or importing, errors while a fixture is
    set up, and an import error inside the test itself, unless an import error is what ``expected`` says.
    """
    if exit_code == 0:
        return ""
    missing = _NOT_IMPORTED.search(output) if exit_code in (2, 4) else None
    if missing is not None:
        told = f"{missing[1]}: {missing[2].strip()[:200]}"
        return f"red through {told}: something could not be imported, which is not the failure"
    if exit_code in _EXIT_REASONS:
        return f"{_EXIT_REASONS[exit_code]} (exit code {exit_code})"
    if exit_code < 0 or exit_code > 128:
        return f"the process was ended from outside (exit code {exit_code})"
    first = signature_of(output)
    wanted = bool(expected and _last(expected.exception) in _IMPORT_ERRORS)
    if not wanted and first is not None and _last(first.exception) in _IMPORT_ERRORS:
        return f"red through {first.exception}: something could not be imported, which is not the failure"
    if not wanted and any(mark.search(output) for mark in _COLLECTION_MARKS):
        return "the test could not be collected or imported"
    if re.search(r"^_+ ERROR at setup of ", output, re.M):
        return "the test's fixtures could not be set up"
    return ""


_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b")


def pytest_counts(output: str) -> dict[str, int]:
    """Read pytest's last line (``1 failed, 2 passed in 0.1s``) as counts; empty when there is none."""
    for line in reversed(output.splitlines()):
        found = _COUNT.findall(line)
        if found and re.search(r" in [\d.]+s", line):
            return {name.removesuffix("s") if name == "errors" else name: int(n) for n, name in found}
    return {}


# --- reading -------------------------------------------------------------------------------------------


def _answers(output: str) -> Iterator[Signature]:
    for pattern in (_ACCESS, _STATUS_FIRST, _FOR_URL):
        for found in pattern.finditer(output):
            if int(found["status"]) >= 400:
                yield Signature(status=int(found["status"]), path=_route(found["path"]))
    for found in _STATUS_ONLY.finditer(output):
        yield Signature(status=int(found["status"]))


def _signature(failure: Failure, roots: Sequence[str], others: Sequence[Failure]) -> Signature:
    """Take the innermost in-project frame; a wrapper raised outside the project borrows its cause's."""
    for candidate in (failure, *(other for other in others if other is not failure and not failure.frames)):
        for frame in reversed(candidate.frames):
            path = _in_project(frame.path, roots)
            if path:
                return Signature(exception=failure.exception, frame=f"{path}:{frame.function}".rstrip(":"))
    return Signature(exception=failure.exception)


def _in_project(path: str, roots: Sequence[str]) -> str:
    clean = path.replace("\\", "/")
    for root in roots:
        prefix = root.replace("\\", "/").rstrip("/") + "/"
        if clean.startswith(prefix):
            inside = clean[len(prefix) :]
            return "" if _FOREIGN.search(inside) else inside
    if _FOREIGN.search(clean):
        return ""
    # A folder named by a whole commit is a checkout: what lies above it says nothing about the project.
    return re.split(r"/[0-9a-f]{40}/", clean)[-1].removeprefix("./")


# --- comparing ------------------------------------------------------------------------------------------


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _same_exception(expected: str, found: str) -> bool:
    return not expected or _last(expected) == _last(found)


def _same_frame(expected: str, found: str) -> bool:
    if not expected:
        return True
    if not found:
        return False
    path, function = _split(expected)
    other, name = _split(found)
    return same_path(path, other) and (not function or not name or _last(function) == _last(name))


def _split(frame: str) -> tuple[str, str]:
    path, colon, function = frame.rpartition(":")
    return (path, function) if colon and "/" not in function else (frame, "")


def same_path(first: str, second: str) -> bool:
    """Return whether two paths name the same file under different prefixes.

    One is the end of the other, or the last two parts agree (``/app/shop/price.py``, ``src/shop/price.py``).
    """
    one = [part for part in first.replace("\\", "/").split("/") if part not in ("", ".")]
    two = [part for part in second.replace("\\", "/").split("/") if part not in ("", ".")]
    if not one or not two:
        return False
    shorter = min(len(one), len(two))
    return one[-shorter:] == two[-shorter:] or (shorter >= 2 and one[-2:] == two[-2:])


def _route(path: str) -> str:
    """Cut scheme, host and query: the path alone."""
    return urlsplit(path).path.rstrip("/") or "/"
