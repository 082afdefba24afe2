"""Reading ``notices.yaml``: audiences, channels and rules, or everything that is wrong with it, by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from amends.adapters.yamltree import line_of
from amends.errors import UsageError
from amends.reviews.audiences.settings import NoticePolicy

REMEDY = "`amends notice schema` prints the whole shape; docs/reference/notices.md explains it"


def load_notices(path: Path) -> NoticePolicy:
    """Read the file; where there is none, the defaults: four audiences, on the server's own pages alone.

    Raises ``UsageError`` when it cannot be read as such a file: every fault with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return NoticePolicy()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the file cannot be read: {error}", where=str(path), remedy="check the file and its permissions"
        ) from None
    return parse_notices(text, str(path))


def parse_notices(text: str, path: str = "notices.yaml") -> NoticePolicy:
    """Return what a text declares; see ``load_notices``."""
    try:
        tree = YAML(typ="rt").load(text)
        plain: Any = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else path
        problem = str(error.problem or error.context or error).splitlines()[0]
        raise UsageError(
            f"this is not YAML: {problem}", where=where, remedy="mend the YAML at this line"
        ) from None
    except (YAMLError, ValueError) as error:
        raise UsageError(f"this is not YAML: {error}", where=path, remedy="mend the YAML") from None
    if plain is None:
        return NoticePolicy()
    if not isinstance(plain, dict):
        raise UsageError(
            "found no fields; it begins with, for example, `audiences:`", where=f"{path}:1", remedy=REMEDY
        )
    try:
        return NoticePolicy.model_validate(plain)
    except ValidationError as error:
        raise _all(error, tree, path) from None


def _all(error: ValidationError, tree: Any, path: str) -> UsageError:
    faults = sorted(
        {(line_of(tree, item["loc"]), _sentence(item)) for item in error.errors(include_url=False)}
    )  # fmt: skip
    (line, first), rest = faults[0], faults[1:]
    text = "\n".join([first, *(f"{path}:{number}: {more}" for number, more in rest)])
    return UsageError(text, where=f"{path}:{line}", remedy=REMEDY)


def _sentence(item: Any) -> str:
    place = ".".join(str(step) for step in item["loc"] if step != "[key]")
    kind = item["type"]
    if kind == "extra_forbidden":
        return f"unknown field `{place}`"
    if kind == "missing":
        return f"{place}: is missing"
    said = str(item.get("ctx", {}).get("error") or item["msg"][:1].lower() + item["msg"][1:])
    found = item["input"]
    shown = f"found {found!r}; " if isinstance(found, str | int | float | bool) else ""
    return f"{place}: {shown}{said}" if place else said
