"""The picture of a posterior."""

from __future__ import annotations

from amends.cli.culprit_text import marks, percent, picture
from amends.prevention.search import Run


def test_the_picture_has_a_column_for_each_change_or_sums_them() -> None:
    assert picture([0.0, 0.25, 0.5, 0.25], 80) == " ▄█▄"
    wide = picture([0.0] * 500 + [1.0] + [0.0] * 499, 40)
    assert len(wide) == 40
    assert wide.count("█") == 1
    assert wide.strip() == "█"


def test_what_is_improbable_is_still_seen() -> None:
    assert picture([0.99, 0.01], 2) == "█▁"


def test_marks_say_where_it_was_run_and_what_it_gave() -> None:
    runs = [Run(0, "green"), Run(2, "red"), Run(3, "untestable"), Run(4, "red"), Run(4, "green")]
    assert marks(runs, 4, 80) == "ox-*"
    assert marks([], 4, 2) == "  "


def test_nothing_uncertain_is_called_certain() -> None:
    assert percent(0.99996) == ">99.9%"
    assert percent(0.9912) == "99.1%"
