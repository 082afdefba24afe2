"""What the documentation says can be followed: links lead somewhere, commands parse, policies are sound."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.adapters.policyfile import parse_policy
from amends.cli.main import COMMANDS, load_command

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TOLD = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
    *sorted((ROOT / "docs/how-to").glob("*.md")),
]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^ *```(\w*)([^\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(amends [^`]+)`")
_STARTS = re.compile(r"^(?:\s*- run: |\s*run: |\s*- |\s*\$ |\s+)?(?=(?:AMENDS_\w+=\S+ )*amends \w)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes from headings."""
    found = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("where", PAGES, ids=name)
def test_links_lead_to_something(where: Path) -> None:
    text = _BLOCK.sub("", where.read_text())
    for link in _LINK.findall(text):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (where.parent / path).resolve() if path else where
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{target.name} has no heading for #{anchor}"


@pytest.mark.parametrize("part", ["tutorials", "how-to", "explanation", "reference", "decisions"])
def test_each_index_names_every_page(part: str) -> None:
    folder = ROOT / "docs" / part
    listed = (folder / "README.md").read_text()
    missing = [p.name for p in folder.glob("*.md") if p.name != "README.md" and f"({p.name})" not in listed]
    assert missing == []


def lines_of(page: Path) -> Iterator[tuple[str, bool]]:
    """Yield every command, and whether it stands in a block, where it is complete."""
    text = page.read_text()
    for language, _, body in _BLOCK.findall(text):
        if language in ("sh", "yaml"):
            yield from ((_STARTS.sub("", one), True) for one in body.splitlines() if _STARTS.match(one))
    prose = _BLOCK.sub("", text)
    for line in prose.splitlines():
        if re.match(r"    (?:AMENDS_\w+=\S+ )*amends ", line):
            yield line.strip(), True
    yield from ((span.replace("\n", " "), False) for span in _SPAN.findall(prose))


def words_of(line: str) -> list[str]:
    """Return a command's words, up to a comment, a pipe or the next command."""
    quoted = re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "REVISION", line)
    lexer = shlex.shlex(quoted, posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|;&>"):
            break
        words.append(word)
    while words and words[0].startswith("AMENDS_"):
        words.pop(0)
    return words


COMMAND_LINES = sorted({(name(page), *found) for page in TOLD for found in lines_of(page)})


def test_commands_are_found_in_the_documentation() -> None:
    pages = {page for page, *_ in COMMAND_LINES}
    assert len(COMMAND_LINES) > 80
    assert {"README.md", "docs/tutorials/first-release.md", "docs/how-to/handle-an-emergency.md"} <= pages


@pytest.mark.parametrize(("where", "line", "whole"), COMMAND_LINES)
def test_a_command_exists_as_it_is_written(where: str, line: str, whole: bool) -> None:
    _, first, *rest = words_of(line)
    assert first in COMMANDS, f"{where}: there is no `amends {first}`"
    command = load_command(first)
    path = f"amends {first}"
    while hasattr(command, "commands") and rest:
        unnamed = getattr(command, "unnamed", "")
        if unnamed and rest[0] not in command.commands:
            rest = [unnamed, *rest]
        child = command.commands.get(rest[0])
        assert child is not None, f"{where}: there is no `{path} {rest[0]}`"
        path, command, rest = f"{path} {rest[0]}", child, rest[1:]
    options = {o: p for p in command.params for o in (*p.opts, *p.secondary_opts)}
    own = rest[: rest.index("--")] if "--" in rest else rest  # what follows is another program's
    for word in own:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{where}: `{path}` has no {word}"
    only_named = not any(word.startswith("--") for word in rest) or "…" in line
    if whole or not only_named:
        # As the real command line would: what is required, and values of the right kind.
        command.make_context(path, list(rest))


POLICIES = [
    (name(page), body)
    for page in PAGES
    for language, more, body in _BLOCK.findall(page.read_text())
    if language == "yaml" and more.strip() == "amends.yaml"
]


def test_the_readme_has_a_complete_policy() -> None:
    [text] = [body for page, body in POLICIES if page == "README.md"]
    policy = parse_policy(text, "README.md").policy
    assert policy.gates["production"]
    assert policy.rollout.steps
    assert policy.watch.metrics
    assert policy.deploy.command


@pytest.mark.parametrize(("where", "text"), POLICIES)
def test_a_policy_is_sound(where: str, text: str, tmp_path: Path) -> None:
    for calendar in re.findall(
        r"^BEGIN:VCALENDAR$.*?^END:VCALENDAR$", (ROOT / where).read_text(), re.M | re.S
    ):
        (tmp_path / "freezes.ics").write_text(calendar + "\n")
    assert parse_policy(text, str(tmp_path / "amends.yaml")).policy.service
