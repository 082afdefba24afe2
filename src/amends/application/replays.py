"""A replay as it is asked for and told: services, what was left out, what is recorded of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from amends.application.desk import Desk, Receipt
from amends.application.recording import record_replay
from amends.prevention.replay.report import affected, as_json, cause_sentence, percent, plural, summary
from amends.verdicts import Decision

if TYPE_CHECKING:
    from amends.prevention.replay.causes import Cause
    from amends.prevention.replay.judging import Judged

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Services:
    """Where the releases answer. ``headers`` are sent in place of recorded ones, and never shown;
    ``authority`` is a PEM file to trust."""

    baseline: str
    candidate: str
    twin: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    authority: str = ""


class Played(Protocol):
    """What a replay came to; see ``amends.workflows.replaying``."""

    @property
    def judged(self) -> Judged: ...
    @property
    def causes(self) -> tuple[Cause, ...]: ...
    @property
    def sends(self) -> int: ...
    @property
    def set_aside(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay with what there is to know about it. ``names`` are the inputs' captures; ``left_out`` and
    ``refused`` say what was not sent, and why."""

    played: Played
    names: tuple[str, ...]
    seed: int
    left_out: tuple[tuple[str, int], ...] = ()
    refused: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """Return what a reader should know before relying on the decision."""
        judged = self.played.judged
        found = [
            f"{plural(judged.requests, 'input')} sent in {self.played.sends:,} requests, {judged.usable:,} "
            f"with a reply of the baseline worth comparing (seed {self.seed})"
        ]
        found += [f"not sent: {plural(count, 'request')}: {why}" for why, count in self.left_out]
        if self.refused:
            found.append(f"not read: {plural(len(self.refused), 'capture')}; first: {self.refused[0]}")
        if judged.noisy:
            most = ", ".join(f"{path} {percent(noise)}" for path, noise in judged.noisy[:5])
            found.append(f"noisy in the baseline itself: {plural(len(judged.noisy), 'field')} ({most})")
        if judged.opaque:
            found.append(
                f"never the same twice, so only their kind and size was compared: {_some(judged.opaque)}"
            )
        if self.played.set_aside:
            found.append(
                f"differ between two instances of the baseline, not counted: {_some(self.played.set_aside)}"
            )
        if judged.mended:
            found.append(
                f"the baseline failed and the candidate does not: {plural(len(judged.mended), 'input')}"
            )
        return found

    def as_json(self, event: str = "") -> dict[str, Any]:
        """Return the report for a program. ``event`` is what was recorded, if anything was."""
        return {
            **as_json(self.played.judged, self.played.causes, self.names), "sends": self.played.sends,
            "seed": self.seed, "set_aside": list(self.played.set_aside),
            "left_out": [{"reason": why, "count": count} for why, count in self.left_out],
            "refused": list(self.refused[:_LISTED]), "event": event,
        }  # fmt: skip


def _some(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}"


_WORDS: dict[Decision, Literal["pass", "block", "undecided", "error"]] = {
    Decision.PASS: "pass", Decision.BLOCK: "block", Decision.UNDECIDED: "undecided", Decision.ERROR: "error",
}  # fmt: skip


def record_replayed(desk: Desk, done: Replayed, release: str, baseline: str = "") -> Receipt:
    """Record what a replay came to, for the gate ``replay`` to rely on."""
    judged, causes = done.played.judged, done.played.causes
    return record_replay(
        desk, release, decision=_WORDS[judged.decision], baseline=baseline, requests=judged.requests,
        differences=affected(causes), reason=summary(judged, causes),
        causes=tuple(cause_sentence(cause) for cause in causes[:_LISTED]),
    )  # fmt: skip
