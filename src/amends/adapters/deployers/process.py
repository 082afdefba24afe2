"""The ``process`` deployer: versions of a local service behind a weighted proxy, all detached."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

from amends.adapters.deployers.control import ProxyControl
from amends.adapters.deployers.fence import one_at_a_time, place, reporting
from amends.adapters.deployers.instances import Instances
from amends.adapters.deployers.processes import ProcessId, is_alive, signal_group
from amends.adapters.deployers.rollout import Rollout
from amends.adapters.deployers.settings import ProcessSettings
from amends.adapters.deployers.trees import Trees
from amends.errors import ActuationFailedError
from amends.releases.actuation import Actuation, Instance, Observation


class ProcessDeployer:
    """Runs versions of a service on this machine and divides its traffic between them.

    Parameters
    ----------
    settings:
        How to run the service.
    state_dir:
        Where tokens, worktrees, instances and the routing table are kept, in a directory for each service and
        environment. Two processes with the same ``state_dir`` work on the same instances.
    """

    def __init__(self, settings: ProcessSettings, state_dir: Path) -> None:
        self._settings = settings
        self._state_dir = state_dir

    def actuate(self, order: Actuation) -> Observation:
        """Carry out an order and read back what is so afterwards.

        Raises
        ------
        ActuationRefusedError
            A newer order was accepted, before or while this one was carried out.
        ActuationFailedError
            It could not be carried out; the message holds what was printed. Traffic is as it was, unless the
            order had shifted it already and only the retirement of what no longer has traffic failed.
        PolicyError
            ``run``, ``prepare`` or ``artifact`` cannot be used.
        """
        _check(order)
        directory = place(self._state_dir, order.service, order.environment)
        proxy = self._proxy(directory, order.environment)
        what = f"{order.action} {order.candidate}"

        def still_wanted() -> None:
            proxy.claim(order.token, what)

        with reporting(directory):
            proxy.ensure()
            still_wanted()
        with reporting(directory), one_at_a_time(directory, still_wanted) as lock:
            proxy.ensure()
            still_wanted()
            trees = Trees(
                self._settings, directory / "trees", keep_waiting=still_wanted, on_start=lock.running
            )
            Rollout(order, self._settings, proxy, Instances(self._settings, directory), trees).carry_out()
        return self.observe(order.service, order.environment)

    def observe(self, service: str, environment: str) -> Observation:
        """Read what really runs: processes, their readiness, and the weights in the proxy.

        Without a running proxy nothing has traffic, and no weights are reported.
        """
        directory = place(self._state_dir, service, environment)
        with reporting(directory):
            return self._observe(directory, service, environment)

    def _observe(self, directory: Path, service: str, environment: str) -> Observation:
        proxy = self._proxy(directory, environment)
        instances = Instances(self._settings, directory)
        known, alive = instances.known(), instances.alive()
        weights: dict[str, int] = {}
        token, detail, names = proxy.kept_token(), "the proxy does not run", list(alive)
        state = proxy.state_if_running()
        if state is not None:
            token, detail = state.token, proxy.moved()
            for route in state.routes:
                weights[route.version] = weights.get(route.version, 0) + route.weight
            names += [r.name for r in state.routes if r.name not in alive]
        seen = []
        for name in names:
            record = alive.get(name) or known.get(name)
            if record is not None and record.version:
                seen.append(
                    Instance(
                        name=name,
                        version=record.version,
                        url=record.url,
                        metrics_url=instances.metrics_url(record),
                        alive=name in alive and is_alive(record.identity()),
                        ready=instances.is_ready(record),
                    )
                )
        return Observation(service, environment, token, weights, tuple(seen), detail)

    def traffic(self, service: str, environment: str) -> dict[str, int]:
        """Return the requests that each version answered since the service was first started here."""
        return self._proxy(place(self._state_dir, service, environment), environment).traffic()

    def in_flight(self, service: str, environment: str) -> dict[str, int]:
        """Return the requests that each instance, by name, is answering now."""
        state = self._proxy(place(self._state_dir, service, environment), environment).state_if_running()
        return state.in_flight if state is not None else {}

    def proxy_url(self, service: str, environment: str) -> str:
        """Return the address at which the service is reached; empty before its first order."""
        return self._proxy(place(self._state_dir, service, environment), environment).url()

    def stop_all(self, service: str, environment: str) -> bool:
        """Stop the proxy and every instance, and remove worktrees and state. For tidying up: traffic ends.

        Returns whether there was anything.
        """
        directory = place(self._state_dir, service, environment)
        with one_at_a_time(directory, lambda: None):
            record = self._proxy(directory, environment).record()
            if record is not None:
                # First, so that it can drain what is in flight while instances still answer.
                _end(ProcessId(record.pid, record.started), self._settings.stop_timeout)
            instances = Instances(self._settings, directory)
            for instance in instances.alive().values():
                instances.end(instance)
            instances.end_remaining()
            Trees(self._settings, directory / "trees").remove_all()
            left = [entry for entry in directory.iterdir() if entry.name != "lock"]
            for entry in left:
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
            return bool(left)

    def _proxy(self, directory: Path, environment: str) -> ProxyControl:
        return ProxyControl(directory, self._settings.ports.get(environment, 0), self._settings)


def _check(order: Actuation) -> None:
    if order.baseline is not None and order.baseline.version == order.candidate.version:
        raise ActuationFailedError(
            f"{order.candidate} cannot be candidate and baseline at once",
            remedy="deploy a release other than the one that runs",
        )
    if not 0 <= order.weight <= 100:
        raise ActuationFailedError(
            f"{order.candidate} cannot have {order.weight} per cent of the traffic",
            remedy="state a weight from 0 to 100",
        )


def _end(process: ProcessId, timeout: float) -> None:
    signal_group(process.pid, signal.SIGTERM)
    until = time.monotonic() + timeout
    while is_alive(process):
        if time.monotonic() >= until:
            signal_group(process.pid, signal.SIGKILL)
        time.sleep(0.02)
