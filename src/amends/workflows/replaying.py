"""Replaying: every recorded input to baseline and candidate, in an order that chance deals out.

For each input the replies of both are asked for in turn, and which of the turns are the candidate's is drawn
anew for each. That alone makes the tests of ``amends.stats.randomised`` exact. Inputs in which something
varied, whoever's reply it was, are asked again more often.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from amends.application.ports import Sender
from amends.errors import AmendsError
from amends.gates.replay_plan import Replay
from amends.prevention.replay.causes import Cause, group_causes
from amends.prevention.replay.flatten import fields_of
from amends.prevention.replay.judging import FIRST, MORE, Judged, judge
from amends.prevention.replay.notebook import Notebook, Slot, asks_again, worth
from amends.prevention.replay.recorded import Recorded, Reply
from amends.prevention.replay.rules import Rules, rules_of

DEAD_AFTER = 20
"""Replies in a row that did not come, after which a service is not asked any more."""
_PROBES = 3
Told = Callable[[int, int], None]
"""Is told how many inputs are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay came to. ``sends`` counts requests; ``set_aside`` are fields in which two instances of
    the baseline differ from each other, which therefore did not count."""

    judged: Judged
    causes: tuple[Cause, ...]
    sends: int
    set_aside: tuple[str, ...] = ()


class _Line:
    """A sender, and whether it still answers."""

    def __init__(self, sender: Sender, name: str) -> None:
        self.sender, self.name = sender, name
        self.sends = self._silent = 0
        self._left = False
        self._lock = threading.Lock()

    @property
    def dead(self) -> bool:
        return self._silent >= DEAD_AFTER

    def send(self, request: Recorded) -> Reply:
        """Send, unless the service was given up: then its silence is the reply."""
        if self.dead or self._left:
            return Reply(None, failure="it had stopped answering")
        reply = self.sender.send(request)
        with self._lock:
            self.sends += 1
            self._silent = self._silent + 1 if reply.status is None else 0
        return reply

    def leave(self) -> None:
        """Send nothing more: what is under way would otherwise hold up whoever interrupts."""
        self._left = True

    def probe(self, requests: Iterable[Recorded]) -> None:
        """Raise ``AmendsError`` when none of a few requests is answered at all."""
        reply = Reply(None, failure="nothing was sent")
        for request in requests:
            reply = self.send(request)
            if reply.status is not None:
                return
        raise AmendsError(
            f"the {self.name} cannot be reached: it {reply.failure}", where=self.sender.addresses[0],
            remedy="check that it runs, and its address",
        )  # fmt: skip


def replay(
    inputs: Sequence[Recorded], baseline: Sender, candidate: Sender, plan: Replay, *, seed: int,
    twin: Sender | None = None, told: Told | None = None,
) -> Played:  # fmt: skip
    """Send every input to both, compare, decide.

    Parameters
    ----------
    seed:
        What the order of replies is drawn from.
    twin:
        Another instance of the baseline. It is compared with the baseline first, and fields in which the two
        differ (a host name, an order that a process keeps to) do not count against the candidate.

    Raises ``AmendsError`` when a service cannot be reached at all.
    """
    whole = len(inputs) * (2 if twin else 1)
    done = whole - len(inputs)

    def tell(count: int) -> None:
        if told:
            told(count, whole)

    aside: tuple[str, ...] = ()
    sends = 0
    if twin is not None:
        first = _compare(inputs, (baseline, twin), ("baseline", "twin"), plan, seed + 1, tell)
        aside = tuple(one.field for one in first.judged.differences)
        sends = first.sends
    names = ("baseline", "candidate")
    found = _compare(
        inputs, (baseline, candidate), names, plan, seed, lambda count: tell(done + count), frozenset(aside)
    )
    return Played(found.judged, found.causes, sends + found.sends, aside)


def _compare(
    inputs: Sequence[Recorded], senders: tuple[Sender, Sender], names: tuple[str, str], plan: Replay,
    seed: int, told: Callable[[int], None], aside: frozenset[str] = frozenset(),
) -> Played:  # fmt: skip
    lines = (_Line(senders[0], names[0]), _Line(senders[1], names[1]))
    for line in lines:
        line.probe(inputs[:_PROBES])
    rules = rules_of(plan)
    notebook = Notebook()
    for index, looks in _all_looks(inputs, lines, rules, plan.concurrency, seed):
        kept = [[Slot(s.candidate, _without(s, aside), s.status) for s in look] for look in looks]
        notebook.add(index, kept, inputs[index].status)
        told(index + 1)
    judged = judge(notebook, plan, _trouble(lines, len(inputs) - len(notebook.answers)))
    compared = {i: inputs[i] for i, answer in notebook.answers.items() if answer.compared}
    return Played(judged, group_causes(judged.differences, compared), sum(line.sends for line in lines))


def _without(slot: Slot, aside: frozenset[str]) -> dict[str, str]:
    return {k: v for k, v in slot.fields.items() if k not in aside} if aside else slot.fields


def _trouble(lines: Sequence[_Line], left: int) -> list[str]:
    not_sent = f"; {left} inputs were not sent" if left else ""
    return [f"the {line.name} stopped answering{not_sent}" for line in lines if line.dead]


def _all_looks(
    inputs: Sequence[Recorded], lines: tuple[_Line, _Line], rules: Rules, jobs: int, seed: int
) -> Iterator[tuple[int, list[list[Slot]]]]:
    """Yield each input's replies in the order of the inputs; few are under way at any time."""
    waiting: deque[tuple[int, Future[list[list[Slot]]]]] = deque()
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="replay")
    try:
        for index, request in enumerate(inputs):
            if any(line.dead for line in lines):
                break
            waiting.append((index, pool.submit(_looks, request, index, lines, rules, seed)))
            if len(waiting) >= 2 * jobs:
                first, future = waiting.popleft()
                yield first, future.result()
        for index, future in waiting:
            yield index, future.result()
    finally:
        for line in lines:
            line.leave()
        pool.shutdown(cancel_futures=True)


def _looks(
    request: Recorded, index: int, lines: tuple[_Line, _Line], rules: Rules, seed: int
) -> list[list[Slot]]:
    chance = np.random.default_rng([seed, index])
    looks = [_look(request, lines, rules, chance, FIRST)]
    if worth(looks, request.status).compared and asks_again(looks[0]):
        looks.append(_look(request, lines, rules, chance, MORE))
    return looks


def _look(
    request: Recorded, lines: tuple[_Line, _Line], rules: Rules, chance: np.random.Generator, each: int
) -> list[Slot]:
    slots = []
    for candidate in chance.permutation([False] * each + [True] * each):
        line = lines[int(candidate)]
        reply = line.send(request)
        fields = fields_of(reply, rules, line.sender.addresses)
        status = "no answer" if reply.status is None else str(reply.status)
        slots.append(Slot(bool(candidate), fields, status))
    return slots
