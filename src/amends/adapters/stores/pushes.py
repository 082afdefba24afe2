"""The last page of every instance that pushes its metrics: in memory, or on a SQL database."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime
from typing import Any

from amends.adapters.stores.database import Connection, Database, first_value, from_micros, to_micros
from amends.application.pushing import MOST_INSTANCES, PushedPage, too_many_instances

_COLUMNS = "service, environment, release, instance, page, content_type, at"
_SAME = "service = :service AND environment = :environment"
_ONE = f"{_SAME} AND release = :release AND instance = :instance"
_PUT = (
    f"INSERT INTO pushed_pages ({_COLUMNS}) "  # noqa: S608 - constants
    "VALUES (:service, :environment, :release, :instance, :page, :content_type, :at) "
    "ON CONFLICT (service, environment, release, instance) "
    "DO UPDATE SET page = excluded.page, content_type = excluded.content_type, at = excluded.at"
)


class MemoryPushes:
    """In memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[tuple[str, str, str, str], PushedPage] = {}

    def put(self, page: PushedPage, *, forget: datetime) -> None:
        """See ``PushedPages.put``."""
        key = (page.service, page.environment, page.release, page.instance)
        with self._lock:
            kept = {k: p for k, p in self._pages.items() if p.at >= forget}
            if key not in kept and sum(k[:2] == key[:2] for k in kept) >= MOST_INSTANCES:
                raise too_many_instances(page)
            self._pages = {**kept, key: page}

    def latest(self, service: str, environment: str, releases: Collection[str]) -> list[PushedPage]:
        """See ``PushedPages.latest``."""
        with self._lock:
            found = sorted(self._pages.items())
        return [page for key, page in found if key[:2] == (service, environment) and key[2] in releases]


class SqlPushes:
    """On the database of the log, so that whoever watches reads what any server took."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, page: PushedPage, *, forget: datetime) -> None:
        """See ``PushedPages.put``."""
        whose = {
            "service": page.service, "environment": page.environment, "release": page.release,
            "instance": page.instance,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.change("DELETE FROM pushed_pages WHERE at < :forget", {"forget": to_micros(forget)})
            if self._is_one_too_many(connection, whose):
                raise too_many_instances(page)
            connection.change(
                _PUT,
                {**whose, "page": page.text, "content_type": page.content_type, "at": to_micros(page.at)},
            )

    def _is_one_too_many(self, connection: Connection, whose: dict[str, str]) -> bool:
        if connection.rows(f"SELECT 1 FROM pushed_pages WHERE {_ONE}", whose):  # noqa: S608 - constants
            return False
        same = {name: whose[name] for name in ("service", "environment")}
        count = connection.rows(f"SELECT count(*) FROM pushed_pages WHERE {_SAME}", same)  # noqa: S608
        return int(first_value(count)) >= MOST_INSTANCES

    def latest(self, service: str, environment: str, releases: Collection[str]) -> list[PushedPage]:
        """See ``PushedPages.latest``."""
        query = (
            f"SELECT {_COLUMNS} FROM pushed_pages WHERE {_SAME} AND release = :release "  # noqa: S608
            "ORDER BY instance"
        )
        found: list[PushedPage] = []
        with self._database.reading() as connection:
            if connection is None:
                return found
            for release in sorted(releases):
                values = {"service": service, "environment": environment, "release": release}
                rows = connection.rows(query, values)
                found += [_page(row) for row in rows]
        return found


def _page(row: tuple[Any, ...]) -> PushedPage:
    service, environment, release, instance, text, content_type, at = row
    return PushedPage(service, environment, release, instance, text, content_type, from_micros(at))
