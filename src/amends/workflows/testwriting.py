"""From a captured failure to a proven test: reproduce, reduce, write, prove.

The capture must fail on the escaped revision with its own signature, three times of three, before anything
else happens; each step of the reduction keeps that signature; and the written test counts only when it is
red with it three times of three on the escaped revision and green three times of three on the fix, each in a
fresh worktree. What cannot be tried is ``untestable``, never red.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from amends.amendments.rules import ATTEMPTS
from amends.application.ports import CodeHost
from amends.errors import AmendsError, NotFoundError, UsageError
from amends.events.payloads import Signature
from amends.prevention.commandfailure import CommandFailure
from amends.prevention.oracle import Oracle, asserted, differences, field_name, kinds_of
from amends.prevention.reduction import Reduction, reduce_input, size_of
from amends.prevention.signature import describe
from amends.prevention.subjects import AppSubject, CallSubject, CommandSubject, Parts, input_text
from amends.prevention.testtext import Story, write_test
from amends.workflows.bench import Step
from amends.workflows.looking import Looker, Lookers, Seen, app_subject
from amends.workflows.testorder import Order, Written
from amends.workflows.testproof import Revisions, Verdict, prove_text

Places = frozenset[tuple[str | int, ...]]


class _Stopped(Exception):  # noqa: N818 - an end with a verdict, not an error
    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict: Verdict = verdict
        self.reason = reason


def write(host: CodeHost, order: Order, report: Callable[[Step], None] = lambda _: None) -> Written:
    """Write a test for a captured failure and prove it.

    Raises ``NotFoundError`` for a revision that does not exist and ``UsageError`` when the fix is the escaped
    revision or nothing says what was wrong. Worktrees and processes are gone when it returns, whatever came.
    """
    bad = host.resolve(order.bad)
    good = host.resolve(order.good) if order.good else ""
    if good == bad:
        raise UsageError(
            f"the fix {order.good} is the escaped revision {order.bad}: both are commit {bad[:12]}",
            remedy="commit the fix and name it with --good, or leave --good out",
        )
    with ExitStack() as stack:
        desk = _Desk(host, order, bad, good, report, stack)
        try:
            return desk.work()
        except _Stopped as stop:
            return desk.result(stop.verdict, stop.reason)


class _Desk:
    """One test being written; remembers how far it came."""

    def __init__(
        self, host: CodeHost, order: Order, bad: str, good: str, report: Callable[[Step], None],
        stack: ExitStack,
    ) -> None:  # fmt: skip
        self._host, self._order, self._bad, self._good = host, order, bad, good
        self._report = report
        self._subject = order.subject
        self._expected = order.expected
        self._failure: CommandFailure | None = None
        self._reduction: Reduction | None = None
        self._oracle = order.oracle or Oracle()
        self._kinds: Places = frozenset()
        self._fixed: Seen | None = None
        self._notes: list[str] = []
        self._trees = stack.enter_context(Lookers(host, order.subject, order.timeout))

    # --- the steps ------------------------------------------------------------------------------------

    def work(self) -> Written:
        """Do it all, from the first attempt to the last run of the proof."""
        self._say(0, 4, "reproducing on the escaped revision")
        self._reproduce()
        self._look_at_fix()
        self._say(1, 4, f"reproduced: {self._what()}; reducing {size_of(self._subject.parts)} characters")
        self._reduction = self._reduce()
        self._say(2, 4, f"reduced: {self._sizes()}; asking for the right answer")
        self._ask_for_answer()
        text = self._text()
        self._trees.end_processes()
        self._say(3, 4, "proving the written test in fresh worktrees")
        return self._prove(text)

    def _reproduce(self) -> None:
        """Have the whole input fail with its signature, three times of three."""
        looker = self._looker(self._bad)
        if isinstance(self._subject, AppSubject):
            found = app_subject(looker, self._subject)
            if isinstance(found, str):
                raise _Stopped("untestable", f"{found}. {_SETUP}")
            self._subject = looker.subject = found
        seen = self._looks(looker, ATTEMPTS)
        first = seen[0]
        if isinstance(self._subject, CallSubject) and first.how:
            self._subject = looker.subject = replace(self._subject, how=first.how)
        if self._is_wrong_value(first):
            return self._reproduce_value(seen)
        self._settle_signature(first)
        same = [one for one in seen if one.is_failure(self._expected, self._failure)]
        if len(same) == len(seen):
            return None
        if same:
            raise _Stopped("not reproduced", f"it is flaky: {len(same)} of {len(seen)} attempts failed so.")
        raise _Stopped("not reproduced", f"{_told(first)} on {self._order.bad}, not {self._what()}. {_OTHER}")

    def _settle_signature(self, first: Seen) -> None:
        """Say what the failure is where the capture does not, or where nothing but the status shows it."""
        if isinstance(self._subject, CommandSubject):
            if first.failure is None:
                raise _Stopped("not reproduced", f"{_told(first)} on {self._order.bad}. {_OTHER}")
            self._failure = first.failure
            return
        logged = next((one for one in first.signatures if one.exception and one.frame), None)
        if self._expected.status is not None and logged is not None:
            self._expected = logged  # says more than a status, which many defects share
            return
        capture = self._order.capture
        hidden = self._expected.exception and logged is None and first.status is not None
        if hidden and capture and capture.request and first.status == (capture.status or 500):
            self._expected = Signature(status=first.status, path=capture.request.path)
            self._notes.append("the service does not show its exception: the status alone is compared")

    def _is_wrong_value(self, first: Seen) -> bool:
        known = bool(self._good) or self._order.oracle is not None or self._subject.kind != "command"
        return self._expected == Signature() and first.kind == "answered" and known

    def _reproduce_value(self, seen: list[Seen]) -> None:
        """Have an answer that differs from the fix's, or from what a person states."""
        if self._order.oracle is not None:
            self._judge_stated(seen)
            return
        if not self._good:
            raise UsageError(
                "the capture holds no failure, so only another revision or a person can say what is wrong",
                remedy="name the fix with --good, or state the right answer with --expect",
            )
        fixed = self._looks(self._looker(self._good), ATTEMPTS)
        odd = next((one for one in fixed if one.kind != "answered"), None)
        if odd is not None:
            raise _Stopped("not green", f"{_told(odd)} on the fix {self._order.good}.")
        found = differences([one.value for one in seen], [one.value for one in fixed])
        if not found:
            raise _Stopped(
                "not reproduced", f"{self._order.bad} and {self._order.good} give the same answer."
            )
        self._kinds = kinds_of(found)

    def _judge_stated(self, seen: list[Seen]) -> None:
        stated = self._order.oracle
        assert stated is not None
        right = [one for one in seen if _is_right(stated, one)]
        if len(right) == len(seen):
            raise _Stopped("not reproduced", f"{self._order.bad} gives the expected answer.")
        if right:
            raise _Stopped("not reproduced", f"it is flaky: {len(right)} of {len(seen)} answers were right.")

    def _look_at_fix(self) -> None:
        """See what the fix does with the whole input; what still fails there needs no test yet."""
        if not self._good:
            return
        self._fixed = self._looks(self._looker(self._good), 1)[0]
        if self._fixed.is_failure(self._expected, self._failure):
            raise _Stopped("not green", self._still_fails(self._subject.parts))

    def _reduce(self) -> Reduction:
        """Make the input small; a person's answer holds for the whole input alone."""
        whole = self._subject.parts
        size = size_of(whole)
        if self._oracle.by == "person" and (self._oracle.kind == "value" or self._is_unsigned()):
            self._notes.append("the input was not reduced: the stated answer is that of the whole input")
            return Reduction(whole, size, size, 0)
        found = self._smaller(self._keeps, self._order.bound)
        if not self._is_alike_on_fix(found.value):
            # Too far: the fix fails now, too, or refuses what it would have taken. That is another defect.
            left = max(0, self._order.bound - found.evaluations)
            again = self._smaller(lambda parts: self._keeps(parts) and self._is_alike_on_fix(parts), left)
            found = replace(again, evaluations=again.evaluations + found.evaluations)
        if not found.complete:
            self._notes.append("the reduction stopped at its limit: a smaller input may exist")
        self._trees.end_processes()
        if all(self._keeps(found.value) for _ in range(ATTEMPTS)):
            return found
        self._notes.append("the reduced input did not fail in a fresh process, so the whole one is used")
        return Reduction(whole, size, size, found.evaluations)

    def _smaller(self, keeps: Callable[[Parts], bool], bound: int) -> Reduction:
        size = size_of(self._subject.parts)
        return reduce_input(
            self._subject.parts, keeps, bound=bound, enough=self._order.enough,
            report=lambda done, now: self._say(done, bound, f"reducing: {now} of {size} characters"),
        )  # fmt: skip

    def _is_alike_on_fix(self, parts: Parts) -> bool:
        """Return whether the fix does with an input what it does with the whole one: takes it or refuses."""
        if self._fixed is None:
            return True
        seen = self._looker(self._good).look(parts)
        return (seen.kind, seen.status, seen.exception) == (
            self._fixed.kind, self._fixed.status, self._fixed.exception,
        )  # fmt: skip

    def _is_unsigned(self) -> bool:
        return self._expected == Signature() and self._failure is None

    def _keeps(self, parts: Parts) -> bool:
        seen = self._looker(self._bad).look(parts)
        if not self._kinds:
            return seen.is_failure(self._expected, self._failure)
        if seen.kind != "answered":
            return False
        fixed = self._looker(self._good).look(parts)
        if fixed.kind != "answered":
            return False
        return bool(self._kinds & kinds_of(differences([seen.value], [fixed.value])))

    def _ask_for_answer(self) -> None:
        """Learn from the fix what is right, where no person said it."""
        if self._order.oracle is not None or not self._good:
            return
        assert self._reduction is not None
        parts = self._reduction.value
        looker = self._looker(self._good)
        fixed = self._looks(looker, 2, parts)
        looker.close()  # another process has another hash seed: what depends on it is no answer
        fixed += self._looks(looker, 1, parts)
        if any(one.is_failure(self._expected, self._failure) for one in fixed):
            raise _Stopped("not green", self._still_fails(parts))
        self._oracle = self._answer_of(fixed, parts)

    def _still_fails(self, parts: Parts) -> str:
        told = f"{self._order.good} fails in the same way: {self._what()}"
        if isinstance(self._subject, CallSubject | CommandSubject):
            return f"{told}."
        nowhere = replace(
            self._subject, request=replace(self._subject.request, method="GET", path="/amends-asks")
        )
        looker = self._looker(self._good)
        looker.subject = nowhere
        other = looker.look({**parts, "query": [], "headers": [], "body": None})
        if other.status is not None and other.status >= 500:
            raise _Stopped(
                "untestable",
                f"the service answers {other.status} to everything, also to GET /amends-asks: it "
                f"lacks something that it has in production, such as a database. {_SETUP}",
            )  # fmt: skip
        return f"{told}."

    def _answer_of(self, fixed: list[Seen], parts: Parts) -> Oracle:
        first = fixed[0]
        if self._kinds:
            bad = [self._looker(self._bad).look(parts) for _ in range(2)]
            found = differences([one.value for one in bad], [one.value for one in fixed])
            if not found:
                raise _Stopped(
                    "not reproduced", "the answers differ from run to run: nothing steady is wrong."
                )
            whole = isinstance(self._subject, CallSubject | CommandSubject)
            return Oracle("value", "fix", places=asserted(found, first.value, whole=whole))
        if isinstance(self._subject, CallSubject):
            return Oracle("raises", "fix", name=first.exception) if first.kind == "failed" else Oracle()
        statuses = {one.status for one in fixed}
        if len(statuses) == 1 and first.status is not None:
            return Oracle("status", "fix", status=first.status)
        return Oracle()

    # --- the text and its proof -----------------------------------------------------------------------

    def _text(self) -> str:
        assert self._reduction is not None
        capture = self._order.capture
        story = Story(
            name=self._order.name, words=self._order.words, failure=self._what(),
            incident=self._order.incident, capture=capture.id if capture else "",
            release=capture.release if capture else "", sizes=self._sizes_told(),
            redacted=capture.masked if capture else 0,
        )  # fmt: skip
        return write_test(
            self._subject, self._reduction.value, self._oracle, story, fix=self._good[:12],
            depth=self._order.path.count("/"), expected=self._expected, failure=self._failure,
        )  # fmt: skip

    def _proof_signature(self) -> Signature:
        """Return what the written test must be red with: the failure, or the test's own assertion."""
        if self._failure is not None and self._failure.signature != Signature():
            return self._failure.signature
        if self._failure is not None or self._expected == Signature():
            return Signature(exception="AssertionError", frame=f"{self._order.path}:{self._order.name}")
        return self._expected

    def _prove(self, text: str) -> Written:
        order = self._order
        proof = prove_text(
            self._host, Revisions(order.bad, self._bad, order.good, self._good), order.path, order.name, text,
            self._proof_signature(), timeout=order.proof_timeout,
            report=lambda done, told: self._say(4 + done, 4 + 2 * ATTEMPTS, told),
        )  # fmt: skip
        return self.result(proof.verdict, proof.reason, text, proof.red, proof.green)

    def result(
        self, verdict: Verdict, reason: str, text: str = "", red: tuple[str, ...] = (),
        green: tuple[str, ...] = (),
    ) -> Written:  # fmt: skip
        """Return what came of it, as far as it came."""
        found = self._reduction
        size = size_of(self._subject.parts)
        return Written(
            verdict=verdict, reason=reason, failure=self._what(),
            signature=self._proof_signature(), original_size=size,
            reduced_size=found.after if found else size,
            evaluations=found.evaluations if found else 0, complete=found.complete if found else True,
            input=input_text(self._subject, found.value) if found else "", text=text, oracle=self._oracle,
            red=red, green=green, notes=tuple(dict.fromkeys([*self._trees.notes, *self._notes])),
        )  # fmt: skip

    # --- what it works with ---------------------------------------------------------------------------

    def _looker(self, commit: str) -> Looker:
        try:
            found = self._trees.looker(commit)
        except NotFoundError:
            raise
        except AmendsError as error:
            raise _Stopped("untestable", f"no worktree could be made: {error.message}") from None
        found.subject, found.expected = self._subject, self._expected
        return found

    def _looks(self, looker: Looker, count: int, parts: Parts | None = None) -> list[Seen]:
        given = self._subject.parts if parts is None else parts
        seen: list[Seen] = []
        for _ in range(count):
            seen.append(looker.look(given))
            if seen[-1].kind in ("untestable", "hung"):
                mend = _SETUP if seen[-1].kind == "untestable" else _HANG
                raise _Stopped("untestable", f"{seen[-1].why}. {mend}")
        return seen

    def _what(self) -> str:
        if self._failure is not None:
            return self._failure.describe()
        if self._expected != Signature():
            return describe(self._expected)
        places = sorted(field_name(place) for place in self._kinds)
        return f"a wrong answer{f' at {places[0]}' if places and places[0] != 'the answer' else ''}"

    def _sizes(self) -> str:
        found = self._reduction
        assert found is not None
        return f"{found.before} to {found.after} characters in {found.evaluations} evaluations"

    def _sizes_told(self) -> str:
        found = self._reduction
        if found is None or found.after == found.before:
            return "The input is whole, as it was captured."
        return f"The input was reduced: {self._sizes()}."

    def _say(self, done: int, total: int, text: str) -> None:
        self._report(Step(done, total, text))


_SETUP = "Let --setup install what it needs in the worktree, or choose another Python with --python"
_HANG = "Raise --timeout, or capture a function further in"
_OTHER = "Check that --bad is the release that was captured, and that its environment is like production's"


def _told(seen: Seen) -> str:
    if seen.kind == "answered":
        return "it ended well"
    return f"it gave {seen.why}"


def _is_right(oracle: Oracle, seen: Seen) -> bool:
    if seen.kind != "answered":
        return False
    if oracle.kind == "status":
        return seen.status == oracle.status
    return bool(seen.value == oracle.places[0][1])
