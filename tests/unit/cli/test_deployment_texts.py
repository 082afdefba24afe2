"""How a deployment is told: news once, to a program every line."""

from __future__ import annotations

import pytest

from amends.cli.deployment_texts import Teller

DID = ["watches step 1", "watch: too little", "watches step 1", "watch: too little", "watch: errors rise"]


@pytest.mark.parametrize(("json_lines", "lines"), [(False, 3), (True, 5)])
def test_a_person_hears_the_same_look_once(
    json_lines: bool, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    teller = Teller(json_lines=json_lines)
    for did in DID:
        teller.step("dep-1", did)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == lines
    assert "errors rise" in printed[-1]
