"""Reading ``amends.yaml``: a policy, or everything that is wrong with it, by line."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from amends.adapters.calendars import capture_calendar, resolve_calendars
from amends.adapters.policyfile.faults import Fault, faults_of
from amends.adapters.yamltree import line_of
from amends.errors import PolicyError
from amends.gates.policy import LoadedPolicy, Policy, policy_digest

Place = tuple[str | int, ...]


def load_policy(path: Path) -> LoadedPolicy:
    """Read a policy with the calendars that it names; their files are relative to the policy.

    Raises
    ------
    PolicyError
        If the file is missing, is no YAML, or is no policy; every fault with its line, what was found and
        what is allowed.
    """
    return parse_policy(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return the text of a policy's file. Raises ``PolicyError`` when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(
            "there is no policy here",
            where=str(path),
            remedy="write one with `amends init`, or name it: --policy FILE",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise PolicyError(
            f"the policy cannot be read: {reason}",
            where=str(path),
            remedy="check the file and its permissions",
        ) from None


def parse_policy(text: str, path: str = "amends.yaml", *, with_calendars: bool = True) -> LoadedPolicy:
    """Return the policy that a text holds; see ``load_policy``.

    Without its calendars a policy can be read and compared, and not evaluated.
    """
    tree = _parse_yaml(text, path)
    policy = _validated(tree, path)
    folder = str(Path(path).parent)
    calendars = _captured(policy, tree, path, folder) if with_calendars else {}
    return LoadedPolicy(
        policy=policy,
        text=text,
        digest=policy_digest(text, calendars),
        path=path,
        calendars=calendars,
        resolve=partial(resolve_calendars, calendars, folder),
        line_of=partial(line_of, tree),
    )


def parse_gate(text: str, path: str) -> dict[str, Any]:
    """Return the gate that a text holds, as an entry of a policy, alone or as a list of one.

    Raises ``PolicyError`` as ``load_policy`` does.
    """
    tree = _loaded(text, path)
    if isinstance(tree, CommentedSeq) and len(tree) == 1:
        tree = tree[0]
    if not isinstance(tree, CommentedMap):
        raise PolicyError(
            "found no gate",
            where=f"{path}:1",
            remedy="write one entry, for example: tests: {suites: [regression]}",
        )
    entry, place = _plain(tree), ("gates", "here", 0)
    raw = {"service": "any", "team": "any", "environments": ["here"], "gates": {"here": [entry]}}
    try:
        Policy.model_validate(raw)
    except ValidationError as error:
        faults = [f for f in faults_of(error, raw) if f.place[:3] == place]
        raise _all([Fault(f.place[3:], f.text) for f in faults], tree, path) from None
    return dict(entry)


def _loaded(text: str, path: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        raise _malformed(path, error, "give each name once") from None
    except MarkedYAMLError as error:
        raise _malformed(
            path, error, "mend the YAML at this line, often its indentation or a missing colon"
        ) from None
    except (YAMLError, ValueError) as error:
        raise PolicyError(f"this is not YAML: {error}", where=path, remedy="mend the YAML") from None


def _parse_yaml(text: str, path: str) -> CommentedMap:
    tree = _loaded(text, path)
    if not isinstance(tree, CommentedMap):
        found = (
            "nothing" if tree is None else f"a {'list' if isinstance(tree, CommentedSeq) else 'single value'}"
        )
        raise PolicyError(
            f"found {found}; a policy begins with fields such as `service: shop`",
            where=f"{path}:1",
            remedy="write one with `amends init`",
        )
    return tree


def _malformed(path: str, error: MarkedYAMLError, remedy: str) -> PolicyError:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else path
    problem = str(error.problem or error.context or error).splitlines()[0]
    column = f" (column {mark.column + 1})" if mark else ""
    return PolicyError(f"this is not YAML: {problem}{column}", where=where, remedy=remedy)


def _validated(tree: CommentedMap, path: str) -> Policy:
    raw = _plain(tree)
    try:
        return Policy.model_validate(raw)
    except ValidationError as error:
        raise _all(faults_of(error, raw), tree, path) from None


def _captured(policy: Policy, tree: CommentedMap, path: str, folder: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for environment, entries in policy.gates.items():
        for index, entry in enumerate(entries):
            for key in entry.gate.calendar_keys():
                field = "holidays" if key.startswith("holidays:") else "freezes"
                line = line_of(tree, ("gates", environment, index, entry.kind, field))
                found[key] = capture_calendar(key, Path(folder), f"{path}:{line}")
    return found


def _all(faults: list[Fault], tree: CommentedMap, path: str) -> PolicyError:
    """Make one error of all faults, by line."""
    placed = sorted({(line_of(tree, fault.place), fault.sentence()): fault for fault in faults})
    (first, sentence), rest = placed[0], placed[1:]
    text = "\n".join([sentence, *(f"{path}:{line}: {more}" for line, more in rest)])
    which = "this line" if len(placed) == 1 else f"these {len(placed)} places"
    return PolicyError(
        text, where=f"{path}:{first}", remedy=f"correct {which}; `amends policy schema` has the whole shape"
    )


def _plain(node: Any) -> Any:
    """Return a YAML tree as plain Python values: the models are strict about types."""
    if isinstance(node, CommentedMap):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
