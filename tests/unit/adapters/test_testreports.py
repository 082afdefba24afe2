"""Reports of test runs, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amends.adapters.testreports import merge_reports, read_coverage, read_inputs, read_junit
from amends.adapters.testreports.junit import BUDGET
from amends.errors import UsageError

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
<testcase classname="tests.test_price.TestShare" name="test_all" file="tests/test_price.py" time="0.1" />
<testcase classname="tests.test_price" name="test_none">
<failure message="ZeroDivisionError: division by zero">
shop/price.py:4: ZeroDivisionError password=hunter2</failure>
<system-out>GET /share 500</system-out></testcase>
<testcase classname="tests.test_price" name="test_setup">
<error message="failed on setup">boom</error></testcase>
<testcase classname="tests.test_price" name="test_later">
<skipped type="pytest.skip" message="later"/></testcase>
</testsuite></testsuites>"""

NESTED = b"""<testsuites tests="3"><testsuite name="outer" tests="3"><testsuite name="a" tests="2">
<testcase name="one"/><testcase name="two"/></testsuite><testsuite name="b" tests="1" failures="2">
<testcase name="three"/></testsuite></testsuite></testsuites>"""


def test_a_pytest_report() -> None:
    (suite,) = read_junit(PYTEST)
    assert (suite.passed, suite.failed, suite.errors, suite.skipped, suite.outcome) == (1, 1, 1, 1, "failure")
    named, failed, _, skipped = suite.cases
    assert named.name == "tests/test_price.py::TestShare::test_all"
    assert failed.message == "ZeroDivisionError: division by zero"
    assert "GET /share 500" in failed.output
    assert "hunter2" not in failed.output
    assert (skipped.outcome, skipped.message) == ("skipped", "later")


def test_nested_suites_count_once_and_a_stated_failure_counts() -> None:
    a, b = read_junit(NESTED)
    assert (a.name, a.passed, a.outcome) == ("a", 2, "success")
    assert (b.name, b.failed, b.outcome) == ("b", 2, "failure")
    merged = merge_reports("unit", [a, b])
    assert (merged.passed, merged.failed, [c.name for c in merged.cases]) == (3, 2, ["one", "two", "three"])


def test_nothing_but_errors_is_an_error() -> None:
    (suite,) = read_junit(
        b"<testsuite><testcase name='x'><error message='cannot collect'/></testcase></testsuite>"
    )
    assert suite.outcome == "error"


def test_output_is_kept_for_failures_first() -> None:
    part = "x" * 3000
    passed = "".join(f"<testcase name='p{n}'><system-out>{part}</system-out></testcase>" for n in range(400))
    failed = f"<testcase name='f'><failure message='m'>{part}</failure></testcase>"
    (suite,) = read_junit(f"<testsuite>{passed}{failed}</testsuite>".encode())
    assert suite.cases[-1].output == part
    assert "left out" in suite.cases[399].output
    assert sum(len(case.output) for case in suite.cases) < BUDGET + 100 * 400


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"Traceback (most recent call last)", "not XML"),
        (b"<!DOCTYPE html><html><body>502</body></html>", "document type"),
        (b"<html><body>502</body></html>", "<html>"),
        (PYTEST[:400], "not XML"),
        (b"<testsuites/>", "no test"),
        (b"<testsuite name='x' tests='0'/>", "no test"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "not XML"),
        (
            b'<!DOCTYPE x [<!ENTITY a ""><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>',
            "document type",
        ),
    ],
)
def test_what_is_no_junit_report_is_refused_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    report = tmp_path / "junit.xml"
    report.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_junit(report)
    assert caught.value.where.startswith(f"{report}:")
    assert caught.value.remedy or "not XML" in said


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_junit(tmp_path / "none.xml")


def lines(*executed: int, missing: list[int] | None = None) -> dict[str, list[int]]:
    return {"executed_lines": list(executed), "missing_lines": missing or []}


def test_coverage_forms_agree(tmp_path: Path) -> None:
    forms = {
        "c.json": json.dumps(
            {"files": {"shop/price.py": lines(3, 1, missing=[2]), "shop/no.py": lines(missing=[1])}}
        ),
        "c.xml": f"""<?xml version="1.0" ?>
<coverage version="7"><sources><source>{tmp_path}</source></sources><packages><package><classes>
<class filename="shop/price.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/>
<line number="3" hits="9"/></lines></class>
<class filename="shop/no.py"><lines><line number="1" hits="0"/></lines></class>
</classes></package></packages></coverage>""",
        "c.info": f"TN:\nSF:{tmp_path}/shop/price.py\nDA:1,1\nDA:2,0\nDA:3,2\nend_of_record\n"
        "SF:shop/no.py\nDA:1,0\n",
    }  # fmt: skip
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        covered, missed = read_coverage(tmp_path / name, root=tmp_path)
        assert covered == {"shop/price.py": (1, 3), "shop/no.py": ()}, name
        assert missed == {"shop/price.py": (2,), "shop/no.py": (1,)}, name


@pytest.mark.parametrize("text", ["nonsense\n", "{}", "{", "<coverage/>", "<testsuite/>", "SF:a\nDA:x,1\n"])
def test_what_is_no_coverage_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_coverage(tmp_path / "c", root=tmp_path)
    assert str(tmp_path / "c") in caught.value.where


def test_inputs_are_one_on_each_line(tmp_path: Path) -> None:
    (tmp_path / "i").write_text("quote:items=0\n\nquote:items=1\nquote:items=0\n")
    assert read_inputs(tmp_path / "i") == ("quote:items=0", "quote:items=1")
