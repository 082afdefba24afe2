"""Variants of a policy: ``soak.for=1d..14d`` and ``review.approvals=1..3`` make one for each combination."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from amends.errors import UsageError
from amends.gates.entry import ENTRY_FIELDS, GateEntry
from amends.gates.policy import Policy
from amends.gates.shape import format_duration, parse_duration

MOST_VARIANTS = 400
_NUMBER = re.compile(r"\d+")
_DURATION = re.compile(r"(\d+)(s|m|h|d|w)")
_USUAL = {"soak": ("for", "1d..14d"), "review": ("approvals", "1..3")}


@dataclass(frozen=True, slots=True)
class Variation:
    """One parameter of one gate and the values that it takes, as people write them."""

    gate: str
    parameter: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.gate}.{self.parameter}"


@dataclass(frozen=True, slots=True)
class Variant:
    """A policy with some parameters set; ``current`` where they are what the policy has anyway."""

    settings: tuple[tuple[str, str], ...]
    policy: Policy
    current: bool

    @property
    def label(self) -> str:
        """The settings in a line, ``as it is`` where nothing was set."""
        return ", ".join(f"{name} {value}" for name, value in self.settings) or "as it is"


def parse_variation(text: str) -> Variation:
    """Read ``GATE.PARAMETER=VALUES``: a range ``1..3`` or ``1d..14d`` (``/2d`` sets its step), or a list.

    Raises ``UsageError``.
    """
    place, equals, said = text.partition("=")
    gate, dot, parameter = place.strip().partition(".")
    if not (equals and dot and gate and parameter and said.strip()):
        raise UsageError(
            f"found {text!r}; allowed is GATE.PARAMETER=VALUES",
            remedy="write for example --vary soak.for=1d..14d or --vary review.approvals=1,2",
        )
    values = [value for part in said.split(",") if part.strip() for value in _values(part.strip(), text)]
    return Variation(gate, parameter.strip(), tuple(dict.fromkeys(values)))


def _values(part: str, text: str) -> list[str]:
    span, _, step = part.partition("/")
    low, dots, high = span.partition("..")
    if not dots:
        return [part]
    if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
        return [str(value) for value in _range(int(low), int(high), int(step or 1), text)]
    first, last = _DURATION.fullmatch(low), _DURATION.fullmatch(high)
    if not first or not last:
        return [part]  # a range of another kind, such as mon..thu, which the gate reads itself
    unit = parse_duration(step or f"1{first[2]}")
    seconds = _range(parse_duration(low), parse_duration(high), unit, text)
    return [format_duration(value).replace(" ", "") for value in seconds]


def _range(low: float, high: float, step: float, text: str) -> list[Any]:
    if step <= 0 or high < low or (high - low) / step >= MOST_VARIANTS:
        raise UsageError(
            f"the range in {text!r} runs backwards or has too many steps; allowed: up to {MOST_VARIANTS}",
            remedy="write the smaller value first, or a larger step: 1d..14d/2d",
        )
    count = int((high - low) / step + 1e-9) + 1
    return [low + place * step for place in range(count)]


def usual_variations(policy: Policy, environment: str) -> list[Variation]:
    """Return what is worth varying of a policy's gates, when nobody says: soaks and approvals.

    Raises ``UsageError`` when it has neither.
    """
    labels = zip(policy.labels(environment), policy.gates.get(environment, []), strict=True)
    found = [
        parse_variation(f"{label}.{_USUAL[entry.kind][0]}={_USUAL[entry.kind][1]}")
        for label, entry in labels
        if entry.kind in _USUAL
    ]
    if not found:
        raise UsageError(
            f"the policy has no soak and no review in {environment}, so there is nothing usual to vary",
            remedy="name a parameter: --vary GATE.PARAMETER=VALUES",
        )
    return found


def variants(policy: Policy, environment: str, variations: Sequence[Variation]) -> list[Variant]:
    """Return the policy as it is, then one variant for each combination of values.

    Raises ``UsageError`` when a gate or parameter does not exist, a value does not fit, or there are more
    than `MOST_VARIANTS` combinations.
    """
    total = 1
    for variation in variations:
        total *= len(variation.values)
    if total > MOST_VARIANTS:
        raise UsageError(
            f"these are {total:,} combinations; allowed: {MOST_VARIANTS}",
            remedy="vary fewer parameters, or give ranges a larger step: 1d..14d/2d",
        )
    places = [_place(policy, environment, variation) for variation in variations]
    found = [Variant((), policy, current=True)]
    for values in itertools.product(*(variation.values for variation in variations)):
        entries = list(policy.gates[environment])
        for variation, place, value in zip(variations, places, values, strict=True):
            entries[place] = _varied(entries[place], variation, value)
        if entries != list(policy.gates[environment]):
            varied = policy.model_copy(update={"gates": {**policy.gates, environment: entries}})
            names = (variation.name for variation in variations)
            found.append(Variant(tuple(zip(names, values, strict=True)), varied, current=False))
    return found


def _place(policy: Policy, environment: str, variation: Variation) -> int:
    labels = policy.labels(environment)
    kinds = [entry.kind for entry in policy.gates.get(environment, [])]
    if variation.gate in labels:
        return labels.index(variation.gate)
    if kinds.count(variation.gate) == 1:
        return kinds.index(variation.gate)
    raise UsageError(
        f"{environment} has no gate {variation.gate!r}; it has {', '.join(labels) or 'none'}",
        remedy="name one of them with --vary GATE.PARAMETER=VALUES",
    )


def _varied(entry: GateEntry, variation: Variation, value: str) -> GateEntry:
    fields = {field.alias or name: name for name, field in type(entry.gate).model_fields.items()}
    if variation.parameter not in fields:
        raise UsageError(
            f"a {entry.kind} gate has no parameter {variation.parameter!r}; it has {', '.join(fields)}",
            remedy="see docs/reference/gates.md for what each is",
        )
    said = {name: getattr(entry, name) for name in ENTRY_FIELDS}
    gate = entry.gate.model_dump(by_alias=True, exclude_unset=True)
    problem = ""
    for reading in _readings(value):
        try:
            return GateEntry.model_validate({**said, entry.kind: {**gate, variation.parameter: reading}})
        except ValidationError as error:
            problem = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    raise UsageError(
        f"{variation.name} cannot be {value!r}: {problem}",
        remedy="see docs/reference/gates.md for what it takes",
    )


def _readings(value: str) -> Iterator[Any]:
    """Yield what a word on the command line may stand for, the likeliest first."""
    if _NUMBER.fullmatch(value):
        yield int(value)
    if value in ("true", "false"):
        yield value == "true"
    yield value
    yield [value]
