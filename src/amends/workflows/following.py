"""Following the log: which new event concerns which deployment, so that nobody reads the log again."""

from __future__ import annotations

from collections import defaultdict

from amends.application.ports import Engine, Stop
from amends.errors import AmendsError
from amends.events import payloads as p
from amends.events.codec import Fact
from amends.workflows.bypasses import SETTLES
from amends.workflows.toolbox import SOURCE, Toolbox

_WAIT_SECONDS = 1.0
_BATCH = 500
PEOPLE = "notices"
"""The key under which people are told of what happened."""

_NEWS = ("incident.", "notice.", "statement.", "milestone.", "review.", "action.", "amendment.", "reminder.")
_OWN_ANSWERS = ("gates.decided", "policy.adopted")


class Follower:
    """Reads on from the last event it saw and has the engine call ``advance`` for whom it concerns.

    A deployment that waits for its gates is called when its service, or any team's shift, gives new evidence.

    Parameters
    ----------
    shared:
        Whether other processes submit to the same engine. Then whoever advances a deployment is called again
        for it, so that what ``advance`` records itself wakes nobody.
    """

    def __init__(self, tools: Toolbox, engine: Engine, *, shared: bool = False) -> None:
        self._tools = tools
        self._shared = shared
        self._engine = engine
        self._position = 0
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def run(self, stop: Stop) -> None:
        """Follow until told to stop; a log that cannot be reached is tried again every second."""
        begun = False
        while not stop.is_set():
            try:
                if not begun:
                    self.begin()
                    begun = True
                self.follow(_WAIT_SECONDS)
            except AmendsError:
                stop.wait(_WAIT_SECONDS)

    def begin(self) -> None:
        """Submit every deployment with something left to do, then what was finished last in each lane."""
        log = self._tools.log
        self._position = log.store.last_position()
        asked: dict[str, p.DeploymentRequested] = {}
        for fact in log.facts(kinds=("deployment.requested",)):
            if isinstance(fact.payload, p.DeploymentRequested):
                asked[fact.payload.deployment] = fact.payload
        over = {f.payload.deployment: f.payload for f in log.facts(kinds=("deployment.finished",))
                if isinstance(f.payload, p.DeploymentFinished)}  # fmt: skip
        told = self._with_review()
        carried = {f.payload.service for f in log.facts(kinds=("policy.adopted",))
                   if isinstance(f.payload, p.PolicyAdopted)}  # fmt: skip
        for service in sorted(carried):
            self._engine.submit("bypass", service)
        latest: dict[tuple[str, str], str] = {}
        for identity, request in asked.items():
            latest[request.service, request.environment] = identity
            if identity not in over:
                self._waiting[request.service].add(identity)
                self._engine.submit("advance", identity)
            elif over[identity].outcome == "rolled_back" and identity not in told:
                self._engine.submit("advance", identity)
        for identity in latest.values():
            if identity in over:
                self._engine.submit("reconcile", identity)

    def _with_review(self) -> set[str]:
        """Return the deployments whose incident is open and has its draft: nothing is left to do for them."""
        log = self._tools.log
        drafted = {getattr(f.payload, "incident", "") for f in log.facts(kinds=("review.revised",))}
        opened = [f.payload for f in log.facts(kinds=("incident.detected",))]
        return {
            said.deployment
            for said in opened
            if isinstance(said, p.IncidentOpened) and said.deployment and said.incident in drafted
        }

    def follow(self, timeout: float) -> int:
        """Wait for new events, at most so many real seconds; pass them on and return how many there were."""
        if not self._tools.log.store.wait(self._position, timeout):
            return 0
        facts = self._tools.log.facts(after=self._position, limit=_BATCH)
        for fact in facts:
            self._pass_on(fact)
            self._position = fact.recorded.position
        return len(facts)

    def _pass_on(self, fact: Fact) -> None:
        self._tend(fact)
        if getattr(fact.payload, "controller", ""):
            return  # another controller's rollout: nothing is to be carried on here
        deployment = getattr(fact.payload, "deployment", "")
        service = getattr(fact.payload, "service", "")
        if isinstance(fact.payload, p.DeploymentRequested):
            self._waiting[service].add(deployment)
        elif fact.kind in ("deployment.finished", "actuation.intended"):
            self._waiting[service].discard(deployment)
        if deployment and fact.kind not in _OWN_ANSWERS:
            if not self._seen(deployment, fact):
                self._engine.submit("advance", deployment)
        elif isinstance(fact.payload, p.ShiftAcknowledged):
            for waiting in list(self._waiting.values()):
                self._wake(waiting)
        elif fact.kind not in _OWN_ANSWERS:
            self._wake(self._waiting.get(service, set()))

    def _tend(self, fact: Fact) -> None:
        """Pass on what concerns people, and deployments that may have gone around their gates."""
        if self._tools.tell_people and fact.kind.startswith(_NEWS):
            self._engine.submit("tell", PEOPLE)
        if isinstance(fact.payload, p.ServiceDeployed) and not fact.recorded.event.imported:
            self._engine.submit("bypass", fact.payload.service, due=self._tools.clock.now() + SETTLES)

    def _seen(self, deployment: str, fact: Fact) -> bool:
        """Whether whoever advances the deployment wrote the event itself, or has read it already."""
        if self._shared and fact.recorded.event.source == SOURCE and fact.kind != "deployment.requested":
            return True
        sight = self._tools.memory.get(deployment)
        if sight is None:
            return False
        if fact.recorded.stream == sight.deployment.lane:
            return fact.recorded.seq <= sight.lane_seq
        if fact.kind == "watch.assessed":
            return fact.recorded.seq <= sight.watch_seq
        return False

    def _wake(self, deployments: set[str]) -> None:
        for deployment in list(deployments):
            self._engine.submit("advance", deployment)
