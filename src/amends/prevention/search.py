"""A search for the change that brought a failure: from the runs so far to the next run, or to a verdict.

Everything is a function of the runs, so that a search can be taken up again from what was written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from amends.events.payloads import Signature
from amends.prevention.culprit import FALSE_FAIL, FALSE_PASS, NO_CULPRIT, Posterior, Rates, Setting, posterior
from amends.prevention.culprit import next_revision as most_telling
from amends.prevention.signature import describe, matches
from amends.prevention.suspicion import weigh

Purpose = Literal["ends", "search", "neighbour"]
SKIP_ENDS = 2  # tries of an end, or of a neighbour of a convicted change, before it counts as untestable
GOOD_TRIES = 5  # of the good end that may fail before the search ends: a test may fail falsely
SAME_REDS, REDS_ON_BAD = 2, 3  # then the bad end's most frequent signature is taken for the failure's


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command on one revision. ``signatures``: all in its output, the one that ended it first.

    ``files`` are the project's files in its tracebacks, innermost first. ``note`` says why it is untestable.
    """

    revision: int
    outcome: Literal["red", "green", "untestable"]
    purpose: Purpose = "search"
    signatures: tuple[Signature, ...] = ()
    files: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched: for each change (oldest first) the files that it touches, and the terms.

    ``expected`` is the failure's signature where somebody stated it. With ``any_failure`` every red counts.
    ``suspects`` are files (or folders) suspected beforehand; with ``use_files`` those of the failure's
    traceback are, too. ``confidence`` is what a verdict asks for, ``suspected`` what a change must reach
    before its neighbours are tested again, which then counts. ``most_runs`` ends the search; ``bad_tries``
    is how often the bad end may pass before the search ends for want of a failure.
    """

    changes: tuple[tuple[str, ...], ...]
    expected: Signature = field(default_factory=Signature)
    any_failure: bool = False
    suspects: tuple[str, ...] = ()
    use_files: bool = True
    false_fail: Rates = FALSE_FAIL
    false_pass: Rates = FALSE_PASS
    no_culprit: float = NO_CULPRIT
    confidence: float = 0.99
    suspected: float = 0.9
    most_runs: int = 200
    bad_tries: int = 10

    @property
    def bad(self) -> int:
        """The number of the bad end."""
        return len(self.changes)


@dataclass(frozen=True)
class Standing:
    """How a search stands: what counts of the runs, and what is believed.

    ``fails`` and ``passes`` count by revision; ``lost`` counts runs that are no evidence. ``other`` is the
    number of reds with another signature than the failure's, which are among ``lost``.
    """

    fails: tuple[int, ...]
    passes: tuple[int, ...]
    lost: tuple[int, ...]
    expected: Signature
    other: int
    belief: Posterior
    setting: Setting

    def tested(self, revision: int) -> int:
        """Return how many runs of a revision count."""
        return self.fails[revision] + self.passes[revision]

    def untestable(self, revision: int, tries: int = 1) -> bool:
        """Return whether a revision was tried so often and never gave an answer."""
        return self.tested(revision) == 0 and self.lost[revision] >= tries


@dataclass(frozen=True, slots=True)
class Try:
    """The next run."""

    revision: int
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more to start before a run that is under way has ended."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search came to. ``candidates`` are changes, one for ``culprit``, most probable first."""

    kind: Literal["culprit", "flaky", "undecided", "untestable"]
    reason: str
    probability: float
    candidates: tuple[int, ...] = ()
    remedy: str = ""


def stand(question: Question, runs: Sequence[Run]) -> Standing:
    """Return what some runs amount to."""
    expected = expected_of(question, runs)
    fails, passes, lost = ([0] * (question.bad + 1) for _ in range(3))
    other = 0
    for run in runs:
        if run.outcome == "green":
            passes[run.revision] += 1
        elif counts(expected, run):
            fails[run.revision] += 1
        else:
            lost[run.revision] += 1
            other += run.outcome == "red"
    setting = Setting(
        question.bad, weigh(question.changes, question.suspects, _traced(question, runs, expected)),
        question.false_fail, question.false_pass, question.no_culprit,
    )  # fmt: skip
    return Standing(
        tuple(fails), tuple(passes), tuple(lost), expected, other, posterior(setting, fails, passes), setting
    )


def expected_of(question: Question, runs: Sequence[Run]) -> Signature:
    """Return the signature that counts: as stated, or the bad end's most frequent one (the first of equals).

    Empty when every red counts, be it that the bad end's reds have none.
    """
    if question.any_failure or question.expected != Signature():
        return Signature() if question.any_failure else question.expected
    seen = Counter(_first(run) for run in runs if run.revision == question.bad and run.outcome == "red")
    return seen.most_common(1)[0][0] if seen else Signature()


def _first(run: Run) -> Signature:
    return run.signatures[0] if run.signatures else Signature()


def counts(expected: Signature, run: Run) -> bool:
    """Return whether a run is evidence: green, or red in the way that is searched."""
    return run.outcome == "green" or (run.outcome == "red" and _is_ours(expected, run))


def _is_ours(expected: Signature, run: Run) -> bool:
    return expected == Signature() or any(matches(expected, found) for found in run.signatures)


def _traced(question: Question, runs: Sequence[Run], expected: Signature) -> tuple[str, ...]:
    if not question.use_files:
        return ()
    for run in runs:
        if run.revision == question.bad and run.outcome == "red" and run.files and _is_ours(expected, run):
            return run.files
    return (expected.frame.rpartition(":")[0],) if expected.frame else ()


def decide(
    question: Question, runs: Sequence[Run], pending: Sequence[Try] = (), *, stop: str = ""
) -> Try | Wait | Verdict:
    """Return what comes next, given the runs so far and those under way.

    ``stop`` ends the search with this reason, for example that its time is over.
    """
    found = stand(question, runs)
    if found.untestable(question.bad, SKIP_ENDS):
        return Wait() if pending else _cannot(runs, question.bad)
    step = _ends(question, runs, found, pending) or _conviction(question, runs, found, pending)
    if isinstance(step, Verdict) and pending:
        return Wait()
    if isinstance(step, Verdict | Wait):
        return step
    if stop or len(runs) + len(pending) >= question.most_runs:
        return Wait() if pending else _unfinished(found, stop or f"{len(runs)} runs were made")
    return step or _search(question, found, pending)


def _ends(
    question: Question, runs: Sequence[Run], found: Standing, pending: Sequence[Try]
) -> Try | Wait | Verdict | None:
    bad = question.bad
    busy = [one.revision for one in pending]
    if not found.fails[bad]:
        if found.passes[bad] >= question.bad_tries:
            return Verdict(
                "undecided", f"the bad end did not fail in {found.passes[bad]} runs", 0.0,
                remedy="run the command there by hand; a failure that shows rarely needs more --tries, and "
                "what is not committed is not searched",
            )  # fmt: skip
        if bad not in busy:
            return Try(bad, "ends")
    if not found.passes[0] and found.fails[0] >= GOOD_TRIES:
        return Verdict(
            "undecided", f"the good end fails too, in {found.fails[0]} of {found.fails[0]} runs", 0.0,
            remedy="name an older good end with --good",
        )  # fmt: skip
    if not found.passes[0] and (found.fails[0] or found.lost[0] < SKIP_ENDS) and 0 not in busy:
        return Try(0, "ends")
    if not found.fails[bad]:
        return Wait()
    if question.expected == Signature() and found.other and bad not in busy and not _settled(runs, bad):
        return Try(bad, "ends")
    return None


def _settled(runs: Sequence[Run], bad: int) -> bool:
    """Return whether the bad end has shown often enough which of several failures is the one searched."""
    seen = Counter(_first(run) for run in runs if run.revision == bad and run.outcome == "red")
    return max(seen.values(), default=0) >= SAME_REDS or seen.total() >= REDS_ON_BAD


def _conviction(
    question: Question, runs: Sequence[Run], found: Standing, pending: Sequence[Try]
) -> Try | Wait | Verdict | None:
    """Convict when one change, or some that cannot be told apart, is probable enough and re-tested."""
    if found.belief.none >= question.confidence:
        return _nothing_changed(found)
    low, high = _stretch(found)
    mass = float(found.belief.culprit[low:high].sum())
    if mass < min(question.suspected, question.confidence):
        return None
    open_ = [at for at in (low, high) if not _retested(found, runs, at)]
    busy = [one.revision for one in pending if one.purpose == "neighbour"]
    for at in open_:
        if at not in busy:
            return Try(at, "neighbour")
    if open_:
        return Wait()
    if mass < question.confidence:
        return None
    between = range(low + 1, high)
    again = [at for at in between if found.untestable(at) and not found.untestable(at, SKIP_ENDS)]
    if again:
        return Wait() if pending else Try(again[len(again) // 2], "neighbour")
    if not between:
        return Verdict("culprit", "", mass, (high,))
    ranked = sorted(range(low + 1, high + 1), key=lambda change: -found.belief.culprit[change - 1])
    return Verdict(
        "undecided", f"one of {len(ranked)} changes; the revisions between them cannot be tested", mass,
        tuple(ranked), remedy="make a revision between them testable, for example with --with or --setup",
    )  # fmt: skip


def _retested(found: Standing, runs: Sequence[Run], at: int) -> bool:
    again = [run for run in runs if run.purpose == "neighbour" and run.revision == at]
    return len(again) >= SKIP_ENDS or any(counts(found.expected, run) for run in again)


def _stretch(found: Standing) -> tuple[int, int]:
    """Return the testable revisions around the most probable change."""
    top = int(found.belief.culprit.argmax()) + 1
    low, high = top - 1, top
    while low > 0 and found.untestable(low):
        low -= 1
    while high < len(found.fails) - 1 and found.untestable(high):
        high += 1
    return low, high


def _search(question: Question, found: Standing, pending: Sequence[Try]) -> Try | Wait | Verdict:
    allowed = np.array([not found.untestable(at) for at in range(question.bad + 1)])
    at = most_telling(found.belief, allowed, [one.revision for one in pending])
    if at is not None:
        return Try(at, "search")
    return Wait() if pending else _unfinished(found, "no further run would tell anything")


def _nothing_changed(found: Standing) -> Verdict:
    fails, passes = sum(found.fails), sum(found.passes)
    why = f"no change between the ends explains it: {fails} of {fails + passes} runs failed, here and there"
    return Verdict(
        "flaky", why, found.belief.none,
        remedy="mend or quarantine the test; an older --good may show when it became flaky",
    )  # fmt: skip


def _unfinished(found: Standing, why: str) -> Verdict:
    ranked = np.argsort(-found.belief.culprit, kind="stable")[:5]
    return Verdict(
        "undecided", f"{why}, and nothing is certain enough", float(found.belief.culprit.max()),
        tuple(int(at) + 1 for at in ranked),
        remedy="run it again, with a higher --max-runs or --max-time: it goes on from here",
    )  # fmt: skip


def _cannot(runs: Sequence[Run], revision: int) -> Verdict:
    last = next(run for run in reversed(runs) if run.revision == revision and run.outcome != "green")
    why = last.note or f"it fails with another signature: {describe(_first(last))}"
    return Verdict(
        "untestable", f"the command could not be tried on the bad end: {why}", 0.0,
        remedy="try it there by hand; --with FILE brings a file along, --setup prepares the worktree, "
        "--signature names the failure",
    )  # fmt: skip
