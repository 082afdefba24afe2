"""A written test parses, is formatted, imports what it needs, and no capture brings code into it."""

from __future__ import annotations

import ast
import builtins
import datetime
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amends.events.payloads import Signature
from amends.prevention.captures import Call, Request
from amends.prevention.commandfailure import CommandFailure
from amends.prevention.literals import flat, literal
from amends.prevention.oracle import Oracle
from amends.prevention.subjects import (
    AppSubject,
    CallSubject,
    CommandSubject,
    ServiceSubject,
    Subject,
    attempt_source,
    preparation,
)
from amends.prevention.testtext import Story, test_name, write_test
from amends.prevention.typed import Instance, Member, Reference, Row

STORY = Story("test_it", 'an "empty" basket\n"""\nimport os', "KeyError in a.py:f", "INC-1", "c-1", "1.4.0")
REQUEST = Request("POST", "/share/{who}", (("q", 'a "b"'),), (("x-a", "1"), ("host", "h")), {"people": []})
CALL = CallSubject(Call("shop.price:Cart.share", (1, "x"), {"who": None}))
LONG = {"lines": [{"amount": n, "note": "words " * 4} for n in range(3)], "at": datetime.date(2026, 3, 2)}
ODD = [
    Instance("shop.carts:Cart", {"items": [Decimal("1.5")]}), Member("shop.kinds:Kind", "GIFT"),
    Row("shop.geo:Point", (1, 2)), Reference("builtins:dict"), {1, 2}, frozenset(), float("nan"),
    b"\0'\"", (1,),
]  # fmt: skip
SUBJECTS: list[Subject] = [
    CALL, CallSubject(Call("shop.price:test_me", (LONG,)), "awaited"),
    CallSubject(Call("m:f", tuple(ODD)), "walked"),
    AppSubject(REQUEST, "shop.web:app", "asgi"), AppSubject(REQUEST, "shop.web:make()", "wsgi"),
    ServiceSubject(REQUEST, ("python", "-m", "shop", "{port}"), env={"A": "b"}, ready="/healthz"),
    CommandSubject(("sh", "-c", "cat {input}"), 'a"b\n' * 40, ".txt"),
]  # fmt: skip
ORACLES = [
    Oracle(), Oracle("raises", "fix", name="ValueError"),
    Oracle("raises", "fix", name="shop.errors.CartError"),
    Oracle("value", "person", places=(((), LONG),)), Oracle("status", "fix", status=422),
    Oracle("value", "fix", places=((("a", 0), None), (("b",), 1.5))),
]  # fmt: skip


def text_of(subject: Subject, oracle: Oracle) -> str:
    return write_test(
        subject, subject.parts, oracle, STORY, fix="abc123", expected=Signature(status=404, path="/share"),
        failure=CommandFailure(3, 'stray "%" at #'),
    )  # fmt: skip


def every() -> list[str]:
    return [text_of(subject, oracle) for subject in SUBJECTS for oracle in ORACLES]


def unbound(text: str) -> set[str]:
    """Return names that are read and never made: a missing import, for example."""
    tree = ast.parse(text)
    made: set[str] = set(dir(builtins)) | {"__file__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            made.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - made


def test_every_text_parses_has_one_test_and_misses_no_import() -> None:
    for text in every():
        tests = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and "test" in n.name]
        assert tests == ["test_it"]
        assert unbound(text) == set()
        assert ast.get_docstring(ast.parse(text), clean=False).startswith("INC-1: an 'empty' basket")  # type: ignore[union-attr]


def test_every_text_is_formatted_as_ruff_would(tmp_path: Any) -> None:
    for number, text in enumerate(every()):
        (tmp_path / f"t{number}.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
    rules = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F",
        "--no-cache",
        str(tmp_path),
    ]
    assert subprocess.run(rules, capture_output=True, text=True, check=False).returncode == 0


def test_what_is_rehearsed_parses_and_misses_no_import() -> None:
    for subject in SUBJECTS:
        if not isinstance(subject, CommandSubject):
            assert unbound(preparation(subject) + attempt_source(subject, subject.parts)) == set()


def test_a_text_tells_incident_sizes_and_whose_word_the_oracle_is() -> None:
    story = Story(
        "test_it", "nobody shares", "KeyError", "INC-7", "c-9", "1.4.0", "The input was reduced: …", 2
    )
    told = write_test(CALL, CALL.parts, ORACLES[3], story)
    for words in (
        "INC-7: nobody shares.",
        "c-9",
        "1.4.0",
        "reduced",
        "2 of its values were redacted",
        "by a person",
    ):
        assert words in told.replace("\n", " ")
    assert "the fix's (abc123)" in text_of(CALL, ORACLES[1]).replace("\n", " ")


def test_a_request_loses_what_the_client_sets_anew() -> None:
    assert AppSubject(REQUEST, "m:a", "asgi").parts["headers"] == [("x-a", "1")]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("An empty basket!", "test_an_empty_basket"), ("", "test_captured_failure"), ("a/../b\n", "test_a_b"),
        ("one two three four five six seven eight nine ten", "test_one_two_three_four_five_six_seven_eight"),
        ("ünïcode only: ß", "test_n_code_only"),
    ],
)  # fmt: skip
def test_a_name_comes_from_words(words: str, name: str) -> None:
    assert test_name(words) == name


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.dates()
    | st.decimals(allow_nan=False) | st.floats(allow_nan=False) | st.datetimes() | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=15,
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_a_literal_is_the_value_on_one_line_and_on_many(value: Any) -> None:
    for source in (literal(value, indent=4), literal(value, indent=70)):
        names: dict[str, Any] = {}
        exec("\n".join(source.imports), names)
        assert eval(source.text.strip(), names) == value
    assert "\n" not in flat(value)
