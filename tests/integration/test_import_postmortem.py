"""Post-mortems imported by the command line, and shown like any other incident."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Amends = Callable[..., tuple[int, str, str]]
SHARED = Path(os.environ.get("AMENDS_SHARED", Path(__file__).parents[3] / "shared")) / "data/postmortems"
TEXT = """# Search was down

All times in {zone}.

## Timeline

- 2024-05-02 14:03 Outage begins after a bad release, says jo@example.org
- 14:05 Alert fires
- 14:31 Rolled back, service is back to normal

## Action items
- Test empty queries
"""


def take(amends: Amends, file: Path, *words: str) -> dict[str, dict[str, dict[str, int]]]:
    code, out, err = amends(
        "import", "postmortem", str(file), "--service", "search", "--format", "json", *words
    )
    assert code == 0, out + err
    found: dict[str, dict[str, dict[str, int]]] = json.loads(out)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "search.md"
    file.write_text(TEXT.format(zone="UTC"), "utf-8")
    return file


def shown(amends: Amends) -> dict[str, object]:
    _, out, _ = amends("incident", "list", "--format", "json")
    (incident,) = json.loads(out)
    _, out, _ = amends("incident", "show", incident["incident"], "--format", "json")
    found: dict[str, object] = json.loads(out)
    return found


def test_the_incident_shows_its_lines_with_where_they_stand(amends: Amends, file: Path) -> None:
    take(amends, file)
    found = shown(amends)
    assert found["state"] == "resolved"
    milestones = {m["name"]: (m["at"], m["source"]) for m in found["milestones"] if m["at"]}  # type: ignore[attr-defined]
    assert milestones["started"] == ("2024-05-02T14:03:00Z", "search.md:7")
    texts = " ".join(line["text"] for line in found["timeline"])  # type: ignore[attr-defined]
    assert "Alert fires (search.md:8)" in texts
    assert "example.org" not in texts
    assert "Test empty queries" in json.dumps(found["postmortem"])


def test_again_adds_nothing(amends: Amends, file: Path) -> None:
    first = take(amends, file)["facts"]
    second = take(amends, file)["facts"]
    assert sum(kind["new"] for kind in first.values()) == 10
    assert sum(kind["new"] + kind["otherwise"] for kind in second.values()) == 0


def test_without_a_zone_it_is_reported_until_one_is_given(amends: Amends, file: Path) -> None:
    file.write_text(TEXT.format(zone="our office"), "utf-8")
    code, out, _ = amends("import", "postmortem", str(file), "--service", "search", "--format", "json")
    assert (code, [f["fault"] for f in json.loads(out)["faults"]]) == (4, ["no-zone"])
    take(amends, file, "--timezone", "Europe/Berlin")
    started = [m for m in shown(amends)["milestones"] if m["name"] == "started"]  # type: ignore[attr-defined]
    assert started[0]["at"] == "2024-05-02T12:03:00Z"


def test_a_dry_run_records_nothing_and_says_which_files_it_cannot_read(amends: Amends, file: Path) -> None:
    code, out, err = amends(
        "import", "postmortem", str(file), "not-there.md", "--dry-run", "--format", "json"
    )
    assert (code, json.loads(out)["file"]) == (0, str(file))
    assert "not-there.md" in err
    assert amends("incident", "list", "--format", "json")[1].strip() == "[]"
    assert amends("import", "postmortem", "not-there.md", "--dry-run")[0] == 4


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="no data beside the repository; AMENDS_SHARED names the folder that holds `data`",
)
def test_public_post_mortems_are_read_well_enough(amends: Amends) -> None:
    found = {}
    for file in sorted(SHARED.glob("*.md")):
        code, out, err = amends("import", "postmortem", str(file), "--dry-run", "--format", "json")
        assert code == 0, err
        found[file.name] = json.loads(out)
    right = given = 0
    for line in (SHARED / "truth.jsonl").read_text("utf-8").splitlines():
        truth = json.loads(line)
        for name, reading in found[truth["file"]]["milestones"].items():
            if reading and reading["at"]:
                given += 1
                right += truth[name] == reading["at"]
    assert given >= 40
    assert right / given >= 0.85
