"""The parts of a policy that a deployment follows: rollout, watch and deployer.

Field names of ``watch`` are those of ``amends.watch.plan``, field names of ``deploy`` those of the deployers'
settings; see there for what each means in full.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from amends.gates.shape import Duration, Strict
from amends.stats.group_sequential import Spending
from amends.watch.measurements import MetricKind
from amends.watch.plan import Direction, Limit, MetricSpec, Mode, OnInconclusive, WatchPlan


class RolloutStep(Strict):
    """The candidate gets ``weight`` per cent of the traffic and is watched ``for`` so long."""

    weight: int = Field(ge=0, le=100, description="per cent of the traffic")
    seconds: Duration = Field(alias="for", description="how long the candidate is watched at this weight")


class Rollout(Strict):
    """How traffic moves to a candidate. Without steps the whole traffic moves at once, unwatched.

    Steps and approval are for the ``environments`` listed, by default for the last one of the policy alone;
    in the others the whole traffic moves at once. ``approval: true`` waits for ``amends deployment approve``
    before the first step.
    """

    steps: list[RolloutStep] = Field(default_factory=list)
    approval: bool = False
    environments: list[str] = Field(default_factory=list, description="default: the policy's last one")

    @model_validator(mode="after")
    def _rises(self) -> Self:
        weights = [step.weight for step in self.steps]
        if weights != sorted(weights):
            raise ValueError(f"the weights of the steps never fall; found {weights}")
        return self


class Access(Strict):
    """How a source is reached. Secrets are named by environment variable, never written here.

    ``ca`` is a PEM file to trust instead of the system's. ``bearer_env`` and ``username`` with
    ``password_env`` exclude one another.
    """

    headers: dict[str, str] = Field(default_factory=dict)
    ca: str = ""
    verify: bool = True
    bearer_env: str = ""
    username: str = ""
    password_env: str = ""
    timeout: Duration = 5.0

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.bearer_env and self.username:
            raise ValueError("`bearer_env` and `username` exclude one another; keep one")
        return self


class PrometheusSource(Access):
    """A Prometheus query API; ``instance_label`` tells processes apart."""

    url: str = Field(min_length=1)
    instance_label: str = "instance"


class ScrapeSource(Access):
    """Reads each instance's Prometheus exposition directly; needs no server."""


class PushSource(Strict):
    """Pages that the instances push to the server; one older than ``max_age`` is silence."""

    max_age: Duration = 60.0

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.max_age <= 0:
            raise ValueError("`max_age` is longer than nothing, for example 60s")
        return self


class Source(Strict):
    """Where a watch reads its metrics: one of the three."""

    scrape: ScrapeSource | None = None
    prometheus: PrometheusSource | None = None
    push: PushSource | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.scrape, self.prometheus, self.push].count(None) != 2:
            raise ValueError("a source is one of `scrape: {}`, `prometheus: {url: …}` and `push: {}`")
        return self


class WatchLimit(Strict):
    """A line that the candidate must not cross, whatever the baseline does."""

    above: float | None = None
    below: float | None = None
    min_requests: int = Field(default=200, ge=1)
    quantile: float = Field(default=0.99, gt=0, lt=1)

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a limit has `above` or `below`, for example `above: 0.2`")
        return self


_NEEDED = {
    "ratio": ("events", "total"),
    "count": ("events",),
    "gauge": ("events",),
    "latency": ("histogram",),
}


class WatchMetric(Strict):
    """One metric to watch."""

    name: str = Field(min_length=1)
    kind: Literal["ratio", "count", "latency", "gauge"] = "ratio"
    events: str = ""
    total: str = ""
    histogram: str = ""
    direction: Literal["higher", "lower", "both"] = "higher"
    smallest_effect: float | None = Field(default=None, ge=1)
    margin: float = Field(default=2.0, gt=1)
    negligible: float = Field(default=0.01, ge=0)
    limit: WatchLimit | None = None
    segment: str = ""
    dispersion: float = Field(default=1.0, ge=1)

    @model_validator(mode="after")
    def _named(self) -> Self:
        for field in _NEEDED[self.kind]:
            if not getattr(self, field):
                raise ValueError(f"a metric of kind {self.kind} needs `{field}`")
        return self

    def spec(self) -> MetricSpec:
        """Return the metric as the watch takes it."""
        limit = Limit(**self.limit.model_dump()) if self.limit else None
        plain = self.model_dump(exclude={"limit", "kind", "direction"})
        return MetricSpec(
            **plain, limit=limit, kind=MetricKind(self.kind), direction=Direction(self.direction)
        )


class Watch(Strict):
    """How the candidate is compared with its baseline while a step lasts.

    With ``mode: group_sequential`` ratios and counts are decided on at ``looks`` preset moments only, evenly
    over the rollout, ``alpha`` being spent as ``spending`` says: more is found where there is little traffic,
    and later where there is much.
    """

    alpha: float = Field(default=0.01, gt=0, lt=1)
    interval: Duration = 10.0
    mode: Literal["always", "group_sequential"] = "always"
    looks: int = Field(default=4, ge=1, le=50, description="in a group-sequential watch")
    spending: Literal["obrien_fleming", "pocock"] = "obrien_fleming"
    min_requests: int = Field(default=100, ge=1)
    min_events: int = Field(default=3, ge=1)
    warmup: Duration = 0.0
    max_gap: Duration = 120.0
    on_inconclusive: Literal["ask", "extend", "rollback", "promote"] = "ask"
    source: Source = Field(default_factory=lambda: Source(scrape=ScrapeSource()))
    metrics: list[WatchMetric] = Field(default_factory=list)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [metric.name for metric in self.metrics]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"metric {name!r} is listed twice; give each its own name")
        if self.interval <= 0:
            raise ValueError("`interval` is longer than nothing, for example 10s")
        if self.source.prometheus is not None:
            self._tells_arms_apart()
        return self

    def _tells_arms_apart(self) -> None:
        """A query that is the same for both arms compares a release with itself, and shows it well."""
        for metric in self.metrics:
            for field in ("events", "total", "histogram"):
                query = getattr(metric, field)
                if query and "$version" not in query:
                    raise ValueError(
                        f"`{field}` of {metric.name} asks Prometheus the same for both versions; say which "
                        'one with $version, for example http_requests_total{version="$version"}'
                    )

    def plan(self) -> WatchPlan:
        """Return how a deployment is watched, as ``amends.watch`` takes it."""
        return WatchPlan(
            metrics=tuple(metric.spec() for metric in self.metrics),
            alpha=self.alpha,
            min_requests=self.min_requests,
            min_events=self.min_events,
            warmup_seconds=self.warmup,
            max_gap_seconds=self.max_gap,
            on_inconclusive=OnInconclusive(self.on_inconclusive),
            mode=Mode(self.mode),
            looks=self.looks,
            spending=Spending(self.spending),
        )


class ProcessDeploy(Strict):
    """Versions of a local service behind the weighted proxy."""

    run: str = Field(min_length=1)
    repository: str = "."
    artifact: str = ""
    prepare: str = ""
    ready: str = "/healthz"
    metrics: str = "/metrics"
    env: dict[str, str] = Field(default_factory=dict)
    ports: dict[str, int] = Field(default_factory=dict)
    startup_timeout: Duration = 30.0
    prepare_timeout: Duration = 300.0
    drain_timeout: Duration = 30.0
    stop_timeout: Duration = 10.0
    request_timeout: Duration = 60.0
    fresh_baseline: bool = False
    keep_trees: int = Field(default=3, ge=0)


class CommandDeploy(Strict):
    """Your own shell commands, one for each action."""

    start: str = ""
    weight: str = ""
    promote: str = Field(min_length=1)
    rollback: str = Field(min_length=1)
    observe: str = Field(min_length=1)
    timeout: Duration = 120.0
    env: dict[str, str] = Field(default_factory=dict)
    output_limit: int = Field(default=8000, ge=200)


class Deploy(Strict):
    """Who carries out a deployment. Without either, amends only records what it is told."""

    process: ProcessDeploy | None = None
    command: CommandDeploy | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.process is not None and self.command is not None:
            raise ValueError("`deploy` takes `process` or `command`, not both")
        return self
