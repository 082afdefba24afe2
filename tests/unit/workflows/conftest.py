"""A small world to deploy to: a deployer, metrics and gates that a test steers, on a real (memory) log."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from amends.adapters.clocks import StillClock
from amends.adapters.stores.memory import MemoryStore
from amends.application.deploying import Wish, request_deployment
from amends.application.deployments import find_deployment
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.errors import ActuationFailedError, ActuationRefusedError, StoreUnavailableError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.releases.actuation import Action, Actuation, Instance, Observation, ReleaseRef
from amends.releases.deployment import Deployment
from amends.releases.wording import retreat_in_a_sentence
from amends.verdicts import Decision
from amends.watch.measurements import Arm, Arms, MetricKind, MetricSnapshot, Reading
from amends.workflows.advance import advance
from amends.workflows.toolbox import Progress, Toolbox

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLAN: dict[str, Any] = {
    "rollout": {"steps": [{"weight": 10, "for": 60.0}, {"weight": 50, "for": 60.0}], "approval": False},
    "watch": {
        "interval": 10.0, "min_requests": 100, "on_inconclusive": "ask", "source": {"scrape": {}},
        "metrics": [{"name": "errors", "kind": "ratio", "events": "e", "total": "t"}],
    },
    "deploy": {"command": {"start": "true", "observe": "true"}},
}  # fmt: skip


@dataclass
class World:
    """What really runs. ``broken`` makes the next orders fail, ``broken_back`` the next roll-backs.

    ``errors`` is the candidate's error share.
    """

    weights: dict[str, int] = field(default_factory=lambda: {"1": 100})
    alive: dict[str, bool] = field(default_factory=lambda: {"1": True})
    token: int = 0
    orders: list[Actuation] = field(default_factory=list)
    broken: int = 0
    broken_back: int = 0
    errors: float = 0.0
    served: dict[str, float] = field(default_factory=lambda: {"1": 0.0, "2": 0.0})
    readings: bool = True

    def actuate(self, order: Actuation) -> Observation:
        if order.token < self.token:
            raise ActuationRefusedError(f"token {order.token} is older than {self.token}")
        self.token = order.token
        self.orders.append(order)
        if self.broken:
            self.broken -= 1
            raise ActuationFailedError("no route to host")
        if self.broken_back and order.action is Action.ROLL_BACK:
            self.broken_back -= 1
            raise ActuationFailedError("no way back")
        candidate = order.candidate.version
        baseline = order.baseline.version if order.baseline else ""
        share = {Action.START: 0, Action.SHIFT: order.weight, Action.PROMOTE: 100, Action.ROLL_BACK: 0}
        self.weights = {candidate: share[order.action]}
        self.alive[candidate] = order.action is not Action.ROLL_BACK
        if baseline:
            self.weights[baseline] = 100 - share[order.action]
            self.alive[baseline] = order.action is not Action.PROMOTE
        return self.observe(order.service, order.environment)

    def observe(self, service: str, environment: str) -> Observation:
        running = tuple(
            Instance(f"i{version}", version, metrics_url="http://there", alive=alive, ready=alive)
            for version, alive in self.alive.items()
        )
        return Observation(service, environment, self.token, dict(self.weights), running)

    def read(self, specs: Sequence[Any], arms: Arms, at: datetime) -> MetricSnapshot:
        if not self.readings:
            return MetricSnapshot(problems=("nobody answers",))
        found = []
        for arm, version, share in ((Arm.BASELINE, "1", 0.0), (Arm.CANDIDATE, "2", self.errors)):
            self.served[version] += 2000.0
            total = self.served[version]
            found.append(
                Reading(
                    arm, f"i{version}", "errors", MetricKind.RATIO, at, value=total * share, exposure=total
                )
            )
        return MetricSnapshot(tuple(found))

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Answer:
    decision: Decision
    rows: tuple[p.GateRow, ...] = ()


class FlakyStore(MemoryStore):
    """A store that can be out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False

    def _check(self) -> None:
        if self.gone:
            raise StoreUnavailableError("no connection")

    def append(self, *args: Any, **kwargs: Any) -> Any:
        self._check()
        return super().append(*args, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> Any:
        self._check()
        return super().read(*args, **kwargs)

    def read_stream(self, *args: Any, **kwargs: Any) -> Any:
        self._check()
        return super().read_stream(*args, **kwargs)


class ListSpool:
    def __init__(self) -> None:
        self.kept: list[Any] = []

    def write(self, entry: Any) -> None:
        self.kept.append(dict(entry))

    def entries(self) -> list[Any]:
        return list(self.kept)

    def remove(self, ids: Any) -> None:
        self.kept = [e for e in self.kept if e["id"] not in ids]


@dataclass
class Rig:
    """One log and one world; ``tools`` is one process that works on them. ``first``: nothing runs yet."""

    store: FlakyStore = field(default_factory=FlakyStore)
    clock: StillClock = field(default_factory=lambda: StillClock(BEGIN))
    world: World = field(default_factory=World)
    spool: ListSpool = field(default_factory=ListSpool)
    gates: Answer = field(default_factory=lambda: Answer(Decision.PASS))
    drafted: list[str] = field(default_factory=list)
    ids: int = 0
    first: bool = False

    def __post_init__(self) -> None:
        self.tools = self.process()
        if self.first:
            return
        self.log.record(
            "service.deployed", p.ServiceDeployed(service="shop", release="1", environment="production")
        )

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:032x}"[::-1]

    @property
    def log(self) -> Log:
        return self.tools.log

    def process(self) -> Toolbox:
        """Another process: the same log and world, nothing remembered."""
        log = Log(self.store, self.clock, self.new_id, "/test")

        def decide(d: Deployment, at: datetime, record: bool) -> Answer:
            if record:
                said = p.GatesDecided(
                    service=d.service, release=d.candidate.version, environment=d.environment, at=at,
                    decision=self.gates.decision.value, gates=self.gates.rows, policy="abc", deployment=d.id,
                )  # fmt: skip
                log.record("gates.decided", said)
            return self.gates

        def incident(d: Deployment) -> str:
            return open_incident(
                log, service=d.service, release=d.candidate.version, environment=d.environment,
                previous=d.baseline.version if d.baseline else "", summary=retreat_in_a_sentence(d),
                opened_by="rollback", deployment=d.id,
            )  # fmt: skip

        def draft(name: str) -> None:
            self.drafted.append(name)
            log.record("review.revised", p.ReviewRevised(incident=name, service="shop", revision=1, text="t"))

        return Toolbox(
            log=log, deployer_for=lambda _: self.world, metrics_for=lambda _: self.world, decide_gates=decide,
            open_incident=incident, draft_review=draft, spool=self.spool,
        )  # fmt: skip

    @staticmethod
    def plan(**watch: Any) -> dict[str, Any]:
        changed = copy.deepcopy(PLAN)
        changed["watch"].update(watch)
        return changed

    def ask(self, release: str = "2", plan: dict[str, Any] | None = None, policy: str = "abc") -> str:
        wish = Wish(
            release=ReleaseRef("shop", release), environment="production", environments=["production"],
            plan=plan or PLAN, policy=policy,
        )  # fmt: skip
        return request_deployment(self.log, wish)

    def go(self, deployment: str, *, until: str = "", limit: int = 200) -> Progress:
        """Advance, letting time pass, until nothing is due or something named was done."""
        for _ in range(limit):
            progress = advance(self.tools, deployment)
            if progress.finished or progress.due is None or (until and until in progress.did):
                return progress
            self.clock.at = max(self.clock.at, progress.due)
        raise AssertionError(f"still not there: {progress}")

    def state(self, deployment: str) -> Deployment:
        return find_deployment(self.log, deployment)

    def kinds(self, *kinds: str) -> list[Fact]:
        return self.log.facts(kinds=kinds)

    def actions(self) -> list[str]:
        return [order.action.value for order in self.world.orders]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def bare() -> Rig:
    """A rig where nothing was ever deployed."""
    return Rig(world=World(weights={}, alive={}), first=True)
