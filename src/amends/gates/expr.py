"""The expr gate: a condition in CEL, the Common Expression Language (https://cel.dev), row by row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from amends.gates.gate import (
    BLOCK,
    ERROR,
    PASS,
    UNDECIDED,
    Gate,
    GateColumn,
    Setting,
    no_time,
    undated_reason,
    unless_undated,
)  # fmt: skip
from amends.gates.table import EvidenceTable, items_of
from amends.gates.variables import VARIABLES, Scope, Variable

_FAULT = re.compile(r"<input>:(\d+):(\d+): (.*?)(?: \(in container '.*?'\))?\n \| (.*)\n")
_NO_KEY = "NOT_FOUND: "
_QUOTED = re.compile(r"""(\"{3}|'{3}|["'])(?:\\.|(?!\1).)*\1|//[^\n]*""", re.DOTALL)
_BY_ZERO = re.compile(r"[/%]\s*-?0+u?(?![\w.])")


def compiled(text: str) -> Any:
    """Return the checked expression.

    Raises ``ValueError`` with a caret at what is wrong: no CEL, an unknown name, types that do not fit, or a
    result that is no boolean.
    """
    try:
        found = _environment().compile(text)
    except RuntimeError as error:
        raise ValueError(_with_caret(str(error))) from None
    from cel_expr_python import cel

    if found.return_type() != cel.Type.BOOL:
        raise ValueError(
            f"it gives {_type_name(found.return_type())}, not true or false; compare it with something"
        )
    by_zero = _BY_ZERO.search(_QUOTED.sub(lambda quoted: " " * len(quoted[0]), text))
    if by_zero:
        raise ValueError(_pointed("it divides by zero", text, by_zero.start()))
    return found


@lru_cache(maxsize=1)
def _environment() -> Any:
    """Return what an expression may name. Dotted names are declared whole, so that a typo is found."""
    from cel_expr_python import cel

    kind = cel.Type
    types = {
        "int": kind.INT, "string": kind.STRING, "timestamp": kind.TIMESTAMP, "list": kind.List(kind.STRING),
        "texts": kind.Map(kind.STRING, kind.STRING), "flags": kind.Map(kind.STRING, kind.BOOL),
        "numbers": kind.Map(kind.STRING, kind.DOUBLE), "counts": kind.Map(kind.STRING, kind.INT),
    }  # fmt: skip
    return cel.NewEnv(variables={variable.name: types[variable.type] for variable in VARIABLES})


_compiled = lru_cache(maxsize=64)(compiled)


def _checked(text: str) -> str:
    _compiled(text)
    return text


class Expression(Gate):
    """A condition in CEL that holds for the release: for what no other gate asks.

    It is checked when the policy is read: unknown names, types that do not fit and `/ 0` are faults of the
    policy. Only true passes; false blocks. Where the answer needs what nobody recorded (a value, or the key
    of a map) it is undecided; any other result, a division by zero for one, is an error. `soak.…` is known of
    the `environments` that are listed, `running` and `open_incidents` of the `services`.
    """

    cel: Annotated[str, AfterValidator(_checked)] = Field(
        min_length=1, description='for example: release.lines < 400 || sign_offs["qa"]'
    )
    says: str = Field(default="", description="what it asks for, in words")
    places: list[str] = Field(
        default_factory=list, alias="environments", description="environments at whose past it looks"
    )
    services: list[Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]] = Field(
        default_factory=list, description="other services at which it looks: payments/production"
    )

    def wants(self) -> str:
        """Say what the gate asks for."""
        return self.says or " ".join(self.cel.split())

    def variables(self) -> tuple[Variable, ...]:
        """Return the variables that the expression names."""
        return tuple(v for v in VARIABLES if re.search(rf"(?<![\w.]){re.escape(v.name)}(?!\w)", self.cel))

    def families(self) -> tuple[str, ...]:
        """Return what the variables are read from."""
        return tuple(dict.fromkeys(family for v in self.variables() for family in v.families))

    def environments(self) -> tuple[str, ...]:
        """Return the environments that it names."""
        return tuple(self.places)

    def neighbours(self) -> tuple[tuple[str, str], ...]:
        """Return the services that it names, each with where."""
        pairs = (name.partition("/") for name in self.services)
        return tuple((service, place) for service, _, place in pairs)

    def teams(self, own: str, /) -> tuple[str, ...]:
        """Return the service's own team, where shifts are asked for."""
        return (own,) if own and "shifts" in self.families() else ()

    def decide(self, table: EvidenceTable, setting: Setting, /) -> GateColumn:
        """Answer every row by evaluating the expression on its values."""
        expression, variables, families = _compiled(self.cel), self.variables(), self.families()

        def answer(row: int) -> tuple[int, str]:
            scope = Scope(table, row, setting, self.environments(), tuple(self.services))
            return _evaluate(expression, {v.name: v.value(scope) for v in variables})

        decision = np.array([answer(row)[0] for row in range(len(table))], dtype=np.int8)
        if families:
            decision = unless_undated(decision, table, *families)

        def reason(row: int) -> str:
            undated = undated_reason(table, row, *families) if families else ""
            return undated or f"{answer(row)[1]}; required: {self.wants()}"

        return GateColumn(decision, reason, lambda row: _events(table, families, row), no_time(table))


def _evaluate(expression: Any, values: dict[str, Any]) -> tuple[int, str]:
    """Return the decision and what was found.

    The library gives a runtime error back as a value, which Python takes for true: only a value of CEL's own
    type bool, and of it only true, passes.
    """
    from cel_expr_python import cel

    found = expression.eval(data={name: value for name, value in values.items() if value is not None})
    known = ", ".join(f"{name} is {_shown(value)}" for name, value in values.items() if value is not None)
    if found.type() == cel.Type.BOOL and found.value() is True:
        return PASS, known or "it holds"
    if found.type() == cel.Type.BOOL and found.value() is False:
        return BLOCK, known or "it does not hold"
    missing = [name for name, value in values.items() if value is None]
    if missing:
        return UNDECIDED, f"nobody recorded {' or '.join(missing)}"
    if str(found.value()).startswith(_NO_KEY):
        key = str(found.value()).rpartition(" : ")[2]
        return UNDECIDED, f"nobody recorded {key}" + (f": {known}" if known else "")
    problem = str(found.value()).partition(": ")[2] or str(found.value())
    return ERROR, f"it has no answer ({problem[:1].lower()}{problem[1:]})" + (f": {known}" if known else "")


def _shown(value: Any) -> str:
    if isinstance(value, dict) and value:
        inside = ", ".join(f"{key}: {_shown(item)}" for key, item in sorted(value.items()))
        return f"{{{inside}}}"
    if isinstance(value, list | dict):
        more = f" and {len(value) - 3} more" if len(value) > 3 else ""
        return ", ".join(map(str, list(value)[:3])) + more if value else "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _events(table: EvidenceTable, families: Iterable[str], row: int) -> tuple[str, ...]:
    """Return the events of what the expression may rest on."""
    relations: dict[str, tuple[Any, ...]] = {
        "changes": (table.changes,), "reviews": (table.verdicts,), "suites": (table.suites,),
        "edge_cases": (table.edge_cases,), "amendments": (table.guards,), "sign_offs": (table.sign_offs,),
        "deployments": (table.stays,), "shifts": (table.shifts,), "results": (table.results,),
        "neighbours": (table.neighbours,),
    }  # fmt: skip
    found = [
        relation.event[items_of(relation, row)]
        for family in families for relation in relations.get(family, ())
    ]  # fmt: skip
    return table.ids(np.concatenate(found)) if found else ()


def _with_caret(text: str) -> str:
    """Return the first fault that the compiler found: what, where, what was probably meant, and a caret."""
    found = _FAULT.search(text + "\n")
    if found is None:
        return text
    line, column, fault, shown = int(found[1]), int(found[2]), found[3], found[4]
    fault = fault.partition(" expecting {")[0]
    caret = " " * (column - 1) + "^"
    return f"{fault}{_hint(fault)} (line {line}, character {column})\n    {shown}\n    {caret}"


def _pointed(fault: str, text: str, at: int) -> str:
    """Return a fault with its line and a caret under the character at which it is."""
    before = text[:at].split("\n")
    shown, caret = text.split("\n")[len(before) - 1], " " * len(before[-1]) + "^"
    return f"{fault} (line {len(before)}, character {len(before[-1]) + 1})\n    {shown}\n    {caret}"


def _hint(fault: str) -> str:
    name = re.search(r"undeclared reference to '(.+?)'", fault)
    if name:
        near = get_close_matches(name[1], [variable.name for variable in VARIABLES], n=1, cutoff=0.5)
        allowed = ", ".join(variable.name for variable in VARIABLES)
        return f"; did you mean `{near[0]}`?" if near else f"; allowed: {allowed}"
    if "(double, int)" in fault or "(int, double)" in fault:
        return "; write a whole number that is compared with a decimal one as 2.0"
    return ""


def _type_name(kind: Any) -> str:
    names = {"INT": "a number", "DOUBLE": "a number", "STRING": "text", "DYN": "something unknown"}
    return names.get(str(kind), str(kind).lower())
