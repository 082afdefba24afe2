"""What filters make of values, and what they never let through."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from amends.web.templating import ago, held, markdown, odds, percent, short, span


class Reader(HTMLParser):
    """Collects what a browser would see as markup."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)


NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (2.5, "2.5 s"), (40, "40 s"), (61, "1 min 1 s"), (90000, "1 d 1 h"), (-75, "-1 min 15 s")],
)
def test_a_span_is_said_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_unknown_times_are_said_to_be_unknown() -> None:
    assert span(None) == "not known"
    assert "not recorded" in ago(None, NOW)
    assert "unknown" in held(None, NOW)


def test_times_carry_their_moment_for_machines() -> None:
    assert 'datetime="2026-03-20T11:59:00+00:00"' in ago(NOW - timedelta(minutes=1), NOW)
    assert ">in 1 min<" in ago(NOW + timedelta(minutes=1), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://elsewhere.example/seen.png)",
        '<img src=x onerror="alert(1)">',
        "<style>body { display: none }</style>",
        "[x]: javascript:alert(1)\n\n[x]",
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    ],
)
def test_nothing_that_acts_or_loads_survives_in_markdown(text: str) -> None:
    reader = Reader()
    reader.feed(str(markdown(text)))
    assert reader.tags <= {"p", "a"}
    assert reader.attributes <= {("rel", "noopener noreferrer")}


def test_a_table_of_markdown_can_be_scrolled_by_keyboard() -> None:
    html = str(markdown("| a |\n|---|\n| b |\n"))
    assert html.count('tabindex="0"') == html.count("<table>") == html.count("</table></div>") == 1


def test_evidence_is_said_as_odds() -> None:
    assert odds(math.log(100)) == "×100"
    assert odds(math.log(1e9)) == "×10^9"
    assert odds(None) == odds(math.inf) == "–"


def test_only_hashes_are_shortened() -> None:
    assert short("ab" * 20) == "ab" * 5
    assert short("a-name-that-is-longer-than-forty-characters-but-no-hash") != "a-name-tha"


def test_a_rate_that_nobody_knows_is_no_zero() -> None:
    assert percent(None) == "–"
    assert percent(0.0) == "0%"
