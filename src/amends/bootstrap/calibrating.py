"""What a calibration of a watch on recorded baselines is put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from amends.errors import AmendsError, UsageError
from amends.watch.calibration import Calibration, Halving, calibrate, halve_looks, halve_rows
from amends.watch.measurements import Arm
from amends.watch.plan import WatchPlan
from amends.watch.recorded import Recording, Row, infer_plan, usual_interval

_HOUR = 3600.0
_FEWEST_STRETCHES = 4


@dataclass(frozen=True, slots=True)
class CalibrationWishes:
    """What the command line asks of a calibration; empty, the policy or the recording itself says."""

    policy: str = ""
    metrics: tuple[str, ...] = ()
    dispersion: str = ""
    watch_seconds: float | None = None
    runs: int = 100


def calibrate_recordings(paths: Sequence[Path], wishes: CalibrationWishes) -> Calibration:
    """Return how often the watch would take the recorded baselines back.

    Raises
    ------
    UsageError
        A path, the policy or a number cannot be taken, or what the files hold is no baseline to halve.
    """
    from amends.adapters.recordings.reading import read_recordings

    _check(wishes)
    found, _ = read_recordings(paths)
    rows: list[Row] = []
    watches: list[Recording] = []
    for one in found:
        if isinstance(one.subject, AmendsError):
            raise one.subject
        if isinstance(one.subject, Recording):
            watches.append(one.subject)
        elif hasattr(one.subject, "rows"):
            rows += one.subject.rows
        else:
            raise UsageError(
                "a pair of series has no instances and no requests; a calibration needs them",
                where=one.id, remedy="give rows, or a watch from `amends watch export`",
            )  # fmt: skip
    if rows and watches:
        raise UsageError("rows and live watches in one call", remedy="calibrate on one kind at a time")
    if not rows and not watches:
        raise UsageError("there is no row in it", remedy="a calibration needs a recorded baseline")
    return _of_rows(rows, wishes) if rows else _of_watches(watches, wishes)


def _of_rows(rows: list[Row], wishes: CalibrationWishes) -> Calibration:
    mine = [row for row in rows if row.arm is Arm.BASELINE]
    if not mine:
        raise UsageError(
            "no row is of the arm baseline", remedy="a calibration compares a baseline with itself"
        )
    planned = _policy(wishes)
    interval = planned[1] if planned else usual_interval(mine)
    plan = _asked(planned[0] if planned else infer_plan(mine, interval=interval), wishes)
    span = max(r.time for r in mine) - min(r.time for r in mine) + interval
    seconds = wishes.watch_seconds or min(_HOUR, span / _FEWEST_STRETCHES)
    ways = halve_rows(mine, plan, interval, wishes.runs)
    return calibrate(plan, [[way] for way in ways], seconds, wishes.runs)


def _of_watches(watches: list[Recording], wishes: CalibrationWishes) -> Calibration:
    planned = _policy(wishes)
    plan = _asked(planned[0] if planned else watches[-1].plan, wishes)
    halved = [halve_looks(watch, wishes.runs) for watch in watches]
    spans = [(w.looks[-1].at - w.looks[0].at).total_seconds() for w in watches if w.looks]
    longest = max(spans, default=0.0)
    usual = longest if len(spans) >= _FEWEST_STRETCHES else longest / _FEWEST_STRETCHES
    seconds = wishes.watch_seconds or min(_HOUR, usual)
    ways: list[list[Halving]] = [[h for h in way if h] for way in zip_longest(*halved)]
    return calibrate(plan, ways, seconds, wishes.runs)


def _policy(wishes: CalibrationWishes) -> tuple[WatchPlan, float] | None:
    if not wishes.policy:
        return None
    from amends.adapters.policyfile import load_policy

    watch = load_policy(Path(wishes.policy)).policy.watch
    return watch.plan(), watch.interval


def _asked(plan: WatchPlan, wishes: CalibrationWishes) -> WatchPlan:
    lacking = sorted(set(wishes.metrics) - {spec.name for spec in plan.metrics})
    if lacking:
        raise UsageError(
            f"no metric {lacking[0]!r} is watched; found {', '.join(s.name for s in plan.metrics) or 'none'}",
            remedy="correct --metric",
        )
    metrics = tuple(s for s in plan.metrics if not wishes.metrics or s.name in wishes.metrics)
    if wishes.dispersion:
        metrics = tuple(replace(s, dispersion=_dispersion(wishes.dispersion)) for s in metrics)
    return replace(plan, metrics=metrics)


def _dispersion(asked: str) -> float | Literal["auto", "estimated"]:
    if asked == "auto":
        return "auto"
    return "estimated" if asked == "estimated" else float(asked)


def _check(wishes: CalibrationWishes) -> None:
    if wishes.runs < 1:
        raise UsageError(f"--runs is {wishes.runs}; it is 1 or more", remedy="100 is usual")
    if wishes.watch_seconds is not None and wishes.watch_seconds <= 0:
        raise UsageError(f"--for is {wishes.watch_seconds:g}; it is above 0", remedy="give it in seconds")
    if wishes.dispersion in ("", "auto", "estimated"):
        return
    try:
        fixed = float(wishes.dispersion)
    except ValueError:
        fixed = 0.0
    if not fixed >= 1:
        raise UsageError(
            f"--dispersion is {wishes.dispersion!r}; allowed are auto, estimated and numbers from 1 up",
            remedy="leave it out to take the policy's",
        )
