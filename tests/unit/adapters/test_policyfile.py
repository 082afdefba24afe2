"""Reading amends.yaml: every fault with its line; adding a gate as a small diff."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.adapters.policyfile import add_gate, load_policy, parse_gate, parse_policy
from amends.errors import PolicyError

GOOD = """\
# what a release of shop meets
service: shop
team: pay
environments: [dev, staging, production]
gates:
  dev: []
  staging: [{review: {approvals: 1}, mode: block}]
  production:
    # two pairs of eyes
    - review: {approvals: 2}   # added after INC-3
      mode: block

    - tests:
        suites: ["unit"]
  # nothing else yet

rollout:
  steps: []
"""


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    return str(caught.value).splitlines()


def test_a_good_policy_keeps_its_text_and_digest(tmp_path: Path) -> None:
    (tmp_path / "amends.yaml").write_text(GOOD)
    loaded = load_policy(tmp_path / "amends.yaml")
    assert loaded.policy.labels("production") == ["review", "tests"]
    assert loaded.text == GOOD
    assert loaded.digest == parse_policy(GOOD).digest


def test_an_unknown_gate_gets_its_line_and_the_nearest_name() -> None:
    said = faults(GOOD.replace("review: {approvals: 2}", "reveiw: {approvals: 2}"))
    assert said[0].startswith(
        "amends.yaml:10: gates.production[0].reveiw: unknown gate `reveiw`; allowed: review"
    )
    assert said[0].endswith("did you mean `review`?")


def test_all_faults_come_together_in_order() -> None:
    text = GOOD.replace("team: pay", "tema: pay").replace("approvals: 2", "approvals: two")
    text = text.replace('["unit"]', "unit").replace("  staging:", "  stagign:")
    said = faults(text)
    assert [line.split(":")[1] for line in said[:4]] == ["3", "7", "10", "14"]
    assert "did you mean `team`?" in said[0]
    assert "did you mean `staging`?" in said[1]
    assert "found 'two'; allowed: a whole number" in said[2]
    assert "found 'unit'; allowed: a list" in said[3]
    assert said[4].strip().startswith("mend: correct these 4 places")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("- soak: {environment: production, for: 7d}", "this gate never opens"),
        ("- soak: {environment: stagin, for: 7d}", "did you mean `staging`?"),
        ("- soak: {environment: staging, for: 7 days}", "for: found '7 days'; a duration is a number"),
        ("- soak: {environment: staging}", "soak.for: is missing"),
        ("- window: {days: []}", "the window never opens"),
        ("- {review: {}, mode: blok}", "found 'blok'; allowed: observe, block; did you mean `block`?"),
        ("- watchers: {at_least: two}", "found 'two'; allowed: a whole number or named values"),
        ("- watchers: {at_least: {system-wide: 2}}", "no number for this service's tier, client-specific"),
        ("- {review: {}, tests: {suites: [unit]}}", "exactly one gate, found review and tests"),
        ("- reviwe", "did you mean `review`?"),
        ("- tests: {suites: [unit], suite: unit}", "unknown field `suite`; allowed: suites"),
    ],
)
def test_what_is_wrong_with_a_gate(gate: str, said: str) -> None:
    found = faults(GOOD.replace("    # two pairs of eyes", f"    {gate}"))
    assert found[0].startswith("amends.yaml:9: gates.production[0]")
    assert said in found[0]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: [1", "amends.yaml:1: this is not YAML"),
        ("a:\n\tb: 1", "amends.yaml:2: this is not YAML"),
        ("service: a\nservice: b", 'amends.yaml:2: this is not YAML: found duplicate key "service"'),
        ("", "amends.yaml:1: found nothing"),
        ("- a", "amends.yaml:1: found a list"),
        ("a: \x00", "amends.yaml: this is not YAML"),
    ],
)
def test_malformed_yaml_names_its_line(text: str, where: str) -> None:
    assert faults(text)[0].startswith(where)


def test_a_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="amends init"):
        load_policy(tmp_path / "amends.yaml")


FREEZE = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:sale@shop
DTSTART;VALUE=DATE:20260317
DTEND;VALUE=DATE:20260320
SUMMARY:sale
END:VEVENT
END:VCALENDAR
"""
WINDOW = GOOD.replace("    # two pairs of eyes", "    - window: {freezes: freezes.ics}")


def test_a_calendar_is_part_of_the_policy(tmp_path: Path) -> None:
    (tmp_path / "amends.yaml").write_text(WINDOW)
    (tmp_path / "freezes.ics").write_text(FREEZE)
    first = load_policy(tmp_path / "amends.yaml")
    at = datetime(2026, 3, 18, tzinfo=UTC).timestamp()
    (tmp_path / "freezes.ics").unlink()
    assert first.resolve(at, at)["file:freezes.ics"].labels == ("sale",)
    (tmp_path / "freezes.ics").write_text(FREEZE.replace("20260320", "20260321"))
    assert load_policy(tmp_path / "amends.yaml").digest != first.digest


def test_a_calendar_that_is_missing_is_told_at_the_gate_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "amends.yaml").write_text(WINDOW)
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "amends.yaml")
    assert caught.value.where == f"{tmp_path}/amends.yaml:9"


def test_an_unknown_country_is_told_at_the_gate_that_names_it() -> None:
    text = GOOD.replace("    # two pairs of eyes", "    - window: {holidays: {country: XX}}")
    assert faults(text)[0].startswith("amends.yaml:9: no public holidays are known for the country 'XX'")


ENTRY = {"tests": {"suites": ["regression"]}, "mode": "block"}


def added(environment: str) -> list[str]:
    text = add_gate(GOOD, environment, ENTRY, "added after INC-7")
    entry = parse_policy(text).policy.gates[environment][-1]
    assert (entry.kind, entry.mode, entry.because) == ("tests", "block", "added after INC-7")
    diff = difflib.unified_diff(GOOD.splitlines(), text.splitlines(), lineterm="", n=0)
    return [line for line in diff if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_a_gate_is_added_as_lines_of_its_own() -> None:
    assert added("production") == [
        "+    - tests: {suites: [regression]}",
        "+      mode: block",
        "+      because: added after INC-7",
    ]


def test_a_gate_is_added_inside_brackets_and_to_an_empty_list() -> None:
    assert [line[0] for line in added("staging")] == ["-", "+"]
    assert [line[0] for line in added("dev")] == ["-", "+", "+", "+", "+"]


def test_flush_lists_stay_flush() -> None:
    text = "service: shop\nenvironments: [production]\ngates:\n  production:\n  - review: {}\n"
    assert add_gate(text, "production", ENTRY).endswith(
        "  - tests: {suites: [regression]}\n    mode: block\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("mode: block\ntets: {suites: [unit]}\n", 2, "did you mean `tests`?"),
        ("- tests:\n    suites: 3\n", 2, "suites: found 3"),
        ("tests: [\n", 2, "not YAML"),
        ("hello\n", 1, "found no gate"),
    ],
)
def test_a_gate_alone_in_a_file_has_its_faults_named_by_line(text: str, line: int, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_gate(text, "gate.yaml")
    assert caught.value.where == f"gate.yaml:{line}"
    assert words in caught.value.message


def test_a_gate_alone_in_a_file_is_read() -> None:
    assert parse_gate("- tests: {suites: [unit]}\n", "g") == {"tests": {"suites": ["unit"]}}
