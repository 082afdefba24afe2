"""``amends watch forecast``: how long a rollout would need to find what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import Format, FormatOption, PolicyOption, StoreOption

if TYPE_CHECKING:
    from amends.watch.forecast import Traffic
    from amends.watch.plan import WatchPlan


def forecast(
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The service. Default: the policy's.")
    ] = "",
    environment: Annotated[
        str, typer.Option("--environment", "--env", metavar="ENV", help="Where. Default: the policy's last.")
    ] = "",
    rate: Annotated[
        str,
        typer.Option("--rate", metavar="RATE", help="Requests: 20/s, 300/min. Default: the last watch's."),
    ] = "",
    errors: Annotated[
        str,
        typer.Option(
            "--errors", metavar="SHARE", help="Share that fails when all is well: 0.5%. Default: likewise."
        ),
    ] = "",
    format_: FormatOption = Format.TEXT,
    store: StoreOption = "",
    policy: PolicyOption = "",
) -> None:
    """Say how long the watch needs to find an effect, and what the rollout as planned cannot find.

    Traffic and usual errors are those that the environment's last watch saw, or what --rate and --errors
    say. "Found after" is the time on average; half of all harm is found about a sixth earlier. "At best" is
    Wald's bound: no test with this alpha is faster on average.

    JSON: {"seconds", "alpha", "steps", "metrics": [{"metric", "kind", "sentence", "effects": [{"effect",
    "seconds", "least", "step"}], "by_step", "exposure_per_second", "rate", "unknown", "origin"}], "remark"}.

    Exit: 0 said (also where the traffic is not known), 2 usage.
    """
    from amends.application.deploying import course_of
    from amends.application.forecasting import stated_traffic
    from amends.bootstrap import open_policy
    from amends.watch.forecast import forecast_watch
    from amends.watch.foretold import PlannedStep, forecast_lines

    per_second, share = parse_rate(rate) if rate else None, parse_share(errors) if errors else None
    loaded = open_policy(policy, service=service)
    course = course_of(loaded.policy.snapshot())
    place = environment or loaded.policy.environments[-1]
    watch = loaded.policy.watch.plan()
    known = _known(store, loaded.policy.service, place, watch)
    traffic = stated_traffic(watch, known, rate=per_second, errors=share)
    steps = [PlannedStep(s.weight, s.seconds) for s in course.steps]
    told = forecast_watch(watch, steps, traffic, course.interval)
    if format_ is Format.JSON:
        typer.echo(json.dumps(told.to_data(), ensure_ascii=False))
        return
    for line in forecast_lines(told):
        typer.echo(line)
    if not told.remark and any(
        m.unknown and m.metric not in {t.metric for t in traffic} for m in told.metrics
    ):
        typer.echo("  say it with --rate and --errors, or ask again after a first watched rollout")


def _known(store: str, service: str, environment: str, watch: WatchPlan) -> list[Traffic]:
    from amends.application.forecasting import last_traffic
    from amends.bootstrap import open_workspace

    workspace = open_workspace(store=store, reading=True)
    try:
        return last_traffic(workspace.log, service, environment, watch)
    finally:
        workspace.close()


_PER = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "m": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
}


def parse_rate(text: str) -> float:
    """Return events a second from ``20/s``, ``300/min``, ``1000/h``; a plain number is a second's.

    Raises
    ------
    UsageError
        If it is something else.
    """
    from amends.errors import UsageError

    amount, _, unit = text.replace(" ", "").replace(",", "").partition("/")
    try:
        found = float(amount) / _PER[unit or "s"]
    except (ValueError, KeyError):
        found = -1.0
    if not 0 < found < float("inf"):
        raise UsageError(
            f"found the rate {text!r}; allowed is a number above 0 with /s, /min, /h or /d",
            where="--rate", remedy="write it like 20/s",
        )  # fmt: skip
    return found


def parse_share(text: str) -> float:
    """Return a share from ``0.5%`` or ``0.005``. Raises ``UsageError`` unless it is between 0 and 1."""
    from amends.errors import UsageError

    plain = text.strip()
    try:
        found = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1:
        raise UsageError(
            f"found the share {text!r}; allowed is 0 up to, not including, 100%", where="--errors",
            remedy="write it like 0.5%",
        )  # fmt: skip
    return found
