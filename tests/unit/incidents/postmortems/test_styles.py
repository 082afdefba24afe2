"""Forms in which people write what happened when, each as short as it can be."""

from __future__ import annotations

import pytest

from amends.incidents.postmortems import Postmortem, read_postmortem
from amends.incidents.postmortems.facts import MILESTONES


def read(text: str) -> Postmortem:
    return read_postmortem("a.md", text.encode())


def said(found: Postmortem) -> dict[str, str]:
    return {
        name: f"{one.at:%d %H:%M}" if one.at else f"{one.earliest:%d %H:%M}-{one.latest:%d %H:%M}"
        for name in MILESTONES
        if (one := found.milestones.get(name))
    }


def timeline(*lines: str, before: str = "") -> Postmortem:
    items = "".join(f"- {line}\n" for line in lines)
    return read(f"# 2024-05-02 outage\n{before}\n## Timeline (UTC)\n{items}")


def test_headings_that_are_times_stay_in_the_timeline_whatever_they_say() -> None:
    found = read(
        "# Pods\n## Timeline\nAll times in CET\n### 2022-06-02 10:00 - Problem starts\nNo pods start.\n"
        "### 21:00 - Team alerted\nAn alert fires.\n### 21:24 - Resolution\nThe issue goes away.\n"
    )
    assert said(found) == {
        "started": "02 10:00", "detected": "02 21:00", "mitigated": "02 21:24", "resolved": "02 21:24"
    }  # fmt: skip


def test_dates_beside_the_heading_of_the_timeline_are_part_of_it() -> None:
    found = read(
        "# X\n## Timeline\nAll times in UTC\n## 12 May 2025\n### 23:15\nErrors begin.\n## 13 May 2025\n"
        "### 00:40\nService is back to normal.\n"
    )
    assert said(found) == {"started": "12 23:15", "mitigated": "13 00:40", "resolved": "13 00:40"}


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("The next day, 07:45 - fixed", 3),
        ("Following morning at 07:45: fixed", 3),
        ("Friday, 07:45 - fixed", 3),
    ],
)
def test_words_name_a_day(line: str, day: int) -> None:
    found = timeline("Thu 2024-05-02, 18:30 - Errors begin", line)
    assert found.timeline[1].at.day == day


def test_a_paragraph_with_a_time_a_line_is_a_timeline_and_one_word_its_heading() -> None:
    found = read(
        "Queue stalled\n\nTimeline\n\n2024-02-03T04:11:05Z orders are no longer accepted\n"
        "2024-02-03T04:19:40Z alert acknowledged by on-call\n2024-02-03T04:58:30Z orders accepted again\n"
    )
    assert said(found) == {
        "started": "03 04:11", "detected": "03 04:19", "mitigated": "03 04:58", "resolved": "03 04:58"
    }  # fmt: skip


def test_a_template_s_unknown_time_leaves_the_day() -> None:
    found = read("# X\n## Timeline\n| Time | Event |\n|---|---|\n| 2022-06-10 HH:mm | Problem was solved |\n"
                 "| 2022-06-11 HH:mm | A note |\n")  # fmt: skip
    assert said(found)["resolved"] == "10 00:00-10 23:59"


@pytest.mark.parametrize(
    "line",
    [
        "First node stops shipping logs", "All logins failed from then on", "Orders are no longer accepted",
        "Node entered NotReady state", "The certificate of the gateway expires", "Nobody could log in",
    ],
)  # fmt: skip
def test_words_for_harm_begin_it(line: str) -> None:
    assert said(timeline(f"10:00 {line}", "10:05 On-call is paged"))["started"] == "02 10:00"


@pytest.mark.parametrize(
    "line",
    [
        "Logs are being shipped again", "Nodes have started shipping logs again", "Uploads succeed",
        "It is once again merging at its usual rate", "Monitoring shows that it is now fine",
        "User reports back that it works", "Error rate went back to 100 % availability, all normal again",
        "Recovery: the limit is raised",
    ],
)  # fmt: skip
def test_words_for_recovery_end_it(line: str) -> None:
    assert said(timeline("10:00 Errors begin", f"10:30 {line}"))["mitigated"] == "02 10:30"


@pytest.mark.parametrize(
    "line",
    [
        "It fails again", "We suspect a network issue again", "We think the proxy is fine",
        "Builds succeeded, but launching still failed", "The hub was restarted again",
    ],
)  # fmt: skip
def test_words_that_only_sound_like_recovery_do_not(line: str) -> None:
    assert "mitigated" not in said(timeline("10:00 Errors begin", f"10:30 {line}"))


def test_an_alarm_after_the_declaration_is_not_how_it_was_detected() -> None:
    found = timeline("17:00 Incident declared", "17:32 Uptime check fails", "18:00 Incident resolved")
    assert said(found)["detected"] == "02 17:00"


def test_what_is_found_after_somebody_looks_is_the_cause() -> None:
    found = timeline("16:40 We are investigating", "16:58 The issue has been identified", "18:00 Resolved")
    assert said(found)["detected"] == "02 16:40"


def test_a_stated_stretch_and_the_first_symptom_differ_by_minutes_so_it_began_between() -> None:
    found = timeline(
        "21:45 Release 7 is deployed", "21:47 Monitoring detects errors", "23:28 Service fully recovered",
        before="The outage lasted from 21:45 to 23:28 UTC.",
    )  # fmt: skip
    assert said(found)["started"] == "02 21:45-02 21:47"


def test_a_start_and_how_long_it_lasted_are_a_stretch() -> None:
    found = read("# Report\n**March 17, 2022 13:46 UTC (lasting 2 hours and 28 minutes)**\n\nErrors rose.\n")
    assert said(found) == {"started": "17 13:46", "mitigated": "17 16:14"}


def test_stated_durations_find_the_line_from_which_both_lead_to_one() -> None:
    lines = ("12:20 The load takes longer than 10 s", "14:03 A developer asks", "14:40 The limit is 30 s")
    stated = "- Time to detection: 103 minutes\n- Time to recovery: 140 minutes\n"
    assert said(timeline(*lines)) == {}
    assert said(timeline(*lines, before=stated)) == {
        "started": "02 12:20", "detected": "02 14:03", "mitigated": "02 14:40"
    }  # fmt: skip


def test_a_stated_time_to_detect_widens_a_detection_that_it_contradicts() -> None:
    found = timeline(
        "18:00 The outage begins", "18:10 We notice errors", "19:30 Service restored",
        before="Time to detect: 62 minutes",
    )  # fmt: skip
    assert said(found)["detected"] == "02 18:10-02 19:02"
    assert [one.kind for one in found.contradictions] == ["stated duration"]


def test_a_rollback_under_way_bounds_the_recovery() -> None:
    found = timeline("10:00 Errors begin", "10:20 Rollback started", "10:40 Service restored")
    assert said(found)["mitigated"] == "02 10:20-02 10:40"


def test_several_recoveries_without_a_last_word_leave_open_which_it_was() -> None:
    found = timeline("10:00 Errors begin", "10:30 Site is back to normal", "11:30 All systems operational")
    assert said(found)["resolved"] == "02 10:30-02 11:30"


def test_dates_of_the_title_or_of_harm_that_are_not_the_timeline_s_are_flagged() -> None:
    found = read(
        "# 2022-01-27, pods\n## Impact\nJobs failed between 2022-04-25 23:04 and 2022-04-26 08:12.\n"
        "## Timeline (UTC)\n- 2022-06-02 10:00 Errors begin\n- 2022-06-02 10:20 Service restored\n"
    )
    assert [one.lines for one in found.contradictions if one.kind == "dates"] == [(1, 5), (3, 5)]


@pytest.mark.parametrize(
    ("minutes", "flagged"), [("40 minutes", False), ("39 minutes", True), ("60 minutes", True)]
)
def test_round_durations_are_rounded_ones(minutes: str, flagged: bool) -> None:
    found = timeline("10:00 Outage begins", "10:41 Service restored, incident closed",
                     before=f"The outage lasted {minutes}.")  # fmt: skip
    assert [one.kind for one in found.contradictions] == ["stated duration"] * flagged


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("## Root cause\nA new firewall rule blocked traffic.\n", "config"),
        ("## Timeline\n- 10:00 Version 3 is deployed, errors begin\n- 10:20 Service restored\n", "deploy"),
        ("## Cause\nThe disk was deleted by a script, because of a typo in the config.\n", "unknown"),
        ("## Trigger\nThe certificate of the gateway had expired.\n", "certificate"),
    ],
)  # fmt: skip
def test_the_trigger_is_what_most_of_the_document_speaks_for(text: str, kind: str) -> None:
    trigger = read(f"# 2024-05-02 outage\n{text}").trigger
    assert trigger is not None
    assert trigger.kind == kind


def test_a_rollback_that_failed_first_and_was_the_last_repair_worked() -> None:
    found = timeline(
        "10:00 Errors begin", "10:10 Rollback fails", "10:30 We roll back by hand", "10:31 Service restored"
    )
    assert (found.rollback.attempted, found.rollback.effective) == (True, True)


def test_what_was_switched_off_last_may_have_been_a_rollback() -> None:
    found = timeline(
        "10:00 Rate limiting goes live, errors begin", "10:30 Rate limiting disabled, service restored"
    )
    assert found.rollback.attempted is None


def test_a_failed_deployment_is_how_it_was_noticed() -> None:
    found = read("# X\n## Detection\nWe tried to deploy v0.0.19 to production and it failed.\n")
    assert found.detection is not None
    assert found.detection.kind == "ci_deploy_failure"
