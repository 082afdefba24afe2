"""What is asked of the writing of a test, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from amends.events.payloads import Signature
from amends.prevention.captures import Capture
from amends.prevention.oracle import Oracle
from amends.prevention.reduction import MOST_EVALUATIONS
from amends.prevention.subjects import Subject
from amends.workflows.testproof import Verdict


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Parameters
    ----------
    bad, good:
        The escaped revision and the fix. Without a fix a test can be red, and nothing more is shown.
    subject:
        What is tried; ``capture`` is where it comes from, if it is a capture.
    path, name, words:
        Where the test is to stand, what it is called, and what the edge case is.
    expected:
        The signature, where the capture's own does not say it.
    oracle:
        The right answer, where a person states it.
    timeout, proof_timeout:
        Seconds for one attempt, and for one run of the written test.
    bound:
        How many evaluations the reduction may take; ``enough`` says when its time is over.
    """

    bad: str
    good: str
    subject: Subject
    path: str
    name: str
    words: str
    capture: Capture | None = None
    expected: Signature = field(default_factory=Signature)
    oracle: Oracle | None = None
    incident: str = ""
    timeout: float = 10.0
    proof_timeout: float = 300.0
    bound: int = MOST_EVALUATIONS
    enough: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it. ``text`` is the test, empty where there was nothing to write.

    ``red`` and ``green`` say what each run of the written test gave; ``signature`` is what the proof must
    show, ``failure`` the same in words.
    """

    verdict: Verdict
    reason: str
    failure: str = ""
    signature: Signature = field(default_factory=Signature)
    original_size: int = 0
    reduced_size: int = 0
    evaluations: int = 0
    complete: bool = True
    input: str = ""
    text: str = ""
    oracle: Oracle = field(default_factory=Oracle)
    red: tuple[str, ...] = ()
    green: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
