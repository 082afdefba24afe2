"""Asks a Prometheus server (or anything with its query API) with instant queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
import msgspec

from amends.adapters.metrics.access import HttpAccess, describe
from amends.adapters.metrics.assembly import counter_readings, gauge_readings, histogram_readings
from amends.adapters.metrics.exposition import Series
from amends.errors import MetricsUnavailableError, PolicyError
from amends.watch.measurements import Answer, Arm, Arms, MetricKind, MetricSnapshot, Reading
from amends.watch.plan import MetricSpec
from amends.watch.selectors import Selector, parse_selector, resolve

_MOST_SERIES = 50  # of an answer are kept
_MOST_POINTS = 10_000  # a range query gives at most 11,000 of each series


class PrometheusSource:
    """A metric source behind the query API.

    Selectors tell the arms apart by ``$version`` (or another label). A selector may also be any PromQL
    expression that gives *cumulative* counters, such as ``sum by (instance, code) (…)``; never a rate.

    Parameters
    ----------
    url:
        Base address, without ``/api/v1``.
    access:
        Certificates, headers, credentials, time-out per query.
    instance_label:
        The label that tells processes apart: counters of one process fall together when it restarts.
    """

    def __init__(self, url: str, access: HttpAccess | None = None, instance_label: str = "instance") -> None:
        self._url = f"{url.rstrip('/')}/api/v1/query"
        self._range = f"{self._url}_range"
        self._client = (access or HttpAccess()).client()
        self._instance_label = instance_label

    def read(self, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
        """Read every metric of both arms as of ``at``; what the server does not have is told in ``problems``.

        Raises
        ------
        PolicyError
            If a selector names an unknown variable, or a histogram's is not a plain selector.
        """
        return _read(_Present(self), specs, arms, at)

    def read_range(
        self, specs: Sequence[MetricSpec], arms: Arms, begin: datetime, end: datetime, step: float
    ) -> Iterator[tuple[datetime, MetricSnapshot]]:
        """Read what `read` would have read, every ``step`` seconds from ``begin`` to ``end``.

        Problems with the server are told in each snapshot that they concern.

        Raises
        ------
        PolicyError
            As `read`.
        """
        past = _Past(self, begin, end, step)
        for number in range(past.points):
            at = begin + timedelta(seconds=number * step)
            yield at, _read(past, specs, arms, at)

    def close(self) -> None:
        """Release its connections."""
        self._client.close()

    def ask(self, query: str, at: datetime) -> list[Series]:
        """Return the instant vector that ``query`` gives at ``at``.

        Raises
        ------
        MetricsUnavailableError
            If the server cannot be reached, refuses the query, or answers with something else.
        """
        return self.answer(query, at)[0]

    def answer(self, query: str, at: datetime) -> tuple[list[Series], Answer]:
        """Return what `ask` does, and the answer to be kept. Raises as `ask`."""
        response = self._post(self._url, {"query": query, "time": str(at.timestamp())})
        result = _result(response, query, "vector")
        try:
            series = [Series(dict(s["metric"]), float(s["value"][1])) for s in result]
            told = tuple((_labels(s["metric"]), str(s["value"][1])) for s in result[:_MOST_SERIES])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _no_answer(response) from error
        left_out = max(0, len(series) - _MOST_SERIES)
        return series, Answer(query, told, left_out, hashlib.sha256(response.content).hexdigest())

    def ask_range(
        self, query: str, begin: datetime, step: float, points: int
    ) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """Return each series that ``query`` gives from ``begin`` on: labels, and times with values.

        Raises
        ------
        MetricsUnavailableError
            As `ask`.
        """
        end = begin.timestamp() + (points - 1) * step
        values = {"query": query, "start": str(begin.timestamp()), "end": str(end), "step": str(step)}
        response = self._post(self._range, values)
        result = _result(response, query, "matrix")
        try:
            return [(dict(s["metric"]), [(float(t), float(v)) for t, v in s["values"]]) for s in result]
        except (KeyError, TypeError, ValueError) as error:
            raise _no_answer(response) from error

    def _post(self, url: str, values: Mapping[str, str]) -> httpx.Response:
        try:
            return self._client.post(url, data=dict(values))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MetricsUnavailableError(f"Prometheus {describe(error)}.") from error

    def by_instance(self, series: Sequence[Series]) -> dict[str, list[Series]]:
        """Return series by the process that they belong to."""
        found: dict[str, list[Series]] = {}
        for one in series:
            found.setdefault(one.labels.get(self._instance_label, ""), []).append(one)
        return found


def _result(response: httpx.Response, query: str, kind: str) -> list[Any]:
    """Return the series in a response. Raises ``MetricsUnavailableError``."""
    try:
        answer: Any = msgspec.json.decode(response.content)
        if answer["status"] != "success":
            raise MetricsUnavailableError(f"Prometheus refused `{query}`: {answer['error']}.")
        data = answer["data"]
        if data["resultType"] != kind:
            found = data["resultType"]
            raise MetricsUnavailableError(f"`{query}` gives a {found}; an instant vector is needed.")
        return list(data["result"])
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise _no_answer(response) from error


def _no_answer(response: httpx.Response) -> MetricsUnavailableError:
    return MetricsUnavailableError(
        f"Prometheus answered {response.status_code}, and not in the form of its query API."
    )


def _labels(metric: Mapping[str, str]) -> str:
    """Return labels as Prometheus writes them, the name in front."""
    inside = ",".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    return f"{metric.get('__name__', '')}{{{inside}}}"


class _Asked(Protocol):
    """Who answers queries as of a moment, and keeps what was asked and answered."""

    answers: list[Answer]

    def ask(self, query: str, at: datetime) -> list[Series]: ...

    def by_instance(self, series: Sequence[Series]) -> dict[str, list[Series]]: ...


class _Present:
    """Asks the server now."""

    def __init__(self, source: PrometheusSource) -> None:
        self._source = source
        self.answers: list[Answer] = []
        self.by_instance = source.by_instance

    def ask(self, query: str, at: datetime) -> list[Series]:
        series, answer = self._source.answer(query, at)
        self.answers.append(answer)
        return series


class _Past:
    """Asks the server once for a whole time, and answers from that for each moment."""

    def __init__(self, source: PrometheusSource, begin: datetime, end: datetime, step: float) -> None:
        self._source, self._begin, self._step = source, begin, step
        self.points = int((end - begin).total_seconds() / step) + 1
        self._known: dict[str, list[list[Series]] | MetricsUnavailableError] = {}
        self.answers: list[Answer] = []
        self.by_instance = source.by_instance

    def ask(self, query: str, at: datetime) -> list[Series]:
        if query not in self._known:
            try:
                self._known[query] = self._fetch(query)
            except MetricsUnavailableError as error:
                self._known[query] = error
        found = self._known[query]
        if isinstance(found, MetricsUnavailableError):
            raise MetricsUnavailableError(found.message)
        return found[round((at - self._begin).total_seconds() / self._step)]

    def _fetch(self, query: str) -> list[list[Series]]:
        found: list[list[Series]] = [[] for _ in range(self.points)]
        for first in range(0, self.points, _MOST_POINTS):
            begin = self._begin + timedelta(seconds=first * self._step)
            points = min(_MOST_POINTS, self.points - first)
            for labels, values in self._source.ask_range(query, begin, self._step, points):
                for time, value in values:
                    place = first + round((time - begin.timestamp()) / self._step)
                    found[place].append(Series(labels, value))
        return found


def _read(source: _Asked, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
    readings: list[Reading] = []
    problems: list[str] = []
    queries: list[str] = []
    source.answers.clear()
    for spec in specs:
        for arm in Arm:
            asked = _Question(source, spec, arms, arm, at)
            try:
                readings += asked.readings()
            except MetricsUnavailableError as error:
                problems.append(f"{spec.name}: {arm}: {error.message}")
            queries += asked.queries
    answers = {answer.query: answer for answer in source.answers}
    answers |= {query: Answer(query) for query in queries if query not in answers}
    return MetricSnapshot(
        tuple(readings), tuple(problems), tuple(dict.fromkeys(queries)), answers=tuple(answers.values())
    )


class _Question:
    """One metric of one arm: its resolved queries and what the server says to them."""

    def __init__(self, source: _Asked, spec: MetricSpec, arms: Arms, arm: Arm, at: datetime) -> None:
        self.source, self.spec, self.arms, self.arm, self.at = source, spec, arms, arm, at
        self.queries: list[str] = []

    def readings(self) -> list[Reading]:
        if self.spec.kind is MetricKind.LATENCY:
            return self._histogram()
        if self.spec.kind is MetricKind.GAUGE:
            found = self._instances(self._ask(self.spec.events))
            return [r for i, s in found.items() for r in gauge_readings(self.spec, self.arm, i, self.at, s)]
        return self._counter()

    def _ask(self, text: str) -> list[Series]:
        query = resolve(text, self.arms, self.arm)
        self.queries.append(query)
        return self.source.ask(query, self.at)

    def _instances(self, series: Sequence[Series]) -> dict[str, list[Series]]:
        return self.source.by_instance(series)

    def _histogram(self) -> list[Reading]:
        selector = parse_selector(resolve(self.spec.histogram, self.arms, self.arm))
        bucket = selector.named(f"{selector.name.removesuffix('_bucket')}_bucket")
        self.queries.append(str(bucket))
        found = self.source.ask(str(bucket), self.at)
        if not found:
            self._explain(bucket)
        return [
            r
            for i, s in self._instances(found).items()
            for r in histogram_readings(self.spec, self.arm, i, self.at, s)
        ]

    def _counter(self) -> list[Reading]:
        events = self._instances(self._ask(self.spec.events))
        total = self._instances(self._ask(self.spec.total)) if self.spec.total else None
        if not events:
            self._explain(_plain(resolve(self.spec.events, self.arms, self.arm)))
        if total == {}:
            self._explain(_plain(resolve(self.spec.total, self.arms, self.arm)))
        instances: Mapping[str, list[Series]] = events if total is None else {**total, **events}
        return [
            reading
            for instance in sorted(instances)
            for reading in counter_readings(
                self.spec,
                self.arm,
                instance,
                self.at,
                events.get(instance, []),
                None if total is None else total.get(instance, []),
            )
        ]

    def _explain(self, selector: Selector | None) -> None:
        """Raise unless the server knows the metric and every label that the selector needs.

        Only then does an empty answer mean that nothing happened.
        """
        if selector is None:
            raise MetricsUnavailableError(
                f"`{self.queries[-1]}` gives nothing; an expression has to give 0 where nothing happened."
            )
        needed = sorted({m.label for m in selector.matchers if m.needs_label})
        by = f" by ({', '.join(needed)})" if needed else ""
        series = self.source.ask(f"group{by} ({selector.name})", self.at)
        if not series:
            raise MetricsUnavailableError(f"Prometheus has no metric `{selector.name}` (`{selector}`).")
        missing = selector.missing_label(s.labels for s in series)
        if missing:
            raise MetricsUnavailableError(
                f"`{selector}` can match nothing: {selector.name} has no label {missing!r}."
            )


def _plain(text: str) -> Selector | None:
    try:
        return parse_selector(text)
    except PolicyError:
        return None
