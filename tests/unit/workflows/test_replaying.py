"""Replaying against services in memory."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable

import pytest

from amends.errors import AmendsError
from amends.gates.replay_plan import Replay
from amends.prevention.replay.recorded import Recorded, Reply
from amends.verdicts import Decision
from amends.workflows.replaying import DEAD_AFTER, replay

INPUTS = [Recorded(f"{n}.json", "GET", f"/items/{n}", status=200) for n in range(160)]
JSON = (("content-type", "application/json"),)


class Service:
    """Answers by a function; counts what is under way at once."""

    addresses = ("http://here",)

    def __init__(self, answer: Callable[[int], Reply]) -> None:
        self.answer, self.asked, self.most, self._now = answer, 0, 0, 0
        self._lock = threading.Lock()

    def send(self, request: Recorded) -> Reply:
        with self._lock:
            self.asked += 1
            self._now += 1
            self.most = max(self.most, self._now)
        reply = self.answer(int(request.path.rsplit("/", 1)[1]))
        with self._lock:
            self._now -= 1
        return reply


def body(**fields: object) -> Reply:
    return Reply(200, JSON, json.dumps(fields).encode())


def shop() -> Service:
    return Service(lambda n: body(id=n, price=n * 2))


def test_a_candidate_that_answers_the_same_passes_with_few_sends() -> None:
    baseline, candidate, seen = shop(), shop(), []
    found = replay(
        INPUTS, baseline, candidate, Replay(concurrency=3), seed=1, told=lambda *at: seen.append(at)
    )
    assert found.judged.decision is Decision.PASS
    assert baseline.asked == candidate.asked == 3 * len(INPUTS) + 1
    assert found.sends == 6 * len(INPUTS) + 2
    assert seen[-1] == (160, 160)
    assert max(baseline.most, candidate.most) <= 3


def test_the_same_seed_deals_out_the_same_order_whatever_the_threads_do() -> None:
    orders = []
    for jobs in (1, 4):
        calls: dict[int, list[str]] = {n: [] for n in range(len(INPUTS))}

        def note(name: str, calls: dict[int, list[str]] = calls) -> Service:
            def answer(number: int) -> Reply:
                calls[number].append(name)
                return body(id=number)

            return Service(answer)

        replay(INPUTS, note("b"), note("c"), Replay(concurrency=jobs), seed=7)
        orders.append(calls)
    assert orders[0] == orders[1]
    assert len({"".join(order[-6:]) for order in orders[0].values()}) > 5


def test_a_change_blocks_and_names_its_inputs() -> None:
    other = Service(lambda n: body(id=n, price=str(n * 2) if n in (11, 12) else n * 2))
    found = replay(INPUTS, shop(), other, Replay(), seed=1)
    assert found.judged.decision is Decision.BLOCK
    assert found.causes[0].requests == (11, 12)


def test_a_counter_that_each_process_keeps_is_no_difference() -> None:
    def counting() -> Service:
        count = itertools.count()
        return Service(lambda n: body(id=n, served=next(count), cache="miss" if n % 2 else "hit"))

    assert (
        replay(INPUTS, counting(), counting(), Replay(concurrency=1), seed=3).judged.decision is Decision.PASS
    )


def test_what_differs_between_two_instances_of_the_baseline_does_not_count() -> None:
    def on(host: str) -> Service:
        return Service(lambda n: body(id=n, host=host))

    alone = replay(INPUTS, on("a"), on("c"), Replay(), seed=1)
    assert alone.judged.decision is Decision.BLOCK
    found = replay(INPUTS, on("a"), on("c"), Replay(), seed=1, twin=on("b"))
    assert (found.judged.decision, found.set_aside) == (Decision.PASS, ("body.host",))


def test_a_service_that_cannot_be_reached_is_said_to_be_before_anything_is_compared() -> None:
    gone = Service(lambda n: Reply(None, failure="refused the connection"))
    with pytest.raises(AmendsError, match="the candidate cannot be reached: it refused") as met:
        replay(INPUTS, shop(), gone, Replay(), seed=1)
    assert met.value.exit_code == 4
    assert gone.asked == 3


def dying(after: int) -> Service:
    count = itertools.count()
    return Service(
        lambda n: body(id=n, price=n * 2) if next(count) < after else Reply(None, failure="broke off")
    )


def test_a_candidate_that_dies_blocks_and_is_not_asked_for_ever() -> None:
    candidate = dying(100)
    found = replay(INPUTS, shop(), candidate, Replay(concurrency=1), seed=1)
    assert found.judged.decision is Decision.BLOCK
    assert found.causes[0].head.field == "status"
    assert candidate.asked <= 100 + DEAD_AFTER


def test_a_baseline_that_dies_leaves_it_undecided() -> None:
    found = replay(INPUTS, dying(100), shop(), Replay(concurrency=1, at_least=10), seed=1)
    assert found.judged.decision is Decision.UNDECIDED
    assert "the baseline stopped answering" in found.judged.reasons[0]


def test_a_candidate_that_answers_500_to_everything_blocks() -> None:
    broken = Service(lambda n: Reply(500, JSON, b"{}"))
    found = replay(INPUTS, shop(), broken, Replay(), seed=1)
    assert found.judged.decision is Decision.BLOCK
    [cause] = found.causes
    assert (cause.head.field, len(cause.requests)) == ("status", len(INPUTS))


def test_an_interrupted_replay_does_not_finish_the_inputs_under_way() -> None:
    slow: list[int] = []

    def answer(number: int) -> Reply:
        if number:
            slow.append(number)
            time.sleep(0.03)
        return body(id=number)

    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(INPUTS, Service(answer), Service(answer), Replay(concurrency=2), seed=1, told=interrupt)
    assert max(slow.count(1), slow.count(2)) < 6


def test_a_baseline_that_answers_500_to_everything_is_undecided() -> None:
    broken = Service(lambda n: Reply(500, JSON, b"{}"))
    found = replay(INPUTS, broken, broken, Replay(), seed=1)
    assert found.judged.decision is Decision.UNDECIDED
    assert "gave 500" in found.judged.reasons[0]
