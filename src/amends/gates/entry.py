"""One line of a policy: a gate with its mode, its owner and why it is there."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from amends.gates.attestation import Attestation
from amends.gates.depends_on import DependsOn
from amends.gates.edge_cases import DocumentedEdgeCases
from amends.gates.expr import Expression
from amends.gates.gate import Gate
from amends.gates.proofs import Proofs
from amends.gates.results import Replayed, Watched
from amends.gates.review import Review
from amends.gates.shape import Strict
from amends.gates.sign_off import SignOff
from amends.gates.soak import Soak
from amends.gates.tests import Tests
from amends.gates.watchers import Watchers
from amends.gates.when import When
from amends.gates.window import Window

ENTRY_FIELDS = ("mode", "when", "name", "owner", "because")


def _entry_schema(schema: dict[str, Any]) -> None:
    kinds = [name for name in schema["properties"] if name not in ENTRY_FIELDS]
    for kind in kinds:
        schema["properties"][kind].pop("default", None)
    schema["oneOf"] = [{"required": [kind]} for kind in kinds]


class GateEntry(Strict):
    """A gate as the policy lists it: ``{review: {approvals: 2}, mode: block, because: added after INC-7}``.

    A gate without a ``mode`` *observes*: it is evaluated, shown and recorded with what it would have done,
    and does not count. That is how every new gate begins; ``mode: block`` makes it count.
    """

    model_config = ConfigDict(json_schema_extra=_entry_schema)

    # The one place where a gate is registered: its name in the policy, and its class.
    review: Review | None = None
    tests: Tests | None = None
    sign_off: SignOff | None = None
    soak: Soak | None = None
    window: Window | None = None
    watchers: Watchers | None = None
    edge_cases: DocumentedEdgeCases | None = None
    proofs: Proofs | None = None
    replay: Replayed | None = None
    watch: Watched | None = None
    depends_on: DependsOn | None = None
    attestation: Attestation | None = None
    expr: Expression | None = None

    mode: Literal["observe", "block"] = Field(default="observe", description="observe until set to block")
    when: When | None = Field(default=None, description="where it applies; everywhere, if not said")
    name: str = Field(default="", description="what the gate is called; its kind, if empty")
    owner: str = Field(default="", description="the team that answers for the gate")
    because: str = Field(default="", description="why it is there, for example: added after INC-7")

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        """Take ``- review:`` and ``- review`` for a gate with its defaults."""
        if isinstance(value, str) and value in gate_kinds():
            return {value: {}}
        if isinstance(value, dict):
            return {k: {} if v is None and k in gate_kinds() else v for k, v in value.items()}
        return value

    @model_validator(mode="after")
    def _one_gate(self) -> Self:
        found = [kind for kind in gate_kinds() if getattr(self, kind) is not None]
        if len(found) != 1:
            what = f"found {' and '.join(found)}" if found else "found none"
            raise ValueError(f"an entry holds exactly one gate, {what}; allowed: {', '.join(gate_kinds())}")
        return self

    @property
    def kind(self) -> str:
        """The gate's kind: ``review``, ``tests``…"""
        return next(kind for kind in gate_kinds() if getattr(self, kind) is not None)

    @property
    def gate(self) -> Gate:
        """The gate's parameters, which know how to decide."""
        gate: Gate = getattr(self, self.kind)
        return gate

    def families(self) -> frozenset[str]:
        """Return the families of facts that the gate reads, and that say where it applies."""
        return frozenset(self.gate.families()) | (self.when.families() if self.when else frozenset())


@cache
def gate_kinds() -> tuple[str, ...]:
    """Return the kinds of gate that a policy may name."""
    return tuple(name for name in GateEntry.model_fields if name not in ENTRY_FIELDS)
