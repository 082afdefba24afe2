"""``amends.yaml`` as a file: reading it with the line of every fault, and adding a gate to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amends.adapters.policyfile.adding import add_gate
    from amends.adapters.policyfile.reading import load_policy, parse_gate, parse_policy

__all__ = ["add_gate", "load_policy", "parse_gate", "parse_policy"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: the models take a while, and not all need them."""
    if name == "add_gate":
        from amends.adapters.policyfile.adding import add_gate

        return add_gate
    if name in ("load_policy", "parse_gate", "parse_policy"):
        from amends.adapters.policyfile import reading

        return getattr(reading, name)
    raise AttributeError(name)
