"""The ``command`` deployer: the user's own shell commands, fenced, bounded in time, their output kept."""

from __future__ import annotations

from pathlib import Path

import msgspec

from amends.adapters.deployers.fence import HeldLock, TokenRegister, one_at_a_time, place, reporting
from amends.adapters.deployers.output import presentable
from amends.adapters.deployers.placeholders import check_placeholders, fill_shell
from amends.adapters.deployers.processes import CommandTimeoutError, Finished, clean_environment, run_command
from amends.adapters.deployers.settings import CommandSettings
from amends.errors import ActuationFailedError, PolicyError
from amends.events.prepared import prepare
from amends.releases.actuation import Action, Actuation, Instance, Observation

_KEYS = {
    Action.START: "start",
    Action.SHIFT: "weight",
    Action.PROMOTE: "promote",
    Action.ROLL_BACK: "rollback",
}
_SHAPE = (
    '{"weights": {"1.2.0": 90, "1.3.0": 10}, "instances": '
    '[{"name": "a", "version": "1.2.0", "url": "http://…", "metrics_url": "http://…", '
    '"alive": true, "ready": true}]}'
)


class _ObservedInstance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    version: str
    url: str = ""
    metrics_url: str = ""
    alive: bool = True
    ready: bool = True


class _Observed(msgspec.Struct, frozen=True):
    weights: dict[str, int]
    instances: list[_ObservedInstance] = []


prepare(_Observed)


class CommandDeployer:
    """Carries out orders with the user's own commands.

    The token is checked before a command starts and while it runs; a newer order ends a command that still
    runs for an older one. What a command has set going elsewhere cannot be fenced from here: pass
    ``{token}`` on to a platform that can.

    Parameters
    ----------
    settings:
        The commands.
    state_dir:
        Where tokens and locks are kept, in a directory for each service and environment.
    """

    def __init__(self, settings: CommandSettings, state_dir: Path) -> None:
        self._settings = settings
        self._state_dir = state_dir

    def actuate(self, order: Actuation) -> Observation:
        """Carry out an order and read back what is so afterwards.

        Raises
        ------
        ActuationRefusedError
            A newer order was accepted.
        ActuationFailedError
            The command failed or took too long; the message holds what it printed.
        PolicyError
            There is no command for this action, or one with an unknown placeholder.
        """
        key = _KEYS[order.action]
        values = _values(order)
        for needed in (key, "observe"):
            check_placeholders(self._command(needed), values, _where(needed))
        directory = place(self._state_dir, order.service, order.environment)
        tokens = TokenRegister(directory, f"{order.action} {order.candidate}")
        with reporting(directory):
            tokens.accept(order.token)

        def still_wanted() -> None:
            tokens.check(order.token)

        with reporting(directory), one_at_a_time(directory, still_wanted) as lock:
            still_wanted()
            done = self._run(key, values, lock, tokens, order.token)
            return self._observe(order.service, order.environment, values, tokens, done.output)

    def observe(self, service: str, environment: str) -> Observation:
        """Run the user's ``observe`` command and read what it printed.

        Raises
        ------
        ActuationFailedError
            It failed, took too long, or printed something else than asked for.
        PolicyError
            There is no such command.
        """
        values = {**dict.fromkeys(_FIELDS, ""), "service": service, "environment": environment}
        tokens = TokenRegister(place(self._state_dir, service, environment), "observe")
        return self._observe(service, environment, values, tokens, "")

    def _observe(
        self, service: str, environment: str, values: dict[str, str], tokens: TokenRegister, detail: str
    ) -> Observation:
        done = self._run("observe", values, None, None, 0)
        try:
            seen = msgspec.json.decode(done.stdout.encode(), type=_Observed)
        except msgspec.DecodeError as error:
            raise ActuationFailedError(
                f"the observe command printed what cannot be read ({error}):\n{self._fit(done.output)}",
                where=_where("observe"),
                remedy=f"print one JSON object on standard output, all else on standard error: {_SHAPE}",
            ) from error
        return Observation(
            service=service,
            environment=environment,
            token=tokens.highest(),
            weights=_checked_weights(seen.weights),
            instances=tuple(Instance(**msgspec.structs.asdict(i)) for i in seen.instances),
            detail=self._fit(detail),
        )

    def _run(
        self,
        key: str,
        values: dict[str, str],
        lock: HeldLock | None,
        tokens: TokenRegister | None,
        token: int,
    ) -> Finished:
        command = fill_shell(self._command(key), values, _where(key))
        try:
            done = run_command(
                ["/bin/sh", "-c", command],
                cwd=self._settings.root,
                env=clean_environment({**self._settings.env, **_variables(values)}),
                timeout=self._settings.timeout,
                on_start=lock.running if lock else lambda _: None,
                keep_waiting=(lambda: tokens.check(token)) if tokens else lambda: None,
            )
        except CommandTimeoutError as error:
            raise ActuationFailedError(
                f"the {key} command ran longer than {self._settings.timeout:g} s and was ended"
                f" with everything it had started:\n{self._fit(error.output) or '(it printed nothing)'}",
                where=_where(key),
                remedy="find out what it waited for, or raise deploy.timeout",
            ) from error
        except OSError as error:
            raise ActuationFailedError(
                f"the {key} command cannot be started in {self._settings.root}: {error.strerror or error}",
                where=_where(key),
                remedy="check that the directory and /bin/sh are there",
            ) from error
        if done.code != 0:
            raise ActuationFailedError(
                f"the {key} command ended with {_ending(done.code)}:\n"
                f"{self._fit(done.output) or '(it printed nothing)'}",
                where=_where(key),
                remedy="mend what it reports; the order is repeated safely",
            )
        return done

    def _command(self, key: str) -> str:
        command: str = getattr(self._settings, key)
        if not command.strip():
            raise PolicyError(
                f"there is no command for {key}",
                where=_where(key),
                remedy="state start, weight, promote, rollback and observe under deploy: command:",
            )
        return command

    def _fit(self, text: str) -> str:
        return presentable(text, limit=self._settings.output_limit, env=clean_environment(self._settings.env))


_FIELDS = (
    "service",
    "environment",
    "version",
    "commit",
    "digest",
    "baseline",
    "baseline_commit",
    "weight",
    "token",
    "deployment",
)


def _values(order: Actuation) -> dict[str, str]:
    baseline = order.baseline
    return {
        "service": order.service,
        "environment": order.environment,
        "version": order.candidate.version,
        "commit": order.candidate.commit,
        "digest": order.candidate.digest,
        "baseline": baseline.version if baseline else "",
        "baseline_commit": baseline.commit if baseline else "",
        "weight": str(order.weight),
        "token": str(order.token),
        "deployment": order.deployment,
    }


def _variables(values: dict[str, str]) -> dict[str, str]:
    names = {"token": "AMENDS_FENCING_TOKEN"}
    return {names.get(k, f"AMENDS_{k.upper()}"): v for k, v in values.items()}


def _where(key: str) -> str:
    return f"deploy.command.{key}"


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _checked_weights(weights: dict[str, int]) -> dict[str, int]:
    for version, weight in weights.items():
        if not 0 <= weight <= 100:
            raise ActuationFailedError(
                f"the observe command gives {version} a weight of {weight}",
                where=_where("observe"),
                remedy="print weights in per cent, whole numbers from 0 to 100",
            )
    return weights
