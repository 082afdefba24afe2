"""False alarms and detection of `amends replay` and of Diffy's rule, on the same simulated services.

Each release is simulated with forty fields in a reply, ten of them noisy: in 2% of the replies they hold
another value. Diffy's rule is ours from its description: every request goes to candidate, primary and
secondary; `raw` counts the requests in which candidate and primary differ in a field, `noise` those in which
primary and secondary do; a field is reported where raw > noise, |raw - noise| / (raw + noise) > 20% and
|raw - noise| / requests > 0.03%. It sends 3 requests for each that was
recorded; how many `amends` sends is measured.

    .venv/bin/python benchmarks/replay.py --runs 400 --seed 1 --jobs 2
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from amends.gates.replay_plan import Replay
from amends.prevention.replay.judging import FIRST, MORE, judge
from amends.prevention.replay.notebook import Notebook, Slot, asks_again

FIELDS, NOISY = 40, 10


@dataclass(frozen=True)
class Cell:
    """One kind of release. ``field`` is the one that changes: for a share of the ``inputs`` always, or in a
    share of all ``replies`` at random."""

    name: str
    requests: int = 300
    noise: float = 0.02
    noisy: int = NOISY
    field: int | None = None
    inputs: float = 0.0
    replies: float = 0.0


CLEAN, A_NOISY_ONE = 20, 3
CELLS = (
    *(Cell(f"nothing changed, {n} requests", n) for n in (50, 100, 300, 1000)),
    Cell("nothing changed, noise 20%", noise=0.2),
    Cell("clean field, other for 2% of inputs", field=CLEAN, inputs=0.02),
    Cell("clean field, other in 2% of replies", field=CLEAN, replies=0.02),
    Cell("clean field, other in 2% of replies, no noise elsewhere", noisy=0, field=CLEAN, replies=0.02),
    Cell("noisy field, 10 points more noise", field=A_NOISY_ONE, replies=0.10),
    Cell("noisy field, other for 2% of inputs", field=A_NOISY_ONE, inputs=0.02),
    Cell("clean field, other for one input of 300", field=CLEAN, inputs=-1),
)


class Service:
    """Draws replies. Deviating values never repeat, a changed value is always the same."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        self.cell, self.rng, self._fresh = cell, rng, 0
        self.names = [f"body.f{n}" for n in range(FIELDS)]
        self.steady = {"status": "200", **dict.fromkeys(self.names, "1")}
        self.touched = rng.random(cell.requests) < cell.inputs
        if cell.inputs < 0:
            self.touched[rng.integers(cell.requests)] = True

    def reply(self, request: int, candidate: bool) -> dict[str, str]:
        """Return the fields of one reply."""
        cell, found = self.cell, dict(self.steady)
        if candidate and cell.field is not None:
            if self.touched[request]:
                found[self.names[cell.field]] = "2"
            if self.rng.random() < cell.replies:
                self._stray(found, cell.field)
        for noisy in np.flatnonzero(self.rng.random(cell.noisy) < cell.noise):
            self._stray(found, int(noisy))
        return found

    def _stray(self, found: dict[str, str], field: int) -> None:
        self._fresh += 1
        found[self.names[field]] = f"{self._fresh + 10}"


def by_amends(cell: Cell, rng: np.random.Generator) -> tuple[set[str], int]:
    """Return the fields that amends reports, and how many requests it sent."""
    service, notebook, sends = Service(cell, rng), Notebook(), 0
    for request in range(cell.requests):
        looks = [_look(service, request, rng, FIRST)]
        if asks_again(looks[0]):
            looks.append(_look(service, request, rng, MORE))
        sends += sum(map(len, looks))
        notebook.add(request, looks, 200)
    return {one.field for one in judge(notebook, Replay(at_least=1)).differences}, sends


def _look(service: Service, request: int, rng: np.random.Generator, each: int) -> list[Slot]:
    arms = rng.permutation([False] * each + [True] * each)
    return [Slot(bool(arm), service.reply(request, bool(arm)), "200") for arm in arms]


def by_diffy(cell: Cell, rng: np.random.Generator) -> tuple[set[str], int]:
    """Return the fields that Diffy's rule reports, and how many requests it sent."""
    service = Service(cell, rng)
    raw, noise = dict.fromkeys(service.names, 0), dict.fromkeys(service.names, 0)
    for request in range(cell.requests):
        primary, secondary = service.reply(request, False), service.reply(request, False)
        candidate = service.reply(request, True)
        for name in service.names:
            raw[name] += candidate[name] != primary[name]
            noise[name] += primary[name] != secondary[name]
    return {
        name for name in service.names if _reports(raw[name], noise[name], cell.requests)
    }, 3 * cell.requests


def _reports(raw: int, noise: int, total: int) -> bool:
    more = raw - noise
    return more > 0 and more / (raw + noise) > 0.2 and more / total > 0.0003


Rule = Callable[[Cell, np.random.Generator], tuple[set[str], int]]


def main() -> None:
    """Print one row a cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes to deal the rows out to")
    given = parser.parse_args()
    print(
        "| release | found: amends | found: Diffy | false: amends | false: Diffy | amends sends, a request |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    rules = (by_amends, by_diffy)
    with ProcessPoolExecutor(given.jobs) as pool:
        rows = [
            [pool.submit(_rates, rule, cell, given.runs, [given.seed, number]) for rule in rules]
            for number, cell in enumerate(CELLS)
        ]
        for cell, (ours, theirs) in zip(CELLS, rows, strict=True):
            print(_row(cell, ours.result(), theirs.result()), flush=True)


Rates = tuple[float, float, float]
"""Shares of runs in which the changed field, and any other, was reported; sends for each request."""


def _row(cell: Cell, ours: Rates, theirs: Rates) -> str:
    shown = [f"{ours[0]:.1%}", f"{theirs[0]:.1%}"] if cell.field is not None else ["–", "–"]
    return f"| {' | '.join([cell.name, *shown, f'{ours[1]:.2%}', f'{theirs[1]:.1%}', f'{ours[2]:.1f}'])} |"


def _rates(rule: Rule, cell: Cell, runs: int, seed: list[int]) -> Rates:
    rng = np.random.default_rng(seed)
    changed = {f"body.f{cell.field}"} if cell.field is not None else set()
    found = false = sends = 0
    for _ in range(runs):
        fields, sent = rule(cell, rng)
        found += bool(changed & fields)
        false += bool(fields - changed)
        sends += sent
    return found / runs, false / runs, sends / runs / cell.requests


if __name__ == "__main__":
    main()
