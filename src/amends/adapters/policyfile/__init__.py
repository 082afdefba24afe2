"""``amends.yaml`` as a file: reading it with the line of every fault, and adding a gate to it."""

from amends.adapters.policyfile.adding import add_gate
from amends.adapters.policyfile.reading import load_policy, parse_policy

__all__ = ["add_gate", "load_policy", "parse_policy"]
