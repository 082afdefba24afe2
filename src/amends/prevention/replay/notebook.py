"""What is kept of the replies while a replay runs: per field, the inputs in which it did not stay the same.

Memory grows with what varied, not with what was sent: replies themselves are not kept.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from amends.prevention.replay.flatten import Fields
from amends.prevention.replay.shapes import shape_of
from amends.stats.randomised import Counts, is_apart, tells

ABSENT = "(not there)"
MOST_FIELDS = 20_000
_MORE = "(more fields)"
MOST_EXAMPLES = 50
"""Inputs of which a field's values are kept for a reader."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One reply to an input: the arm that gave it, its fields, its status (which may be an ignored field)."""

    candidate: bool
    fields: Fields
    status: str


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of one field are spread over an input's replies, look by look.

    ``shapes`` are the same for the values' shapes. ``baseline`` and ``candidate`` are each arm's most
    frequent value, for a reader; only some are kept.
    """

    request: int
    looks: tuple[Counts, ...]
    shapes: tuple[Counts, ...]
    baseline: str = ""
    candidate: str = ""

    @property
    def always(self) -> bool:
        """Whether the candidate never answered as the baseline did, where the baseline repeats itself."""
        return all(is_apart(look) for look in self.looks) and any(tells(look) for look in self.looks)

    @property
    def at_times(self) -> bool:
        """Whether one of the two gave a value that the other did not, where values repeat."""
        return any(tells(look) and any(not (a and b) for a, b in look) for look in self.looks)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an input's replies are worth.

    ``compared``: somebody gave a reply worth comparing, whoever it was (were it asked of the baseline alone,
    noise in the status would look like the candidate's). ``usable``: most of the baseline's are. ``seen``:
    something of its body, or that there is none, stayed the same over the baseline's replies. ``mended``: the
    baseline's never are, and the candidate's are.
    """

    compared: bool
    usable: bool
    seen: bool
    mended: bool
    status: str


@dataclass(slots=True)
class Notebook:
    """The replies so far. ``present`` counts in how many inputs a field was there at all."""

    present: Counter[str] = field(default_factory=Counter)
    spreads: dict[str, list[Spread]] = field(default_factory=lambda: defaultdict(list))
    noise: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    answers: dict[int, Answer] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    of_baseline: set[str] = field(default_factory=set)
    """Fields that were in any reply of the baseline; the others were added by the candidate."""
    examples: Counter[str] = field(default_factory=Counter)

    def add(self, request: int, looks: Sequence[Sequence[Slot]], recorded: int | None) -> Answer:
        """Take in all replies to one input."""
        answer = worth(looks, recorded)
        self.answers[request] = answer
        if answer.compared:
            looks = [[Slot(s.candidate, self._bounded(s.fields), s.status) for s in look] for look in looks]
            every = [slot.fields for look in looks for slot in look]
            alike = math.comb(sum(not slot.candidate for slot in looks[0]), 2)
            for path in sorted(set().union(*every)):
                self.present[path] += 1
                value = every[0].get(path)
                if all(fields.get(path) == value for fields in every):
                    self.noise[path][1] += alike
                    self.of_baseline.add(path)
                else:
                    self._take(request, path, looks)
        return answer

    def _bounded(self, fields: Fields) -> Fields:
        """Join what is beyond the number of fields that are told apart."""
        fresh = [path for path in fields if path not in self.known]
        room = MOST_FIELDS - len(self.known)
        self.known.update(fresh[:room])
        beyond = fresh[room:] if room < len(fresh) else []
        if not beyond:
            return fields
        kept = {path: value for path, value in fields.items() if path in self.known}
        return {**kept, _MORE: str(sorted((path, fields[path]) for path in beyond))}

    def _take(self, request: int, path: str, looks: Sequence[Sequence[Slot]]) -> None:
        values = [[slot.fields.get(path, ABSENT) for slot in look] for look in looks]
        first = [v for v, slot in zip(values[0], looks[0], strict=True) if not slot.candidate]
        self._learn(path, first)
        arms = [[slot.candidate for slot in look] for look in looks]
        told = [
            (v, c) for look, arm in zip(values, arms, strict=True) for v, c in zip(look, arm, strict=True)
        ]
        if any(v != ABSENT and not c for v, c in told):
            self.of_baseline.add(path)
        shapes = [[v if v == ABSENT else shape_of(v) for v in look] for look in values]
        spread = Spread(
            request,
            tuple(counted(v, a) for v, a in zip(values, arms, strict=True)),
            tuple(counted(v, a) for v, a in zip(shapes, arms, strict=True)),
        )  # fmt: skip
        if (spread.always or spread.at_times) and self.examples[path] < MOST_EXAMPLES:
            self.examples[path] += 1
            ours, theirs = [v for v, c in told if not c], [v for v, c in told if c]
            spread = _with_examples(spread, ours, theirs)
        self.spreads[path].append(spread)

    def _learn(self, path: str, values: Sequence[str]) -> None:
        """Add the pairs of the baseline's first replies: those that differ, and all."""
        pairs = len(values) * (len(values) - 1) // 2
        same = sum(n * (n - 1) // 2 for n in Counter(values).values())
        seen = self.noise[path]
        seen[0] += pairs - same
        seen[1] += pairs

    def noise_of(self, path: str) -> float:
        """Return the share of comparisons of two replies of the baseline to one input that differ."""
        differ, pairs = self.noise.get(path, (0, 0))
        return differ / pairs if pairs else 0.0


def counted(values: Sequence[str], arms: Sequence[bool]) -> Counts:
    """Return how often each value came from either arm, in the order in which they came first."""
    found: dict[str, list[int]] = {}
    for value, candidate in zip(values, arms, strict=True):
        found.setdefault(value, [0, 0])[candidate] += 1
    return tuple((a, b) for a, b in found.values())


def asks_again(slots: Sequence[Slot]) -> bool:
    """Return whether an input is worth more replies: a field varied, and not just always.

    Looks at the replies without regard to who gave them: choosing inputs by that keeps the tests exact.
    """
    arms = [slot.candidate for slot in slots]
    for path in {path for slot in slots for path in slot.fields}:
        values = [slot.fields.get(path, ABSENT) for slot in slots]
        if len(set(values)) == 1:
            continue
        if tells(counted(values, arms)) or tells(counted([shape_of(v) for v in values], arms)):
            return True
    return False


def worth(looks: Sequence[Sequence[Slot]], recorded: int | None) -> Answer:
    """Return what an input's replies are worth.

    A reply is worth comparing when its status is below 400, or what production answered. One of 500 or more
    and 429 say nothing about the release, whatever production answered.
    """
    ours = [slot for look in looks for slot in look if not slot.candidate]
    good = [slot for slot in ours if _is_worth(slot.status, recorded)]
    theirs = any(_is_worth(s.status, recorded) for look in looks for s in look if s.candidate)
    usable = 2 * len(good) > len(ours)
    seen = usable and any(_stable(path, good) for path in good[0].fields if path.startswith("body"))
    status = Counter(slot.status for slot in ours).most_common(1)[0][0]
    return Answer(bool(good) or theirs, usable, seen, theirs and not good, status)


def _is_worth(status: str, recorded: int | None) -> bool:
    if not status.isdigit() or int(status) >= 500 or status == "429":
        return False
    return int(status) < 400 or int(status) == recorded


def _stable(path: str, slots: Sequence[Slot]) -> bool:
    """Return whether a field with content stayed the same. The number of elements is none, unless it is 0."""
    values = {slot.fields.get(path, ABSENT) for slot in slots}
    if len(values) != 1:
        return False
    [value] = values
    if path.startswith("body~"):
        return value == "empty"
    return not path.endswith("[#]") or value == "0"


def _with_examples(spread: Spread, ours: Sequence[str], theirs: Sequence[str]) -> Spread:
    """Add each arm's most frequent value, the candidate's from those that the baseline never gave."""
    novel = [value for value in theirs if value not in set(ours)] or theirs
    return replace(spread, baseline=_most_frequent(ours), candidate=_most_frequent(novel))


def _most_frequent(values: Sequence[str]) -> str:
    return Counter(values).most_common(1)[0][0]
