from __future__ import annotations

import re

from amends.adapters.replaying.page import render_page
from amends.application.replays import Replayed, Services
from amends.gates.replay_plan import Replay
from amends.prevention.replay.causes import group_causes
from amends.prevention.replay.judging import judge
from amends.prevention.replay.notebook import Notebook, Slot
from amends.prevention.replay.recorded import Recorded
from amends.workflows.replaying import Played

EVIL = "<script>alert(1)</script>"


def test_the_page_groups_by_cause_escapes_and_loads_nothing() -> None:
    notebook = Notebook()
    for request in range(160):
        looks = [
            [
                Slot(c, {"status": "200", "body.v": EVIL if c and request < 4 else "1"}, "200")
                for c in [False, True] * n
            ]
            for n in (3, 8)
        ]
        notebook.add(request, looks, 200)
    judged = judge(notebook, Replay())
    inputs = {n: Recorded(f"{EVIL}{n}", "GET", "/x") for n in range(160)}
    played = Played(judged, group_causes(judged.differences, inputs), 3520)
    done = Replayed(played, tuple(one.name for one in inputs.values()), 1, ((EVIL, 2),))
    page = render_page(done, Services("http://old", "http://new"))
    assert "Cause 1: <code>body.v</code>" in page
    assert "4 of 160" in page
    assert EVIL not in page
    assert re.findall(r"(?:src|href)=", page) == []
