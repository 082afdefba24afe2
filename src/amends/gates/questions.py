"""Questions as columns: which releases, environments and moments a table of evidence is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from amends.gates.evidence import Question
from amends.gates.table import Floats, Ints, Words
from amends.releases.actuation import ReleaseRef

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Questions:
    """One question a row: may this release go to this environment at this moment?

    Words are codes into ``words``; ``commit`` and ``digest`` are 0 where the release has none. ``at`` is in
    seconds since the epoch.
    """

    words: Words
    service: Ints
    version: Ints
    commit: Ints
    digest: Ints
    environment: Ints
    at: Floats

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Any, at: Floats | None = None) -> Questions:
        """Return the questions of some rows (indices or a mask), at other moments where ``at`` gives them."""
        return Questions(
            self.words, self.service[rows], self.version[rows], self.commit[rows], self.digest[rows],
            self.environment[rows], self.at[rows] if at is None else at,
        )  # fmt: skip

    def question(self, row: int) -> Question:
        """Return one row as live evidence is asked for it."""
        service, version, commit, digest, environment = (
            self.words[int(column[row])]
            for column in (self.service, self.version, self.commit, self.digest, self.environment)
        )
        release = ReleaseRef(service, version, commit, digest)
        return Question(service, release, environment, moment_of(float(self.at[row])))


def moment_of(seconds: float) -> datetime:
    """Return the moment of seconds since the epoch, to the microsecond: ``moment.timestamp()`` backwards."""
    return _EPOCH + timedelta(microseconds=round(seconds * 1e6))


def questions_of(asked: Sequence[Question]) -> Questions:
    """Return questions as columns, with a vocabulary of their own."""
    codes = {"": 0}

    def column(words: Sequence[str]) -> Ints:
        return np.array([codes.setdefault(word, len(codes)) for word in words], dtype=np.int64)

    service, version = column([q.service for q in asked]), column([q.release.version for q in asked])
    commit, digest = column([q.release.commit for q in asked]), column([q.release.digest for q in asked])
    environment = column([q.environment for q in asked])
    at = np.array([q.at.timestamp() for q in asked], dtype=np.float64)
    return Questions(tuple(codes), service, version, commit, digest, environment, at)
