"""Metric pages that instances push, where nobody can scrape them. Kept beside the log, not in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from amends.errors import UsageError

KEPT_FOR = timedelta(hours=1)
MOST_INSTANCES = 5000
MOST_BYTES = 8 * 1024 * 1024
_LONGEST_NAME = 200
# A page that only declares its metrics is one too: nothing has been counted yet.
_PAGE = re.compile(
    r"^(# TYPE \S|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})?[ \t]+[-+]?([0-9.]|Inf|NaN))", re.MULTILINE | re.IGNORECASE
)
_GROUP = ("service", "environment", "release", "instance")


@dataclass(frozen=True, slots=True)
class PushedPage:
    """The last page of one instance; ``at`` is when it came in, by the receiver's clock."""

    service: str
    environment: str
    release: str
    instance: str
    text: str
    content_type: str
    at: datetime


class PushedPages(Protocol):
    """The last page of every instance that pushes; a page replaces the one before."""

    def put(self, page: PushedPage, *, forget: datetime) -> None:
        """Keep a page, and forget all that came in before ``forget``.

        Raises ``UsageError`` where a service has ``MOST_INSTANCES`` others in the environment already.
        """

    def latest(self, service: str, environment: str, releases: Collection[str]) -> list[PushedPage]:
        """Return the kept pages of some releases, by release and instance."""


def take_push(
    pages: PushedPages, group: Mapping[str, str], body: bytes, content_type: str, at: datetime
) -> PushedPage:
    """Keep what an instance pushed.

    Parameters
    ----------
    group:
        ``service``, ``environment``, ``release`` and ``instance``: whose page it is.
    body:
        Prometheus' text format, or OpenMetrics where ``content_type`` says so.

    Raises
    ------
    UsageError
        If a name is missing or unknown, or the body is no page.
    """
    names = _names(group)
    page = PushedPage(**names, text=_text(body), content_type=content_type[:_LONGEST_NAME], at=at)
    pages.put(page, forget=at - KEPT_FOR)
    return page


def too_many_instances(page: PushedPage) -> UsageError:
    """Return the error of a store that takes no more instances."""
    return UsageError(
        f"{MOST_INSTANCES:,} instances of {page.service} in {page.environment} have pushed within the hour",
        remedy="give an instance the same name at each push; only a new process needs a new one",
    )


def _names(group: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(group) - set(_GROUP))
    missing = [name for name in _GROUP if not group.get(name, "").strip()]
    if unknown or missing:
        found = f"found {', '.join(map(repr, unknown))}" if unknown else f"missing: {', '.join(missing)}"
        raise UsageError(
            f"a push names its service, environment, release and instance; {found}",
            remedy="push to /hooks/metrics/job/SERVICE/environment/ENV/release/VERSION/instance/NAME",
        )
    long = [name for name in _GROUP if len(group[name]) > _LONGEST_NAME or "\0" in group[name]]
    if long:
        raise UsageError(f"the {long[0]} is longer than {_LONGEST_NAME} characters or holds a zero byte")
    return {name: group[name].strip() for name in _GROUP}


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if "\0" in text or not _PAGE.search(text):
        raise UsageError(
            "the body is no page of metrics",
            remedy="send Prometheus' text format, uncompressed and in UTF-8, as /metrics would show it",
        )
    return text
