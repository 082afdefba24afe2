"""How much each change is suspected before any run: by the files that it touches.

Only a prior. A change that touches no suspected file keeps at least half of its even share, so that a wrong
suspicion costs about one run more and never hides a culprit.
"""

from __future__ import annotations

from collections.abc import Sequence

from amends.prevention.signature import same_path

_STATED, _FRAME, _TRACED = 4.0, 4.0, 2.0


def weigh(
    changes: Sequence[Sequence[str]], suspects: Sequence[str], traced: Sequence[str]
) -> tuple[float, ...]:
    """Return a weight for each change; they add up to the number of changes.

    Half is shared evenly, half goes to changes that touch a suspected file: one that a person named (a file,
    or a folder), or one in the failure's traceback, the innermost frame counting most.
    """
    points = [_points(paths, suspects, traced) for paths in changes]
    whole = sum(points)
    if not whole:
        return (1.0,) * len(changes)
    return tuple(0.5 + 0.5 * len(changes) * one / whole for one in points)


def _points(paths: Sequence[str], suspects: Sequence[str], traced: Sequence[str]) -> float:
    named = any(_under(path, suspect) for suspect in suspects for path in paths)
    frames = [rank for rank, file in enumerate(traced) if any(same_path(path, file) for path in paths)]
    return (_STATED if named else 0.0) + ((_TRACED if frames[0] else _FRAME) if frames else 0.0)


def _under(path: str, suspect: str) -> bool:
    clean = suspect.removeprefix("./").rstrip("/")
    return path == clean or path.startswith(f"{clean}/")
