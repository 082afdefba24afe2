"""How a search for a culprit is shown: a picture of the posterior, a line for each run, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from amends.prevention.search import Run
    from amends.workflows.hunting import Hunt
    from amends.workflows.search import Outcome, Sight

_BARS = " ▁▂▃▄▅▆▇█"
_WORTH_TELLING = 0.01  # a list of changes that are all as improbable helps nobody
_WORDS = {"red": "failed", "green": "passed", "untestable": "no evidence"}


def change_name(hunt: Hunt, change: int) -> str:
    """Return a change as people name it: its short commit and its title."""
    commit = hunt.commits[change - 1]
    return f"{commit.sha[:12]} {commit.title}".strip()


def picture(probabilities: Sequence[float], width: int) -> str:
    """Draw a posterior as bars, the good end at the left; a column is the sum of its changes.

    Heights are of the highest column; what is not next to nothing has at least the lowest bar.
    """
    columns = min(width, len(probabilities))
    sums = [0.0] * columns
    for at, value in enumerate(probabilities):
        sums[at * columns // len(probabilities)] += value
    highest = max(sums, default=0.0) or 1.0
    return "".join(_bar(one / highest) for one in sums)


def _bar(share: float) -> str:
    if share < 0.002:
        return _BARS[0]
    return _BARS[max(1, round(share * (len(_BARS) - 1)))]


def marks(runs: Sequence[Run], revisions: int, width: int) -> str:
    """Mark under the picture where the command passed (o), failed (x), did both (*) or gave nothing (-)."""
    columns = min(width, revisions)
    seen: list[set[str]] = [set() for _ in range(columns)]
    for run in runs:
        seen[min(max(run.revision - 1, 0) * columns // revisions, columns - 1)].add(run.outcome)
    return "".join(_mark(one) for one in seen)


def _mark(outcomes: set[str]) -> str:
    told = outcomes - {"untestable"}
    if len(told) == 2:
        return "*"
    if told:
        return "x" if told == {"red"} else "o"
    return "-" if outcomes else " "


def run_line(hunt: Hunt, sight: Sight) -> str:
    """Say in a line what the last run gave and what is believed now."""
    from amends.prevention.search import counts
    from amends.prevention.signature import describe

    run = sight.runs[-1]
    words = _WORDS[run.outcome] + (f": {run.note}" if run.note else "")
    if run.outcome == "red" and not counts(sight.standing.expected, run):
        words = f"failed in another way: {describe(run.signatures[0]) if run.signatures else 'no signature'}"
    belief = sight.standing.belief
    top = int(belief.culprit.argmax()) + 1
    place = f"revision {run.revision} of {len(hunt.commits)} ({hunt.revision(run.revision)[:12]})"
    again = ", neighbour again" if run.purpose == "neighbour" else ""
    return (
        f"run {len(sight.runs)}{again}: {place} {words}; most probable {change_name(hunt, top)} "
        f"({percent(belief.culprit[top - 1])}), no culprit {percent(belief.none)}"
    )


def percent(share: float) -> str:
    """Write a probability; never 100% for what is not certain."""
    if share >= 0.9995:
        return ">99.9%"
    return f"{100 * share:.1f}%"


class Watcher:
    """Shows a search on stderr: a live picture in a terminal, a line for each run elsewhere."""

    def __init__(self, hunt: Hunt, *, live: bool) -> None:
        self._hunt = hunt
        self._console: Console | None = None
        self._told: int | None = None
        if live:
            from rich.console import Console
            from rich.live import Live

            self._console = Console(stderr=True)
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Watcher:
        if self._console:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console:
            self._live.stop()

    def look(self, sight: Sight) -> None:
        """Show how the search stands."""
        if self._console:
            self._live.update(self._panel(sight, self._console.width))
        elif self._told is not None and len(sight.runs) > self._told:
            typer.echo(run_line(self._hunt, sight), err=True)
        self._told = len(sight.runs)

    def _panel(self, sight: Sight, width: int) -> RenderableType:
        from rich.text import Text

        belief, inner = sight.standing.belief, max(10, width - 2)
        ranked = belief.culprit.argsort()[::-1][:3]
        going = ", ".join(self._hunt.revision(one.revision)[:12] for one in sight.pending)
        lines = [
            picture(belief.culprit.tolist(), inner),
            marks(sight.runs, len(self._hunt.commits), inner),
            f"good {'·' * max(0, min(inner, len(self._hunt.commits)) - 9)} bad",
            f"{len(sight.runs)} runs; running now: {going or 'nothing'}",
            *(f"{percent(belief.culprit[at]):>7}  {change_name(self._hunt, int(at) + 1)}" for at in ranked),
            f"{percent(belief.none):>7}  no change between the ends",
        ]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def as_text(told: dict[str, Any]) -> str:
    """Write the verdict for a person, from what the JSON holds."""
    lines = [_headline(told)]
    if told["reason"]:
        lines.append(f"  {told['reason']}")
    if told["remedy"]:
        lines.append(f"  mend: {told['remedy']}")
    if told["verdict"] != "untestable":
        lines.append(f"  {told['runs']} runs over {told['changes']} changes{_rates(told)}")
    if told["signature"]:
        lines.append(f"  the failure: {told['signature']}")
    lines += [f"  {_retest(one)}" for one in told["neighbours"]]
    if told["candidates"] and told["verdict"] != "culprit" and told["probability"] >= _WORTH_TELLING:
        lines.append("  most probable:")
        lines += [
            f"    {percent(one['probability']):>6}  {one['change'][:12]} {one['title']}"
            for one in told["posterior_top"]
        ]
    lines += _gates(told)
    return "\n".join([*lines, *(f"  note: {note}" for note in told["notes"])])


def _headline(told: dict[str, Any]) -> str:
    if told["verdict"] == "culprit":
        return f"culprit: {told['culprit'][:12]} {told['title']} ({percent(told['probability'])})"
    return f"{told['verdict']}: no change is convicted"


def _rates(told: dict[str, Any]) -> str:
    if told["verdict"] != "culprit":
        return ""
    fails, passes = percent(told["false_fail"]), percent(told["false_pass"])
    return f"; false failures about {fails}, false passes about {passes}"


def _retest(one: dict[str, Any]) -> str:
    where = "before it" if one["side"] == "before" else "with it"
    runs = one["failed"] + one["passed"]
    return f"{where} ({one['revision'][:12]}): failed in {one['failed']} of {runs} runs"


def _gates(told: dict[str, Any]) -> list[str]:
    lines = []
    for one in told["gates"]:
        reviews = "" if one["approvals"] is None else f", approvals {one['approvals']}"
        lines.append(f"  it came with {one['service']} {one['release']}{reviews}")
        for decided in one["decisions"]:
            rows = ", ".join(f"{row['gate']} {row['decision']}" for row in decided["gates"])
            lines.append(f"    {decided['environment']}: {decided['decision']} ({rows})")
    return lines


def as_data(hunt: Hunt, outcome: Outcome, gates: list[dict[str, Any]], notes: list[str]) -> dict[str, Any]:
    """Return what ``--format json`` prints."""
    from amends.events.payloads import Signature
    from amends.prevention.signature import describe

    verdict, standing = outcome.verdict, outcome.standing
    belief = standing.belief
    ranked = belief.culprit.argsort(kind="stable")[::-1][:5]
    convicted = verdict.candidates[0] if verdict.kind == "culprit" else None
    at = (convicted or int(belief.culprit.argmax()) + 1) - 1
    return {
        "verdict": verdict.kind,
        "culprit": hunt.commits[convicted - 1].sha if convicted else None,
        "title": hunt.commits[convicted - 1].title if convicted else None,
        "probability": round(verdict.probability, 6),
        "runs": len(outcome.runs),
        "posterior_top": [
            {
                "change": hunt.commits[int(one)].sha, "title": hunt.commits[int(one)].title,
                "probability": round(float(belief.culprit[one]), 6),
            }
            for one in ranked
        ],
        "no_culprit": round(belief.none, 6),
        "reason": verdict.reason, "remedy": verdict.remedy,
        "candidates": [hunt.commits[one - 1].sha for one in verdict.candidates],
        "good": hunt.good, "bad": hunt.revision(len(hunt.commits)), "changes": len(hunt.commits),
        "false_fail": round(float(belief.fail_before[at]), 4),
        "false_pass": round(1 - float(belief.fail_after[at]), 4),
        "signature": describe(standing.expected) if standing.expected != Signature() else "",
        "other_failures": standing.other,
        "untestable": [hunt.revision(n) for n in range(len(standing.lost)) if standing.untestable(n)],
        "neighbours": _neighbours(hunt, outcome, convicted) if convicted else [],
        "gates": gates, "resumed": outcome.resumed, "notes": notes,
    }  # fmt: skip


def _neighbours(hunt: Hunt, outcome: Outcome, change: int) -> list[dict[str, Any]]:
    found = outcome.standing
    return [
        {"side": side, "revision": hunt.revision(at), "failed": found.fails[at], "passed": found.passes[at]}
        for side, at in (("before", change - 1), ("with", change))
    ]
