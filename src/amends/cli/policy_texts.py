"""How what is found in policies is told: as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amends.application.log import Log
from amends.application.policies import check_policy, finding_data
from amends.gates.differences import Change, Difference
from amends.gates.policy import LoadedPolicy
from amends.gates.soundness import Finding, Weight

_EXIT = {Weight.FAULT: 2, Weight.DOUBT: 1, Weight.NOTE: 0}


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy with what was found in it."""

    loaded: LoadedPolicy
    findings: Sequence[Finding]
    with_log: bool

    @classmethod
    def of(cls, loaded: LoadedPolicy, now: datetime, log: Log | None) -> Checked:
        """Check a policy, against the log where there is one."""
        return cls(loaded, check_policy(loaded, now, log), log is not None)

    @property
    def exit_code(self) -> int:
        return max((_EXIT[found.weight] for found in self.findings), default=0)

    @property
    def gates(self) -> int:
        return sum(len(entries) for entries in self.loaded.policy.gates.values())


def checked_data(checked: Checked) -> dict[str, Any]:
    """Return a checked policy in plain values."""
    loaded = checked.loaded
    return {
        "path": loaded.path, "service": loaded.policy.service, "digest": loaded.digest,
        "gates": checked.gates, "sound": checked.exit_code == 0, "with_log": checked.with_log,
        "findings": [finding_data(loaded, found) for found in checked.findings],
    }  # fmt: skip


def checked_text(checked: Checked) -> str:
    """Return a checked policy as text: a headline, then each finding with its line and how to mend it."""
    loaded = checked.loaded
    faults = sum(found.weight is Weight.FAULT for found in checked.findings)
    doubts = sum(found.weight is Weight.DOUBT for found in checked.findings)
    counted = [
        f"{count} {word if count == 1 else word + 's'}"
        for count, word in ((faults, "fault"), (doubts, "doubt"))
        if count
    ]
    says = f"has {' and '.join(counted)}" if counted else "is sound"
    gates = "1 gate" if checked.gates == 1 else f"{checked.gates} gates"
    lines = [f"{loaded.path}: the policy of {loaded.policy.service} {says} ({gates})"]
    for found in checked.findings:
        where = f"{loaded.path}:{loaded.line_of(found.place)}"
        lines += [f"{where}: {found.weight}: {found.text}", f"  mend: {found.mend}"]
    if not checked.with_log:
        lines.append("not held against a log: its soaks, suites and environments may still not fit")
    return "\n".join(lines)


def explained_text(told: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield what each environment asks, a few lines for each gate."""
    means = {"block": "blocks", "observe": "observes"}
    for place in told:
        yield f"{place['environment']}: {place['summary']}"
        for gate in place["gates"]:
            yield f"  {gate['gate']} {means[gate['mode']]}: {gate['wants']}"
            more = (("for", gate["when"]), ("owner:", gate["owner"]), ("because:", gate["because"]))
            yield from (f"    {word} {text}" for word, text in more if text)


_TOLD = tuple(Change)


def differences_text(old: str, new: str, found: Sequence[Difference]) -> str:
    """Return differences as text, what makes it stricter first."""
    counts = [f"{n} {change}" for change in _TOLD if (n := sum(d.change is change for d in found))]
    if not found:
        return f"{new} asks the same as {old}"
    lines = [f"{new} against {old}: {', '.join(counts)}"]
    for one in sorted(found, key=lambda d: _TOLD.index(d.change)):
        where = ", ".join(word for word in (one.environment, one.gate) if word)
        lines.append(f"  {one.change:<8}  {where + ' ' if where else ''}{one.text}")
    return "\n".join(lines)


def differences_data(found: Iterable[Difference]) -> list[dict[str, str]]:
    """Return differences in plain values."""
    return [
        {"change": one.change.value, "environment": one.environment, "gate": one.gate, "text": one.text}
        for one in found
    ]
