"""One order carried out by processes: which instances must run, who has traffic, who is retired.

Every step reads what is so and moves it towards what is ordered, so an order that was interrupted anywhere is
completed by giving it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from amends.adapters.deployers.control import ProxyControl
from amends.adapters.deployers.instances import InstanceRecord, Instances
from amends.adapters.deployers.settings import ProcessSettings
from amends.adapters.deployers.table import ProxyState, Route
from amends.adapters.deployers.trees import Trees
from amends.errors import ActuationFailedError, AmendsError
from amends.releases.actuation import Action, Actuation, ReleaseRef

_ASK_EVERY = 0.25  # seconds between looks at the proxy whether the order still stands
_PROBES = 5


class Rollout:
    """Carries out one order; whoever makes it holds the lock and has had the token accepted."""

    def __init__(
        self,
        order: Actuation,
        settings: ProcessSettings,
        proxy: ProxyControl,
        instances: Instances,
        trees: Trees,
    ) -> None:
        self._order = order
        self._settings = settings
        self._proxy = proxy
        self._instances = instances
        self._trees = trees
        self._what = f"{order.action} {order.candidate}"
        self._asked = 0.0

    def carry_out(self) -> None:
        """Do what is ordered, then retire whatever has no place in the routing table any more."""
        steps = {
            Action.START: self._start,
            Action.SHIFT: self._shift,
            Action.PROMOTE: self._promote,
            Action.ROLL_BACK: self._roll_back,
        }
        steps[self._order.action]()
        self._retire_unrouted()

    def _start(self) -> None:
        order = self._order
        wanted = [order.candidate] + ([order.baseline] if order.baseline else [])
        state = self._proxy.state()
        running = self._ensure(wanted, state, fresh=order.baseline if self._settings.fresh_baseline else None)
        weights = _by_version(state)
        for version, record in self._routed(state).items():
            running.setdefault(version, record)
        if order.baseline and not any(weights.get(v, 0) for v in running):
            weights[order.baseline.version] = 100
        self._route(running, weights)

    def _shift(self) -> None:
        order = self._order
        state = self._proxy.state()
        running = {order.candidate.version: self._ready_candidate(state)}
        weights = {order.candidate.version: order.weight}
        if order.baseline:
            running |= self._ensure([order.baseline], state)
            weights[order.baseline.version] = 100 - order.weight
        self._route(running, weights)

    def _promote(self) -> None:
        candidate = self._order.candidate
        state = self._proxy.state()
        if [r.version for r in state.routes] == [candidate.version]:
            # It was promoted before; asked again, say after the machine was started anew, it has to run.
            running = self._ensure([candidate], state)
        else:
            running = {candidate.version: self._ready_candidate(state)}
        self._route(running, {candidate.version: 100})

    def _roll_back(self) -> None:
        baseline = self._order.baseline
        if baseline is None:
            self._route({}, {})
            return
        state = self._proxy.state()
        try:
            running = self._ensure([baseline], state)
        except ActuationFailedError:
            # An instance that runs, though it does not answer its readiness path, is better than none.
            routed = self._routed(state)
            if baseline.version not in routed:
                raise
            running = {baseline.version: routed[baseline.version]}
        self._route(running, {baseline.version: 100})

    def _ready_candidate(self, state: ProxyState) -> InstanceRecord:
        record = self._routed(state).get(self._order.candidate.version)
        if record is not None:
            for _ in range(_PROBES):
                if self._instances.is_ready(record):
                    return record
                time.sleep(0.1)
        found = "is not ready" if record else "does not run"
        raise ActuationFailedError(
            f"{self._order.candidate} {found}, so it was given no traffic",
            remedy="start it (again), or roll back",
        )

    def _ensure(
        self, releases: list[ReleaseRef], state: ProxyState, fresh: ReleaseRef | None = None
    ) -> dict[str, InstanceRecord]:
        """Return an instance that is ready for each release, starting those that are missing, together.

        Those started here are stopped again when any of them fails.
        """
        started: list[InstanceRecord] = []
        running: dict[str, InstanceRecord] = {}
        try:
            for release in releases:
                found = self._find(release, state, fresh=release is fresh)
                if found is None:
                    found = self._launch(release)
                    started.append(found)
                running[release.version] = found
            for record in running.values():
                self._instances.wait_until_ready(record, self._still_wanted)
            self._proxy.claim(self._order.token, self._what)
        except AmendsError:
            for record in started:
                self._instances.end(record)
            raise
        return running

    def _find(self, release: ReleaseRef, state: ProxyState, *, fresh: bool) -> InstanceRecord | None:
        leaving = set(state.stopping)
        candidates = [
            r
            for r in self._instances.alive().values()
            if r.version == release.version
            and r.name not in leaving
            and release.commit in ("", r.commit)
            and (not fresh or r.deployment == self._order.deployment)
        ]
        routed = {route.name for route in state.routes}
        candidates.sort(key=lambda r: r.name not in routed)
        for record in candidates:
            if record.name in routed and self._responds(record):
                return record
            if record.name not in routed and self._becomes_ready(record):
                return record
        return None

    def _responds(self, record: InstanceRecord) -> bool:
        return any(self._instances.is_ready(record) for _ in range(2))

    def _becomes_ready(self, record: InstanceRecord) -> bool:
        """Adopt what an interrupted order has started, if it is any good."""
        try:
            self._instances.wait_until_ready(record, self._still_wanted)
        except ActuationFailedError:
            return False
        return True

    def _launch(self, release: ReleaseRef) -> InstanceRecord:
        tree = self._trees.prepare(release, self._order.environment)
        self._proxy.claim(self._order.token, self._what)
        return self._instances.start(release, self._order.environment, self._order.deployment, tree)

    def _routed(self, state: ProxyState) -> dict[str, InstanceRecord]:
        alive = self._instances.alive()
        return {r.version: alive[r.name] for r in state.routes if r.name in alive and alive[r.name].version}

    def _route(self, running: Mapping[str, InstanceRecord], weights: Mapping[str, int]) -> None:
        routes = [
            Route(record.name, version, record.url, weights.get(version, 0))
            for version, record in sorted(running.items())
        ]
        self._proxy.route(self._order.token, routes, self._what)

    def _retire_unrouted(self) -> None:
        routes = {r.name for r in self._proxy.state().routes}
        leaving = sorted(self._instances.remaining() - routes)
        if leaving:
            self._proxy.retire(self._order.token, leaving, self._what)
            self._wait_until_gone(leaving)
        self._instances.put_away(routes)
        known = self._instances.known()
        self._trees.prune(known[name].tree for name in routes if name in known)

    def _wait_until_gone(self, names: list[str]) -> None:
        end = time.monotonic() + self._settings.drain_timeout + self._settings.stop_timeout + 10.0
        while True:
            state = self._proxy.claim(self._order.token, self._what)
            left = set(names).intersection((*state.draining, *state.stopping))
            if not left:
                return
            if time.monotonic() >= end:
                raise ActuationFailedError(
                    f"{self._what}: {', '.join(sorted(left))} could not be stopped; it has no traffic",
                    remedy="look at what holds it (ps, its output.log) and repeat the order",
                )
            time.sleep(0.02)

    def _still_wanted(self) -> None:
        if time.monotonic() - self._asked >= _ASK_EVERY:
            self._proxy.claim(self._order.token, self._what)
            self._asked = time.monotonic()


def _by_version(state: ProxyState) -> dict[str, int]:
    weights: dict[str, int] = {}
    for route in state.routes:
        weights[route.version] = weights.get(route.version, 0) + route.weight
    return weights
