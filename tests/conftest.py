"""What every test may ask for: real servers, a browser, data that lies beside the repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers import PostgresServer, require_server

REPOSITORY = Path(__file__).resolve().parent.parent
SERVER_FIXTURES = {
    "postgres_server",
    "own_postgres",
    "prometheus_binary",
    "alertmanager_binary",
    "haproxy_binary",
    "chromium_path",
}


# A slow machine is no fault of the code: no test here has a deadline.
settings.register_profile("amends", deadline=None)
settings.load_profile("amends")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server; run browser tests last, for Playwright keeps an event loop in the thread."""
    for item in items:
        if SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
    items.sort(key=lambda item: "browser" in item.path.relative_to(REPOSITORY).parts)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that the tests of this process share. Do not stop it: ask for ``own_postgres`` instead."""
    yield from _running_postgres()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for one test, which may stop, kill and start it."""
    yield from _running_postgres()


def _running_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(require_server("postgresql").parent)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of the shared server's maintenance database."""
    return postgres_server.url


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database that is this test's own."""
    name = postgres_server.create_database()
    yield postgres_server.url_of(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def prometheus_binary() -> Path:
    """The program of a real Prometheus."""
    return require_server("prometheus")


@pytest.fixture(scope="session")
def alertmanager_binary() -> Path:
    """The program of a real Alertmanager."""
    return require_server("alertmanager")


@pytest.fixture(scope="session")
def haproxy_binary() -> Path:
    """The program of a real HAProxy."""
    return require_server("haproxy")


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The program of a real browser, from the system's packages."""
    return require_server("chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, object], chromium_path: Path
) -> dict[str, object]:
    """Have pytest-playwright start the system's browser, which asks nobody outside for anything."""
    quiet = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync"
    )
    return {**browser_type_launch_args, "executable_path": str(chromium_path), "args": quiet.split()}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Schemas and payloads that other projects publish, which lie beside the repository and not in it."""
    folder = Path(os.environ.get("AMENDS_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; AMENDS_SHARED names the folder that holds `data`")
    return folder


@pytest.fixture(scope="session")
def crash_rounds() -> int:
    """How many random kills a crash test makes for each backend; ``make crash`` asks for more."""
    return int(os.environ.get("AMENDS_CRASH_ROUNDS", "20"))


@pytest.fixture
def amends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a command in an empty folder; it gives exit code, stdout and stderr."""
    from amends.cli import main as cli

    monkeypatch.chdir(tmp_path)
    for name in ("AMENDS_STORE", "AMENDS_POLICY", "AMENDS_SERVICE", "AMENDS_CLOCK"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["amends", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return int(code), out, err

    return run
