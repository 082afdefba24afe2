"""What is taken for a page of metrics, and what is refused before anybody watches by it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from amends.application.pushing import take_push
from amends.errors import UsageError

GROUP = {"service": "shop", "environment": "production", "release": "1.4.0", "instance": "pod-1"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Kept:
    """Pages as a list."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def put(self, page, *, forget: datetime) -> None:
        self.texts.append(page.text)

    def latest(self, service, environment, releases):
        return []


@pytest.mark.parametrize(
    "text",
    [
        "up 1\n",
        '# HELP r Requests.\n# TYPE r counter\nr_total{code="500",path="/a b"} 3 1774000000\n',
        "queue_length NaN\n",
        "# TYPE requests counter\n",
        "load -0.5\n",
    ],
)
def test_a_page_is_kept_as_it_came(text: str) -> None:
    kept = Kept()
    take_push(kept, GROUP, text.encode(), "text/plain", NOW)
    assert kept.texts == [text]


@pytest.mark.parametrize(
    "text", ["", "  \n", "garbage {{{", "<html><body>no</body></html>", '{"up": 1}', "up 1\0"]
)
def test_what_is_no_page_is_refused_at_the_door(text: str) -> None:
    kept = Kept()
    with pytest.raises(UsageError, match="no page of metrics"):
        take_push(kept, GROUP, text.encode(), "text/plain", NOW)
    assert kept.texts == []
