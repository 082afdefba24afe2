"""What pydantic found wrong with a policy, in words: the place, what was found, what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from amends.gates.entry import ENTRY_FIELDS
from amends.gates.policy import Policy, PolicyFlawsError, unknown_environment

Place = tuple[str | int, ...]

_ALLOWED = {
    "string_type": "text", "int_type": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "list_type": "a list",
    "dict_type": "named values", "model_type": "named values",
    "string_too_short": "text that is not empty", "too_short": "at least one item",
}  # fmt: skip
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``place`` leads to it from the top of the file."""

    place: Place
    text: str

    def sentence(self) -> str:
        """Return it with the name of its place."""
        name = _spelt(self.place)
        return f"{name}: {self.text}" if name else self.text


def faults_of(error: ValidationError, raw: Any) -> list[Fault]:
    """Return every fault once; ``raw`` is what was validated."""
    found: list[Fault] = []
    unions: set[Place] = set()
    for item in error.errors(include_url=False):
        flaws = item.get("ctx", {}).get("error")
        if isinstance(flaws, PolicyFlawsError):
            return [Fault(place, text) for place, text in flaws.flaws]
        place = tuple(step for step in item["loc"] if not _is_choice(step))
        if len(place) < len(item["loc"]):
            unions.add(place)
        found.append(Fault(place, _words(item, place)))
    found += [fault for fault in _unknown_environments(raw) if fault not in found]
    deeper = {fault.place[:length] for fault in found for length in range(len(fault.place))}
    return _merged([fault for fault in found if not (fault.place in unions and fault.place in deeper)])


def nearest(name: str, allowed: Any) -> str:
    """Return the question that names what was probably meant, or nothing."""
    near = get_close_matches(name.lower(), list(allowed), n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""


def _is_choice(step: str | int) -> bool:
    """Whether a step of pydantic's is no step of the file but a branch of a union."""
    return isinstance(step, str) and step.startswith(("constrained-", "dict["))


def _merged(faults: list[Fault]) -> list[Fault]:
    """Join what the branches of a union say about one place."""
    texts: dict[Place, list[str]] = {}
    for fault in faults:
        texts.setdefault(fault.place, []).append(fault.text)
    return [
        Fault(place, " or ".join([said[0], *(text.rpartition("allowed: ")[2] for text in said[1:])]))
        for place, said in texts.items()
    ]


def _words(item: Any, place: Place) -> str:
    kind, found, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(place)
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        text = str(context["error"])
        return f"found {_shown(found)}; {text}" if _is_small(found) and repr(found) not in text else text
    if kind == "literal_error":
        allowed = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        hint = nearest(found, allowed) if isinstance(found, str) else ""
        return f"found {_shown(found)}; allowed: {', '.join(allowed)}{hint}"
    if len(place) == 3 and kind == "model_type":
        kinds = [field for field in _fields(place) if field not in ENTRY_FIELDS]
        return (
            f"found {_shown(found)}; allowed: a gate, one of {', '.join(kinds)}{nearest(str(found), kinds)}"
        )
    bounds = [f"{_BOUNDS[name]} {limit}" for name, limit in context.items() if name in _BOUNDS]
    allowed_words = _ALLOWED.get(kind) or " and ".join(bounds) or item["msg"].lower()
    return f"found {_shown(found)}; allowed: {allowed_words}"


def _unknown(place: Place) -> str:
    name, allowed = str(place[-1]), _fields(place[:-1])
    is_gate = len(place) == 4 and place[0] == "gates"
    what = "unknown gate" if is_gate else "unknown field"
    if is_gate:
        allowed = [field for field in allowed if field not in ENTRY_FIELDS] + list(ENTRY_FIELDS)
    return f"{what} `{name}`; allowed: {', '.join(allowed)}{nearest(name, allowed)}"


def _unknown_environments(raw: Any) -> list[Fault]:
    """Find these also when other faults keep the policy from being checked as a whole."""
    environments, gates = raw.get("environments"), raw.get("gates")
    if not isinstance(environments, list) or not isinstance(gates, dict):
        return []
    known = [str(name) for name in environments]
    return [
        Fault(("gates", name), unknown_environment(str(name), known))
        for name in gates
        if str(name) not in known
    ]


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return Policy.model_json_schema()


def _fields(place: Place) -> list[str]:
    """Return the names of the fields that the published schema allows at a place."""
    node: Any = _schema()
    for step in place:
        node = _meant(node)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step, node.get("additionalProperties") or {})
    return list(_meant(node).get("properties", {}))


def _meant(node: Any) -> Any:
    """Follow a reference, and out of several choices take the one with fields."""
    for choice in node.get("anyOf", []):
        if "$ref" in choice or "properties" in choice:
            node = choice
    if "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _spelt(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _is_small(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"fields ({', '.join(map(str, value))})"[:80]
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
