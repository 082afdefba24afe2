"""Signatures: read from what Python and pytest really print, compared without lines and prefixes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.events.payloads import Signature
from amends.prevention.signature import (
    describe,
    in_project,
    is_collection_error,
    matches,
    parse_signature,
    pytest_counts,
    signature_of,
    signatures_of,
    untestable_reason,
)

NATIVE = """Traceback (most recent call last):
  File "/srv/app/shop/server.py", line 9, in do_POST
    answer = wrap([])
             ^^^^^^^^
  File "/srv/app/shop/price.py", line 6, in wrap
    return json.loads(text)
  File "/usr/lib/python3.11/json/decoder.py", line 353, in raw_decode
    obj, end = self.scan_once(s, idx)
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
"""
CHAINED = """Traceback (most recent call last):
  File "/srv/app/shop/price.py", line 6, in share
    return 1 // 0
ZeroDivisionError: division by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/shop/server.py", line 3, in quote
    raise QuoteError("odd") from error
shop.errors.QuoteError: odd
"""
LONG = """=================================== FAILURES ===================================
__________________________________ test_total __________________________________

    def test_total():
>       assert total([]) == 0
               ^^^^^^^^^

tests/test_p.py:4:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

items = []

    def total(items):
>       return sum(items) / len(items)
E       ZeroDivisionError: division by zero

app/pricing.py:3: ZeroDivisionError
=========================== short test summary info ============================
FAILED tests/test_p.py::test_total - ZeroDivisionError: division by zero
1 failed in 0.02s
"""
SHORT = """tests/test_p.py:4: in test_total
    assert total([]) == 0
app/pricing.py:3: in total
    return sum(items) / len(items)
E   ZeroDivisionError: division by zero
"""
ASSERTED = """    def test_value():
>       assert total([1]) == 3
E       assert 1.0 == 3
E        +  where 1.0 = total([1])

tests/test_p.py:8: AssertionError
----------------------------- Captured stderr call -----------------------------
Traceback (most recent call last):
  File "/srv/app/shop/price.py", line 6, in share
    return 1 // 0
ZeroDivisionError: division by zero
"""
EXPECTED = Signature(exception="ZeroDivisionError", frame="app/pricing.py:total")


@pytest.mark.parametrize(
    ("output", "exception", "frame"),
    [
        (NATIVE, "json.decoder.JSONDecodeError", "shop/price.py:wrap"),
        (CHAINED, "shop.errors.QuoteError", "shop/server.py:quote"),
        (LONG, "ZeroDivisionError", "app/pricing.py:total"),
        (SHORT, "ZeroDivisionError", "app/pricing.py:total"),
        (ASSERTED, "AssertionError", "tests/test_p.py:test_value"),
        ("KeyError: 'price'", "KeyError", ""),
        ("assert 1 == 2", "AssertionError", ""),
        ("/w/app/pricing.py:3: ValueError: no", "ValueError", "/w/app/pricing.py"),
    ],
)
def test_exception_and_innermost_frame_of_the_project(output: str, exception: str, frame: str) -> None:
    assert signature_of(output, ["/srv/app"]) == Signature(exception=exception, frame=frame)


def test_what_lies_above_a_checkout_of_a_commit_is_cut() -> None:
    text = NATIVE.replace("/srv/app", f"/var/lib/trees/{'a1' * 20}")
    assert signature_of(text) == signature_of(NATIVE, ["/srv/app"])


def test_a_chain_holds_its_cause_too_and_a_captured_traceback_is_found() -> None:
    cause = Signature(exception="ZeroDivisionError", frame="shop/price.py:share")
    assert cause in signatures_of(CHAINED, ["/srv/app"])
    assert cause in signatures_of(ASSERTED, ["/srv/app"])


@pytest.mark.parametrize(
    "output",
    [
        '"GET /quote?cart=1 HTTP/1.1" 500 -',
        "HTTP 500 on /quote",
        "Server error '500 Internal Server Error' for url 'http://shop.example/quote?x=1'",
        "GET /quote -> 500",
    ],
)
def test_status_and_path(output: str) -> None:
    assert signature_of(output) == Signature(status=500, path="/quote")


def test_what_succeeds_has_no_signature() -> None:
    assert signature_of('"GET /quote HTTP/1.1" 200 -\n1 passed in 0.01s') is None


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (Signature(exception="ZeroDivisionError", frame="/worktree/app/pricing.py:total"), True),
        (Signature(exception="ZeroDivisionError", frame="pricing.py:Cart.total"), True),
        (Signature(exception="ZeroDivisionError", frame="other/src/app/pricing.py:total"), True),
        (Signature(exception="ZeroDivisionError", frame="app/pricing.py:subtotal"), False),
        (Signature(exception="ZeroDivisionError", frame="app/rebates.py:total"), False),
        (Signature(exception="ZeroDivisionError"), False),
        (Signature(exception="ImportError", frame="app/pricing.py:total"), False),
    ],
)
def test_lines_and_prefixes_may_differ_nothing_else(found: Signature, same: bool) -> None:
    assert matches(EXPECTED, found) is same


def test_an_empty_expectation_matches_nothing() -> None:
    assert not matches(Signature(), EXPECTED)


def test_status_is_asked_for_only_where_no_exception_is_stated() -> None:
    assert matches(Signature(status=500, path="/quote"), Signature(status=500, path="/quote/"))
    assert not matches(Signature(status=500, path="/quote"), Signature(status=502, path="/quote"))
    assert matches(Signature(exception="KeyError", status=500), Signature(exception="KeyError"))


@pytest.mark.parametrize("code", [2, 3, 4, 5, 127, -9, 137])
def test_exit_codes_that_say_nothing_about_the_code(code: int) -> None:
    assert is_collection_error("", code)


def test_a_red_test_is_testable() -> None:
    assert not is_collection_error(LONG, 1)
    assert not is_collection_error("", 0)


@pytest.mark.parametrize(
    "output",
    [
        "E   ModuleNotFoundError: No module named 'shop'",
        "tests/test_p.py:2: in test_x\n    import nothing\nE   ImportError: cannot import name 'x'",
        "ERROR collecting tests/test_p.py",
        "/usr/bin/python: No module named pytest",
        "______ ERROR at setup of test_x ______\nE   KeyError: 'database'",
    ],
)
def test_what_could_not_be_tried_is_not_red(output: str) -> None:
    assert is_collection_error(output, 1)


def test_an_import_error_is_red_where_it_is_the_failure() -> None:
    output = "app/pricing.py:2: in total\n    import decimals\nE   ImportError: no decimals\n"
    assert untestable_reason(output, 1)
    assert not untestable_reason(output, 1, Signature(exception="ImportError", frame="app/pricing.py:total"))


def test_why_nothing_was_collected_is_said() -> None:
    output = "E   ImportError: cannot import name 'Mapping' from 'collections'\n1 error in 0.48s\n"
    assert "cannot import name 'Mapping'" in untestable_reason(output, 4)
    assert "does not exist" in untestable_reason("ERROR: not found: x.py::y\n", 4)


def test_counts_of_the_last_line() -> None:
    assert pytest_counts("== 1 failed, 2 passed, 3 errors in 0.10s ==") == {
        "failed": 1,
        "passed": 2,
        "error": 3,
    }
    assert pytest_counts("2 passed") == {}


@pytest.mark.parametrize("text", ["ZeroDivisionError in app/pricing.py:total", "500 on /quote", "KeyError"])
def test_what_is_described_is_read_back(text: str) -> None:
    assert describe(parse_signature(text)) == text


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(one.exception in text for one in signatures_of(text))
    assert isinstance(untestable_reason(text, 1), str)


@given(st.integers(1, 9999), st.sampled_from(["", "/srv/", "/tmp/tree/"]))
def test_the_line_and_the_prefix_never_matter(line: int, prefix: str) -> None:
    frame = f'  File "{prefix}app/pricing.py", line {line}, in total'
    text = f"Traceback (most recent call last):\n{frame}\nZeroDivisionError: x"
    found = signature_of(text)
    assert found is not None
    assert matches(EXPECTED, found)


def test_a_frame_is_named_as_the_project_names_its_file() -> None:
    seen = Signature(exception="ZeroDivisionError", frame="/srv/releases/77/shop/pricing.py:share")
    assert in_project(seen, {"shop/pricing.py", "pricing.py"}).frame == "shop/pricing.py:share"
    assert in_project(seen, {"other.py"}).frame == seen.frame
