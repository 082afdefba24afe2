"""What a replay of recorded metrics is put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from amends.errors import AmendsError, UsageError
from amends.watch.outcome import Outcome
from amends.watch.plan import Direction, WatchPlan

if TYPE_CHECKING:
    from amends.adapters.recordings.reading import Found, Rows

_LONGEST = 366 * 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of a replay; empty, the policy or the recording itself says."""

    policy: str = ""
    metrics: tuple[str, ...] = ()
    direction: Direction | None = None
    alpha: float | None = None
    interval: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recording's name and its outcome, or why it could not be evaluated."""

    id: str
    outcome: Outcome | AmendsError


def replay_recordings(paths: Sequence[Path], wishes: Wishes) -> tuple[list[Verdict], bool]:
    """Return the verdict over each recording in files and folders, and whether they are told apart by ids.

    Raises
    ------
    UsageError
        A path, the policy or a number cannot be taken.
    """
    from amends.adapters.recordings.reading import read_recordings

    if wishes.alpha is not None and not 0 < wishes.alpha < 1:
        raise UsageError(
            f"--alpha is {wishes.alpha:g}; it lies between 0 and 1", remedy="0.01 is one in a hundred"
        )
    if wishes.interval is not None and not 0 < wishes.interval <= _LONGEST:
        raise UsageError(
            f"--interval is {wishes.interval:g}; it is above 0 and at most a year",
            remedy="give it in seconds",
        )
    planned = _policy(wishes)
    found, many = read_recordings(paths)
    return [Verdict(one.id, _judged(one, wishes, planned)) for one in found], many


def _policy(wishes: Wishes) -> tuple[WatchPlan, float] | None:
    if not wishes.policy:
        return None
    from amends.adapters.policyfile import load_policy

    watch = load_policy(Path(wishes.policy)).policy.watch
    plan = _asked(watch.plan(), wishes)
    known = {spec.name for spec in plan.metrics}
    lacking = [name for name in wishes.metrics if name not in known]
    if lacking:
        raise UsageError(
            f"the policy watches no metric {lacking[0]!r}; it watches {', '.join(sorted(known)) or 'none'}",
            where=wishes.policy, remedy="correct --metric, or leave --policy out",
        )  # fmt: skip
    return plan, watch.interval


def _asked(plan: WatchPlan, wishes: Wishes) -> WatchPlan:
    """Return the plan with what the command line says besides."""
    metrics = plan.metrics
    if wishes.direction is not None:
        metrics = tuple(replace(spec, direction=wishes.direction) for spec in metrics)
    if wishes.metrics:
        metrics = tuple(spec for spec in metrics if spec.name in wishes.metrics)
    return replace(plan, metrics=metrics, alpha=plan.alpha if wishes.alpha is None else wishes.alpha)


def _judged(found: Found, wishes: Wishes, planned: tuple[WatchPlan, float] | None) -> Outcome | AmendsError:
    from amends.watch.recorded import Recording
    from amends.watch.replaying import replay_watch
    from amends.watch.series import SeriesPair, judge_series

    subject = found.subject
    try:
        if isinstance(subject, AmendsError):
            return subject
        if isinstance(subject, Recording):
            plan = planned[0] if planned else _asked(subject.plan, wishes)
            return replay_watch(replace(subject, plan=plan))
        if isinstance(subject, SeriesPair):
            alpha, direction = _of_series(subject, found.direction, wishes, planned)
            return judge_series(subject, alpha, direction)
        return _of_rows(subject, wishes, planned)
    except AmendsError as error:
        return error
    except (ArithmeticError, ValueError, LookupError) as error:  # one case must not cost the others theirs
        return UsageError(
            f"this recording could not be judged: {error}", where=found.id,
            remedy="please report it with the recording; the others were judged",
        )  # fmt: skip


def _of_series(
    pair: object, said: Direction | None, wishes: Wishes, planned: tuple[WatchPlan, float] | None
) -> tuple[float, Direction]:
    """Return alpha and direction: the command line's, the policy's, the recording's, or .01 and both."""
    alpha = wishes.alpha if wishes.alpha is not None else (planned[0].alpha if planned else 0.01)
    name = getattr(pair, "metric", "")
    policys = next((s.direction for s in planned[0].metrics if s.name == name), None) if planned else None
    return alpha, wishes.direction or policys or said or Direction.BOTH


def _of_rows(found: Rows, wishes: Wishes, planned: tuple[WatchPlan, float] | None) -> Outcome:
    from amends.watch.recorded import infer_plan, recording, usual_interval
    from amends.watch.replaying import replay_watch

    if planned:
        plan, interval = planned[0], wishes.interval or planned[1]
    else:
        interval = wishes.interval or usual_interval(found.rows)
        plan = _asked(infer_plan(found.rows, wishes.direction or Direction.BOTH, interval=interval), wishes)
    recorded = recording(found.rows, plan, interval)
    if found.left_out:
        rows = "1 row holds" if found.left_out == 1 else f"{found.left_out} rows hold"
        told = f"{rows} no number (NaN or nothing): left out."
        recorded = replace(recorded, problems=(told, *recorded.problems))
    return replay_watch(recorded)
