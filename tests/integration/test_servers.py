"""The servers that other tests stand on are real, separate and can be taken away."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.servers import PostgresServer, require_server


def test_a_database_is_empty_durable_and_ones_own(
    postgres_server: PostgresServer, postgres_database: str
) -> None:
    other = postgres_server.create_database()
    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE mine (id int)")
        fsync = connection.execute("SHOW fsync").fetchone()
    with psycopg.connect(postgres_server.url_of(other)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    postgres_server.drop_database(other)
    assert fsync == ("on",)
    assert tables == []


def test_what_was_committed_outlives_a_kill(own_postgres: PostgresServer) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own_postgres.url, connect_timeout=5)
    own_postgres.start()
    with psycopg.connect(own_postgres.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_the_metric_and_alert_servers_answer(prometheus_binary: Path, alertmanager_binary: Path) -> None:
    for program, word in ((prometheus_binary, "prometheus"), (alertmanager_binary, "alertmanager")):
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        assert f"{word}, version" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("required", "outcome"), [("0", pytest.skip.Exception), ("1", pytest.fail.Exception)]
)
def test_an_absent_server_skips_or_fails_with_the_command(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr("tests.servers.find_server", lambda name: None)
    monkeypatch.setenv("AMENDS_REQUIRE_SERVERS", required)
    with pytest.raises(outcome, match="apt-get install prometheus-alertmanager"):
        require_server("alertmanager")
