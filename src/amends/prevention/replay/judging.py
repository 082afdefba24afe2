"""From the notebook of a replay to its decision: which fields differ beyond noise, and is that enough.

Every field is tested four times: *apart* and *shift* (see ``amends.stats.randomised``), on its values and on
their shapes. The budget of false alarms is one for all fields together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from amends.gates.replay_plan import Replay
from amends.prevention.replay.notebook import Notebook, Spread
from amends.stats.randomised import (
    Chance,
    Counts,
    apart_test,
    detectable_share,
    line_of,
    shift_test,
    tells,
    usual_of,
)  # fmt: skip
from amends.verdicts import Decision

ALPHA = 0.005
"""The probability that any field is called different when the candidate answers as the baseline does. Half of
the one per cent that a release may cost, as the other half is for what randomisation cannot even out."""
FIRST, MORE = 3, 8
"""Replies of each arm to every input, and to an input in which something varied. Equal for both arms, so that
whatever a server keeps from one reply to the next (caches, counters) is in both alike. One input that always
differs then has a p-value of 1/10 * 1/6435 at most."""


SMALLEST_SHAPE_SHIFT = 0.05
"""Timings are never quite alike in two processes; shapes that shift by less than that do not count."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which the candidate differs beyond the baseline's noise.

    ``way``: *always* (for some inputs), *at times*, or *shape* (of values that never repeat).
    ``requests`` are the inputs in which it showed, ``of`` how many have the field; ``noise`` is the share of
    comparisons of the baseline with itself that differ, ``p`` the exact p-value, ``adjusted`` that for all
    fields together. ``strays`` are the shares of replies that are not the usual one, of either arm.
    """

    field: str
    way: str
    requests: tuple[int, ...]
    of: int
    noise: float
    p: float
    adjusted: float
    baseline: str
    candidate: str
    strays: tuple[float, float] = (0.0, 0.0)

    @property
    def count(self) -> int:
        """The number of inputs in which it showed."""
        return len(self.requests)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a replay comes to. ``reasons`` say why it is no pass, or what it would have seen.

    ``requests`` were sent, ``usable`` of them had a reply of the baseline worth comparing, and in ``seen`` of
    those something could be compared. A change that touches ``detectable`` of the inputs or more would have
    shown with a probability of 95%. ``opaque`` fields hardly ever repeat: only their shape was compared.
    ``mended``: the baseline failed, the candidate did not.
    """

    decision: Decision
    reasons: tuple[str, ...]
    requests: int
    usable: int
    seen: int
    differences: tuple[Difference, ...]
    tests: int
    detectable: float
    noisy: tuple[tuple[str, float], ...] = ()
    opaque: tuple[str, ...] = ()
    mended: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tests:
    field: str
    apart: Chance
    shift: Chance
    shape_apart: Chance
    shape_shift: Chance

    @property
    def all(self) -> tuple[Chance, ...]:
        return (self.apart, self.shift, self.shape_apart, self.shape_shift)


def judge(notebook: Notebook, plan: Replay, trouble: Sequence[str] = ()) -> Judged:
    """Return the decision. ``trouble`` are reasons to doubt the run as a whole; with one nothing passes."""
    differences, tests, line = _differences(notebook, plan)
    answers = notebook.answers
    usable, seen = (sum(getattr(a, part) for a in answers.values()) for part in ("usable", "seen"))
    reasons = [*trouble, *_too_little(notebook, plan, usable, seen)]
    decision = Decision.UNDECIDED if reasons else Decision.PASS
    if differences:
        decision = Decision.BLOCK
    opaque = tuple(path for path in sorted(notebook.spreads) if _opaque(notebook, path))
    return Judged(
        decision, tuple(reasons), len(answers), usable, seen, differences, tests,
        detectable_share(math.floor(seen / _inputs_needed(line))),
        _noisy(notebook), opaque, tuple(sorted(i for i, a in answers.items() if a.mended)),
    )  # fmt: skip


def _inputs_needed(line: float) -> int:
    """Return how many inputs that always differ make a proof on their own."""
    one = 2 / math.comb(2 * FIRST, FIRST) * 2 / math.comb(2 * MORE, MORE)
    return max(1, math.ceil(math.log(line) / math.log(one)))


def _differences(notebook: Notebook, plan: Replay) -> tuple[tuple[Difference, ...], int, float]:
    mended = {request for request, answer in notebook.answers.items() if answer.mended}
    tested = [
        _without_mended(path, spreads, mended)
        for path, spreads in sorted(notebook.spreads.items())
        if plan.added_fields == "block" or path in notebook.of_baseline
    ]
    every = [test for one in tested for test in one.all]
    line = line_of(every, ALPHA)
    within = max(1, round(ALPHA / line))
    found = [_difference(notebook, one, line, within, plan) for one in tested]
    return tuple(one for one in found if one), sum(test.least <= line for test in every), line


def _without_mended(path: str, spreads: Sequence[Spread], mended: set[int]) -> _Tests:
    """Return the tests of a field, each no surer than it is without the inputs that the candidate mended.

    Leaving those out at once would make the remaining noise look like the candidate's.
    """
    whole = _tested(path, spreads)
    rest = [spread for spread in spreads if spread.request not in mended]
    if len(rest) == len(spreads):
        return whole
    pairs = zip(whole.all, _tested(path, rest).all, strict=True)
    return _Tests(path, *(Chance(max(one.p, other.p), one.least) for one, other in pairs))


def _tested(path: str, spreads: Sequence[Spread]) -> _Tests:
    values = [look for spread in spreads for look in spread.looks]
    shapes = [look for spread in spreads for look in spread.shapes if len(look) > 1]
    if not any(any(_hides(look) for look in spread.looks) for spread in spreads):
        shapes = []  # where values repeat, their shapes only say the same again
    return _Tests(path, apart_test(values), shift_test(values), apart_test(shapes), shift_test(shapes))


def _hides(look: Sequence[tuple[int, int]]) -> bool:
    """Return whether hardly a value repeats, so that values alone tell little."""
    return len(look) * 2 > sum(a + b for a, b in look)


def _difference(
    notebook: Notebook, tested: _Tests, line: float, within: int, plan: Replay
) -> Difference | None:
    spreads = [s for s in notebook.spreads[tested.field] if not notebook.answers[s.request].mended]
    strays, shapes = _strays(spreads, notebook.present[tested.field])
    shifted = abs(strays[1] - strays[0]) >= plan.smallest_shift
    reshaped = abs(shapes[1] - shapes[0]) >= max(SMALLEST_SHAPE_SHIFT, plan.smallest_shift)
    if tested.apart.p <= line:
        way, p, mine = "always", tested.apart.p, [s for s in spreads if s.always]
    elif tested.shift.p <= line and shifted:
        way, p, mine = "at times", tested.shift.p, [s for s in spreads if s.at_times]
    elif (p := min(tested.shape_apart.p, tested.shape_shift.p if reshaped else 1.0)) <= line:
        way, mine = "shape", [s for s in spreads if any(not (a and b) for look in s.shapes for a, b in look)]
    else:
        return None
    shown = next((s for s in [*mine, *spreads] if s.baseline != s.candidate), None)
    return Difference(
        tested.field, way, tuple(s.request for s in mine), notebook.present[tested.field],
        notebook.noise_of(tested.field), p, min(1.0, p * within),
        shown.baseline if shown else "", shown.candidate if shown else "", strays,
    )  # fmt: skip


def _strays(spreads: Sequence[Spread], present: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return each arm's share of replies that are not the usual one: of values, and of shapes.

    Of the first look alone, for which inputs were not chosen by what varied.
    """
    replies = max(1, present * FIRST)
    values = [_stray(spread.looks[0]) for spread in spreads]
    shapes = [_stray(spread.shapes[0]) for spread in spreads]
    return _shares(values, replies), _shares(shapes, replies)


def _stray(look: Counts) -> tuple[int, int]:
    usual = usual_of(look)
    return sum(a for a, _ in look) - look[usual][0], sum(b for _, b in look) - look[usual][1]


def _shares(strays: Sequence[tuple[int, int]], replies: int) -> tuple[float, float]:
    return sum(a for a, _ in strays) / replies, sum(b for _, b in strays) / replies


def _opaque(notebook: Notebook, path: str) -> bool:
    """Return whether nine of ten inputs with the field have no value in it that repeats."""
    silent = sum(not any(tells(look) for look in spread.looks) for spread in notebook.spreads[path])
    return silent >= 0.9 * notebook.present[path]


def _noisy(notebook: Notebook) -> tuple[tuple[str, float], ...]:
    found = [(path, notebook.noise_of(path)) for path in notebook.spreads]
    return tuple(sorted((one for one in found if one[1] > 0), key=lambda one: (-one[1], one[0])))


def _too_little(notebook: Notebook, plan: Replay, usable: int, seen: int) -> list[str]:
    """Return why too little was compared to call a silence health."""
    sent = len(notebook.answers)
    if seen >= plan.at_least:
        return []
    if not sent:
        return ["nothing was sent"]
    if usable >= plan.at_least:
        return [
            f"in {usable - seen} of {usable} inputs nothing of the baseline's body stays the same from one "
            "reply to the next, so there is nothing to compare with; mask or ignore what varies"
        ]
    if sent < plan.at_least and usable * 2 >= sent:
        return [
            f"{sent} distinct {'input' if sent == 1 else 'inputs'} sent, at least {plan.at_least} wanted: "
            "fewer would miss what concerns few inputs; record more, or lower `replay: at_least`"
        ]
    worst = Counter(a.status for a in notebook.answers.values() if not a.usable).most_common(1)[0]
    return [
        f"the baseline gave a reply worth comparing to only {usable} of {sent} inputs (at least "
        f"{plan.at_least} wanted); to {worst[1]} it gave {worst[0]}{_advice(worst[0])}"
    ]


def _advice(status: str) -> str:
    if status in ("401", "403"):
        return ": give credentials with --header, as recorded ones are redacted"
    if status == "429":
        return ": lower --rate"
    return ": start it with what it needs (data, neighbours), then replay again"
