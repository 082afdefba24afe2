"""What is read of whole post-mortems, in the forms that organisations publish them."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from amends.incidents.postmortems import Postmortem, read_postmortem
from amends.incidents.postmortems.facts import MILESTONES

LIST = """# Search was down, 2024-05-02

The outage lasted 28 minutes.

## Timeline (all times UTC)

- 14:00 Release 7 is deployed
- 14:03 **OUTAGE BEGINS**, searches are failing
- 14:05 Alert on error rate fires, on-call is paged
- 14:10 Incident declared
- 14:20 @jo rolls back to release 6
- 14:31 Service is back to normal
- 15:00 Incident closed

## Action items

- [x] Add a test for empty queries
- [ ] Alert earlier
  - perhaps at 1%
"""


def said(found: Postmortem) -> dict[str, str]:
    return {
        name: f"{one.at:%H:%M}" if one.at else f"{one.earliest:%H:%M}-{one.latest:%H:%M}"
        for name, one in found.milestones.items()
    }


def read(text: str, name: str = "a.md") -> Postmortem:
    return read_postmortem(name, text.encode())


def test_a_list_gives_milestones_with_their_lines() -> None:
    found = read(LIST)
    assert said(found) == {
        "started": "14:03", "detected": "14:05", "declared": "14:10", "mitigated": "14:20-14:31",
        "resolved": "15:00",
    }  # fmt: skip
    assert found.milestones["declared"].line == 10
    assert found.milestones["started"].at is not None
    assert found.milestones["started"].at.isoformat() == "2024-05-02T14:03:00+00:00"


def test_actions_are_the_top_items_with_what_is_done() -> None:
    assert [(a.text, a.line, a.done) for a in read(LIST).action_items] == [
        ("Add a test for empty queries", 17, True), ("Alert earlier", 18, False),
    ]  # fmt: skip


def test_handles_name_nobody() -> None:
    assert [line.text for line in read(LIST).timeline if "rolls" in line.text] == [
        "somebody rolls back to release 6"
    ]


def test_what_is_not_said_is_not_there() -> None:
    found = read("# A day\n\nWe had a nice day and wrote about it.\n").to_json()
    assert found["milestones"] == dict.fromkeys(MILESTONES)
    assert (found["trigger"], found["detection"], found["action_items"]) == (None, None, [])
    assert found["rollback"]["attempted"] is None


def test_a_table_in_html_reads_like_one_in_markdown_and_its_script_is_silent() -> None:
    rows = "".join(
        f"<tr>\n<td>{at}</td><td>{what}</td></tr>\n"
        for at, what in (("09:00", "Errors start"), ("09:04", "Alarm fires"), ("09:30", "Service restored"))
    )
    found = read(
        "<html><head><script>document.write('- 08:00 outage begins')</script></head><body>"
        f"<h1>Outage of 3 March 2024</h1>\n<h2>Timeline</h2>\n"
        f"<table><tr><th>Time (CET)</th><th>Event</th></tr>\n{rows}"
        "</table><ul onclick='x()'><li>loose</li></ul></body></html>",
        "a.html",
    )
    assert said(found) == {"started": "09:00", "detected": "09:04", "mitigated": "09:30", "resolved": "09:30"}
    assert [line.line for line in found.timeline] == [4, 6, 8]
    assert found.timeline[0].at.tzinfo == timezone(timedelta(hours=1))


def test_a_status_page_lists_the_newest_first() -> None:
    found = read(
        "# API errors\n\n**Resolved** - This incident has been resolved.\nJul 5, 2023 - 14:30 UTC\n\n"
        "**Monitoring** - A fix has been implemented.\nJul 5, 2023 - 14:02 UTC\n\n"
        "**Investigating** - We are investigating elevated error rates.\nJul 5, 2023 - 13:22 UTC\n"
    )
    assert [f"{line.at:%H:%M}" for line in found.timeline] == ["13:22", "14:02", "14:30"]
    assert said(found)["detected"] == "13:22"
    assert said(found)["resolved"] == "14:30"


def test_prose_alone_gives_what_its_sentences_say() -> None:
    found = read(
        "Outage of 1 June 2023\n\nAt 10:00 UTC the API went down. By 10:40 UTC it was fully recovered.\n",
        "a.txt",
    )
    assert said(found) == {"started": "10:00", "mitigated": "10:40", "resolved": "10:40"}


def test_a_night_passes_and_a_line_out_of_order_does_not_make_one() -> None:
    found = read(
        "# 2024-05-02\n## Timeline\nAll times in UTC\n- 23:50 Errors start\n- 23:40 A note\n"
        "- 00:20 Service restored\n"
    )
    assert [f"{line.at:%d %H:%M}" for line in found.timeline] == ["02 23:50", "02 23:40", "03 00:20"]
    assert [(c.kind, c.lines) for c in found.contradictions] == [("times run backwards", (4, 5))]


def test_without_date_or_zone_nothing_is_made_up() -> None:
    undated = read("# Outage\n## Timeline\n- 10:00 UTC Errors start\n- 10:30 UTC Service restored\n")
    assert undated.timeline == ()
    assert "2 timeline lines have no date" in undated.doubts[0]
    bare = read("# Outage 2024-05-02\n## Timeline\n- 10:00 Errors start\n- 10:30 Service restored\n")
    assert bare.to_json()["milestones"]["started"]["at"] == "2024-05-02T10:00"
    assert bare.milestones["started"].confidence < read(LIST).milestones["started"].confidence


def test_a_date_in_the_files_name_is_the_last_resort() -> None:
    found = read("# Outage\n## Timeline\n- 10:00 UTC Errors start\n- 10:30 UTC Over\n", "2024-05-02-x.md")
    assert [f"{line.at:%Y-%m-%d}" for line in found.timeline] == ["2024-05-02"] * 2
    assert found.doubts == ("the date is that of the file's name",)


def test_named_times_outweigh_and_a_stated_duration_is_checked() -> None:
    found = read(
        "# X\n- **Start time**: 2024-05-02 14:03 CEST\n- **Detected at**: 2024-05-02 14:11 CEST\n"
        "- **Resolved**: 2024-05-02 15:20 CEST\n- **Time to detect**: 15 minutes\n"
    )
    assert said(found) == {"started": "14:03", "detected": "14:11", "resolved": "15:20"}
    assert [c.text for c in found.contradictions] == [
        "time to detect is stated as 15 min; the times give 8 min"
    ]


def test_milestones_in_an_impossible_order_are_shown_and_become_an_interval() -> None:
    found = read(
        "# X\n## Timeline (UTC)\n- 2024-05-02 23:04 Outage starts\n"
        "- 2024-05-02 02:50 On-call notices the outage\n"
        "- 2024-05-02 03:10 Outage ends\n"
    )
    assert found.milestones["started"].at is None
    assert {c.kind for c in found.contradictions} == {"order", "times run backwards"}


def test_a_document_of_several_incidents_gives_each_its_own() -> None:
    one = "### Timeline\n- 10:00 UTC Errors start\n- 10:30 UTC Service restored\n"
    found = read(f"# Two outages\n## May 2, 2024 - first\n{one}\n## May 9, 2024 - second\n{one}")
    assert found.milestones == {}
    assert [f"{part.milestones['started'].at:%m-%d}" for part in found.parts] == ["05-02", "05-09"]


@pytest.mark.parametrize(
    "sentence",
    [
        "This does not resolve the issue", "Believing the issue to be resolved, work resumes",
        "We hope that service will be restored soon", "Attempt to fix the problem", "Partial recovery seen",
        "Rollback fails due to permissions",
    ],
)  # fmt: skip
def test_hopes_and_failures_end_no_outage(sentence: str) -> None:
    found = read(f"# X 2024-05-02\n## Timeline (UTC)\n- 10:00 Outage begins\n- 10:30 {sentence}\n")
    assert set(found.milestones) == {"started"}


def test_a_recurrence_days_later_is_not_the_end() -> None:
    found = read(
        "# X\n## Timeline (UTC)\n- 2024-05-02 10:00 Errors start\n- 2024-05-02 11:00 Service restored\n"
        "- 2024-05-12 09:00 It happens once more\n- 2024-05-12 09:30 Service restored\n"
    )
    assert f"{found.milestones['resolved'].at:%d}" == "02"


@pytest.mark.parametrize(
    ("data", "doubt"),
    [
        (LIST.replace("down", "gestört").encode("latin-1"), "Windows-1252"),
        (LIST.encode("utf-16"), ""),
        (LIST.encode("utf-16-le"), "no byte order mark"),
        (LIST.replace("down", "gestört").encode().replace(b"Alert", b"\xffAlert", 1), "broken UTF-8"),
    ],
)
def test_broken_encodings_lose_no_line(data: bytes, doubt: str) -> None:
    found = read_postmortem("a.md", data)
    assert len(found.timeline) == 7
    assert doubt in "".join(found.doubts)


@pytest.mark.parametrize(
    "text", ["", "\0" * 50, "[" * 5000, "|" * 5000, "<a " * 5000, "- " * 5000, "<!--" * 2000, "10:00 " * 3000]
)
@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt"])
def test_odd_files_are_read_without_a_fault(text: str, name: str) -> None:
    assert read(text, name).milestones == {}
