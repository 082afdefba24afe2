"""No secret reaches a capture: generated ones, in every place. Ten thousand are among the slow tests."""

from __future__ import annotations

import pytest

from tests.unit.capture.leaks import Leaks, leaks_among


def test_no_seeded_secret_is_left() -> None:
    found = leaks_among(600, seed=20261123)
    assert found == Leaks(found.seeded, leaked=[], withheld=[])


def test_the_search_finds_a_secret_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amends_capture.redaction.masking.Masker.mask", lambda self, value: value)
    monkeypatch.setattr("amends_capture.writing.leaks", lambda text, secrets: False)
    found = leaks_among(300, seed=1)
    # Of the rest, numbers are masked by another way.
    assert len(found.leaked) > 0.9 * found.seeded
