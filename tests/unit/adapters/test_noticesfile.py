"""``notices.yaml`` as the documentation shows it, and where there is none."""

from __future__ import annotations

import re
from pathlib import Path

from amends.adapters.noticesfile import load_notices, parse_notices

DOCS = Path(__file__).parents[3] / "docs"


def test_the_file_that_the_guide_shows_is_sound() -> None:
    text = (DOCS / "how-to/tell-people.md").read_text()
    found = re.search(r"```yaml notices\.yaml\n(.*?)```", text, re.DOTALL)
    assert found
    policy = parse_notices(found[1])
    assert {one.kind for one in policy.audiences.values()} == {
        "team",
        "leadership",
        "dependants",
        "customers",
    }
    assert {name for one in policy.channels.values() for name in one.model_fields_set} == {
        "email", "apprise", "webhook", "status_page",
    }  # fmt: skip


def test_without_a_file_nobody_is_told_by_a_rule(tmp_path: Path) -> None:
    policy = load_notices(tmp_path / "notices.yaml")
    assert policy.escalation == []
    assert set(policy.audiences) == {"team", "leadership", "dependants", "customers"}
    assert not any(one.channels for one in policy.audiences.values())


def test_every_field_is_explained() -> None:
    page = (DOCS / "reference/notices.md").read_text()
    for field in type(parse_notices("")).model_fields:
        assert f"| `{field}` |" in page
