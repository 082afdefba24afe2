"""What carries deployments on: deployers, metric sources, and the engine that divides the work."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amends.errors import PolicyError, StoreUnavailableError, UsageError

if TYPE_CHECKING:
    from amends.application.log import Log
    from amends.application.ports import Deployer, MetricSource
    from amends.application.pushing import PushedPages
    from amends.bootstrap import Workspace
    from amends.config import Settings
    from amends.gates.policy import LoadedPolicy
    from amends.releases.deployment import Deployment
    from amends.workflows.loop import Job, MakeEngine, OnFault
    from amends.workflows.toolbox import GateAnswer, Toolbox


def toolbox(workspace: Workspace, *, watching_only: bool = False) -> Toolbox:
    """Return what carries deployments on: the deployer and metric source of each plan, gates and incidents.

    Paths in a plan (the repository, a certificate) are relative to the folder of the policy file. Whatever
    deployers keep is under ``deploy`` in the state directory. With ``watching_only`` nobody is told anything
    and no guard is looked at, so that what is wrong there keeps no watch from its answer.
    """
    from amends.adapters.spool import FileSpool
    from amends.application.reviewing import draft_review
    from amends.bootstrap.holding import guard_keeper
    from amends.bootstrap.telling import notifier
    from amends.workflows.toolbox import Toolbox

    settings, log = workspace.settings, workspace.log
    sources: dict[str, MetricSource] = {}
    policies: dict[str, LoadedPolicy] = {}

    def metrics_for(d: Deployment) -> MetricSource:
        said = (d.plan.get("watch") or {}).get("source") or {"scrape": {}}
        key = json.dumps(said, sort_keys=True)
        if key not in sources:
            sources[key] = metric_source(said, settings, workspace.opened.pushes)
        return sources[key]

    def decide(d: Deployment, at: datetime, record: bool) -> GateAnswer:
        from amends.application.gating import decide_gates

        if d.policy not in policies:
            policies[d.policy] = _adopted(log, d)
        return decide_gates(
            log, policies[d.policy], d.candidate.version, d.environment, at=at, record=record, deployment=d.id
        )

    return Toolbox(
        log=log, deployer_for=lambda d: _deployer(d.plan, settings), metrics_for=metrics_for,
        decide_gates=decide, open_incident=lambda d: _open_incident(log, d),
        draft_review=lambda incident: draft_review(log, incident),
        spool=FileSpool(settings.state_dir / "spool.jsonl"),
        tell_people=None if watching_only else notifier(workspace),
        check_guards=None if watching_only else guard_keeper(workspace),
    )  # fmt: skip


def shared_engine(workspace: Workspace, queue: str = "amends") -> MakeEngine | None:
    """Return what makes the engine by which the processes on a log divide the work, its tables made.

    ``None`` where there is none: then each process has its own loop. ``queue`` keeps one kind of work from
    the workers of another.

    Raises
    ------
    StoreUnavailableError
        The engine is not installed, the database cannot be reached, or its role may not create tables.
    """
    if workspace.opened.kind != "postgresql":
        return None
    if importlib.util.find_spec("procrastinate") is None:
        raise StoreUnavailableError(
            "the engine for PostgreSQL is not installed", remedy="pip install 'amends[postgres]'"
        )
    from amends.adapters.engines.procrastinate import ProcrastinateEngine
    from amends.adapters.engines.queue import JobQueue

    url, clock = workspace.settings.store, workspace.clock
    JobQueue(url, queue).prepare()

    def make(jobs: Mapping[str, Job], on_fault: OnFault, threads: int) -> ProcrastinateEngine:
        return ProcrastinateEngine(url, jobs, clock, threads=threads, on_fault=on_fault, queue=queue)

    return make


def _deployer(plan: Mapping[str, Any], settings: Settings) -> Deployer:
    said = plan.get("deploy") or {}
    folder, state = settings.policy.parent, settings.state_dir / "deploy"
    if said.get("process"):
        from amends.adapters.deployers.process import ProcessDeployer
        from amends.adapters.deployers.settings import ProcessSettings

        process = dict(said["process"])
        repository = process.pop("repository", ".")
        return ProcessDeployer(
            ProcessSettings(**process, repository=(folder / repository).absolute()), state
        )  # fmt: skip
    if said.get("command"):
        from amends.adapters.deployers.command import CommandDeployer
        from amends.adapters.deployers.settings import CommandSettings

        return CommandDeployer(CommandSettings(**said["command"], root=folder.absolute()), state)
    raise PolicyError(
        "the plan of this deployment names no deployer",
        remedy="add `deploy: {process: …}` or `deploy: {command: …}` to the policy and request it again",
    )


def metric_source(said: Mapping[str, Any], settings: Settings, pushes: PushedPages) -> MetricSource:
    from amends.adapters.metrics.access import HttpAccess
    from amends.adapters.metrics.prometheus import PrometheusSource
    from amends.adapters.metrics.push import PushSource
    from amends.adapters.metrics.scrape import ScrapeSource

    if said.get("push") is not None:
        return PushSource(pushes, said["push"].get("max_age", 60.0))
    asked = dict(said.get("prometheus") or said.get("scrape") or {})
    user = asked.get("username", "")
    access = HttpAccess(
        timeout_seconds=asked.get("timeout", 5.0),
        ca=settings.policy.parent / asked["ca"] if asked.get("ca") else None,
        verify=asked.get("verify", True), headers=dict(asked.get("headers") or {}),
        bearer=_secret(asked.get("bearer_env", "")),
        basic=(user, _secret(asked.get("password_env", ""))) if user else None,
    )  # fmt: skip
    if said.get("prometheus"):
        return PrometheusSource(asked["url"], access, asked.get("instance_label", "instance"))
    return ScrapeSource(access)


def _secret(variable: str) -> str:
    if not variable:
        return ""
    value = os.environ.get(variable, "")
    if not value:
        raise UsageError(
            f"the policy reads a secret from {variable}, which is not set",
            remedy=f"set {variable} in the environment of the process that watches",
        )
    return value


def _adopted(log: Log, d: Deployment) -> LoadedPolicy:
    from amends.adapters.policyfile.adopted import load_again
    from amends.application.deploying import adopted_policy

    kept = adopted_policy(log, d.service, d.policy)
    if kept is None:
        raise PolicyError(
            f"the log does not hold the policy {d.policy[:12]} that {d.id} follows",
            remedy=f"abort it (`amends deployment abort {d.id}`) and request it again",
        )
    return load_again(kept)


def _open_incident(log: Log, d: Deployment) -> str:
    from amends.application.incidents import open_incident
    from amends.releases.wording import retreat_in_a_sentence

    return open_incident(
        log, service=d.service, release=d.candidate.version, environment=d.environment,
        previous=d.baseline.version if d.baseline else "", opened_by="rollback", deployment=d.id,
        summary=retreat_in_a_sentence(d), team=str(d.plan.get("team") or ""),
        deployed_at=d.started_at if d.kind == "rollout" else None,
        rolled_back_at=d.done_at if d.rolled_back else None,
    )  # fmt: skip


def stop_local_services(state_dir: Path) -> list[str]:
    """Stop every service that the ``process`` deployer runs from a state directory. Their traffic ends.

    Returns what was stopped, as ``shop in production``.
    """
    from amends.adapters.deployers.process import ProcessDeployer
    from amends.adapters.deployers.settings import ProcessSettings

    deployer = ProcessDeployer(ProcessSettings(run=""), state_dir / "deploy")
    places = sorted((state_dir / "deploy").glob("*/*/"))
    return [
        f"{place.parent.name} in {place.name}"
        for place in places
        if deployer.stop_all(place.parent.name, place.name)
    ]
