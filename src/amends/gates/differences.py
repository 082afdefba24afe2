"""What a new policy asks that an old one did not, and the other way round, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from amends.gates.bearings import Bearing, bearing_of, bearing_of_when
from amends.gates.entry import GateEntry
from amends.gates.policy import Policy


class Change(StrEnum):
    """What became of something that a policy asks."""

    STRICTER = "stricter"
    LOOSER = "looser"
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"  # neither stricter nor looser, or both at once
    WORDS = "words"  # names, owners and reasons: nothing that decides


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``environment`` and ``gate`` are empty for what concerns the whole policy."""

    change: Change
    text: str
    environment: str = ""
    gate: str = ""


_AS_CHANGE = {
    Bearing.STRICTER: Change.STRICTER, Bearing.LOOSER: Change.LOOSER, Bearing.OTHER: Change.CHANGED,
}  # fmt: skip


def compare_policies(old: Policy, new: Policy) -> list[Difference]:
    """Return every difference between two policies, in the new one's order of environments."""
    found = list(_of_the_whole(old, new))
    gone = [name for name in old.environments if name not in new.environments]
    for environment in (*new.environments, *gone):
        found += _of_environment(old, new, environment)
    return found


def _of_the_whole(old: Policy, new: Policy) -> Iterator[Difference]:
    for field in ("service", "team", "test"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield Difference(Change.WORDS, f"{field} is {after or 'not set'}, before {before or 'not set'}")
    if old.tier != new.tier:
        text = f"the service is {new.tier}, before {old.tier}; gates that depend on the tier change with it"
        yield Difference(Change.CHANGED, text)
    kept = [name for name in old.environments if name in new.environments]
    if kept != [name for name in new.environments if name in old.environments]:
        order = " → ".join(new.environments)
        yield Difference(Change.CHANGED, f"a release passes through {order}, before {' → '.join(kept)}")
    for part in ("rollout", "watch", "deploy", "replay"):
        before, after = (_plain(getattr(policy, part)) for policy in (old, new))
        fields = sorted(
            name for name in {*before, *after} if before.get(name) != after.get(name)
        )  # fmt: skip
        if fields:
            yield Difference(Change.CHANGED, f"{part} differs in {', '.join(fields)}")


def _of_environment(old: Policy, new: Policy, name: str) -> list[Difference]:
    before, after = old.gates.get(name), new.gates.get(name)
    found = []
    if name not in old.environments:
        found.append(Difference(Change.NEW, "is a new environment", name))
    elif name not in new.environments:
        return [Difference(Change.GONE, "is no environment of this policy any more", name)]
    if before is None and after is not None and name in old.environments:
        says = "gates are set" if after else "every release that is not quarantined may go"
        text = f"{says}; before, every release was undecided there"
        found.append(Difference(Change.LOOSER, text, name))
    if before is not None and after is None:
        text = "no gates are set any more: every release is undecided there"
        found.append(Difference(Change.STRICTER, text, name))
        return found
    pairs = pair_gates(before or [], after or [])
    labels = (dict(zip(_ids(entries or []), policy.labels(name), strict=True))
              for policy, entries in ((old, before), (new, after)))  # fmt: skip
    olds, news = labels
    for was, now in pairs:
        label = news[id(now)] if now is not None else olds[id(was)]
        found += [Difference(change, text, name, label) for change, text in _of_gate(was, now)]
    return found


def _ids(entries: Sequence[GateEntry]) -> list[int]:
    return [id(entry) for entry in entries]


def pair_gates(
    old: Sequence[GateEntry], new: Sequence[GateEntry]
) -> list[tuple[GateEntry | None, GateEntry | None]]:
    """Say which gate of the new list is which of the old: by name, else by kind, the same ones first."""
    left = list(old)
    found: list[tuple[GateEntry | None, GateEntry | None]] = []
    chosen: dict[int, GateEntry] = {}
    for fits in (_same_name, _same_gate, _same_kind):
        for now in new:
            was = next((one for one in left if id(now) not in chosen and fits(one, now)), None)
            if was is not None:
                chosen[id(now)] = was
                left = [one for one in left if one is not was]
    found = [(chosen.get(id(now)), now) for now in new]
    return [*found, *((was, None) for was in left)]


def _same_name(was: GateEntry, now: GateEntry) -> bool:
    return bool(was.name) and was.name == now.name and was.kind == now.kind


def _same_gate(was: GateEntry, now: GateEntry) -> bool:
    return was.kind == now.kind and was.gate == now.gate and not (was.name and now.name)


def _same_kind(was: GateEntry, now: GateEntry) -> bool:
    return was.kind == now.kind and not (was.name and now.name)


def _of_gate(was: GateEntry | None, now: GateEntry | None) -> Iterator[tuple[Change, str]]:
    if was is None and now is not None:
        only = "" if now.mode == "block" else " It observes only: it holds nothing up yet."
        yield Change.NEW, f"asks: {asks(now)}.{only}"
    elif now is None and was is not None:
        only = "" if was.mode == "block" else ", and only observed"
        yield Change.GONE, f"asked: {asks(was)}{only}."
    elif was is not None and now is not None:
        yield from _of_both(was, now)


def _of_both(was: GateEntry, now: GateEntry) -> Iterator[tuple[Change, str]]:
    if was.mode != now.mode:
        blocks = now.mode == "block"
        text = "blocks; before, it only observed." if blocks else "only observes; before, it blocked."
        yield Change.STRICTER if blocks else Change.LOOSER, text
    bearing = bearing_of(was.gate, now.gate)
    if bearing is not None:
        yield _AS_CHANGE[bearing], _before_and_after(was, now)
    whose = bearing_of_when(was.when, now.when)
    if whose is not None:
        before, after = (entry.when.wants() if entry.when else "everything" for entry in (was, now))
        yield _AS_CHANGE[whose], f"applies to {after}; before, to {before}."
    for field in ("name", "owner", "because"):
        before, after = getattr(was, field), getattr(now, field)
        if before != after:
            yield Change.WORDS, f"{field} is {after or 'not set'}; before, {before or 'not set'}."


def _before_and_after(was: GateEntry, now: GateEntry) -> str:
    only = "" if now.mode == "block" else " It observes only."
    before, after = was.gate.wants(), now.gate.wants()
    if before != after:
        return f"asks now: {after}; before: {before}.{only}"
    fields = {**_plain(was.gate), **_plain(now.gate)}
    told = [
        f"{name} is {_plain(now.gate).get(name)}, before {_plain(was.gate).get(name)}"
        for name in fields
        if _plain(was.gate).get(name) != _plain(now.gate).get(name)
    ]
    return f"{'; '.join(told)}.{only}"


def asks(entry: GateEntry) -> str:
    """Say what a gate asks for, and of what."""
    return entry.gate.wants() + (f"; for {entry.when.wants()}" if entry.when else "")


def _plain(part: Any) -> dict[str, Any]:
    found: dict[str, Any] = part.model_dump(mode="json", by_alias=True)
    return found
