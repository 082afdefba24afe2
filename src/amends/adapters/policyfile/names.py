"""Who a repository's ``amends.yaml`` says it is, without judging the rest of the file.

Recording a fact must not fail because a gate is misspelt; asking a gate must.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from amends.errors import PolicyError


@dataclass(frozen=True, slots=True)
class PolicyNames:
    """The service, its owning team and its environments; empty where the file does not say."""

    service: str = ""
    team: str = ""
    environments: tuple[str, ...] = ()


def read_names(path: Path) -> PolicyNames:
    """Read them; both empty when there is no such file. Raises ``PolicyError`` with file:line."""
    try:
        text = path.read_text(encoding="utf-8")
        content: Any = YAML(typ="safe", pure=True).load(text)
    except FileNotFoundError:
        return PolicyNames()
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(
            f"this is not YAML: {error.problem}", where=f"{path}:{line}", remedy="mend it, or give --service"
        ) from None
    except (OSError, UnicodeError, YAMLError) as error:
        raise PolicyError(f"the policy cannot be read: {error}", where=str(path)) from None
    found = content if isinstance(content, dict) else {}
    listed = found.get("environments")
    environments = tuple(map(str, listed)) if isinstance(listed, list) else ()
    return PolicyNames(str(found.get("service") or ""), str(found.get("team") or ""), environments)
