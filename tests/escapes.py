"""A small escape for tests: a service in git whose release 1.1 divides by zero, and its log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from amends.adapters.clocks import StillClock
from amends.adapters.stores import open_store
from amends.application.incidents import open_incident
from amends.application.log import Log
from amends.events import payloads as p
from amends.events.codec import Fact
from tests.repositories import Repo

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = "POST /share people=none"
SIGNATURE = p.Signature(exception="ZeroDivisionError", frame="shop/price.py:share")
TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/shop/server.py", line 20, in do_POST
    answer = share(cents, people)
  File "/srv/app/shop/price.py", line 2, in share
    return cents // len(people)
ZeroDivisionError: integer division or modulo by zero
"""

_GOOD = "def share(cents, people):\n    return cents // len(people) if people else cents\n"
_BAD = "def share(cents, people):\n    return cents // len(people)\n"
TEST = "from shop.price import share\n\n\ndef test_nobody():\n    assert share(100, []) == 100\n"
TEST += '\n\nif __name__ == "__main__":\n    test_nobody()\n'
TEST_PATH = "tests/regression/test_share.py"
POLICY = """service: shop
team: shop-team
environments: [staging, production]
gates:
  production:
    - tests: {suites: [unit]}
      mode: block
    - sign_off: {role: qa}
      mode: block
"""


@dataclass
class Escape:
    """The log, with a clock that moves when told to, and the repository once it is asked for."""

    log: Log
    clock: StillClock
    repo: Repo | None = None
    commits: dict[str, str] = field(default_factory=dict)

    def tell(self, kind: str, payload: p.Payload, *, minutes: float = 1, id: str = "") -> Fact:
        """Let time pass, then record a fact."""
        self.clock.wait(60 * minutes)
        return self.log.record(kind, payload, id=id)

    def deploy(self, release: str, *, environment: str = "production", previous: str = "") -> Fact:
        """Let the gates pass and a release take over an environment."""
        row = p.GateRow(gate="tests", kind="tests", decision="pass", reason="unit passed")
        self.tell(
            "gates.decided",
            p.GatesDecided(
                service="shop", release=release, environment=environment, at=self.clock.now(),
                decision="pass", gates=(row,), policy="digest",
            ),
        )  # fmt: skip
        return self.tell(
            "service.deployed",
            p.ServiceDeployed(service="shop", release=release, environment=environment, previous=previous),
        )

    def declare(self, version: str, *, changes: tuple[str, ...] = ()) -> Fact:
        commit = self.commits.get(version, "")
        return self.tell(
            "artifact.packaged",
            p.ReleaseDeclared(service="shop", version=version, commit=commit, changes=changes),
        )

    def suite(self, release: str, suite: str = "unit", *, outcome: str = "success", output: str = "") -> Fact:
        case = p.TestCase(name="test_nobody", outcome="failed" if output else "passed", output=output)
        return self.tell(
            "testsuiterun.finished",
            p.SuiteFinished(
                service="shop", release=release, suite=suite, outcome=outcome, passed=3, cases=(case,),  # type: ignore[arg-type]
            ),
        )  # fmt: skip

    def capture(self, incident: str = "", *, environment: str = "production", release: str = "1.1") -> Fact:
        return self.tell(
            "failure.captured",
            p.FailureCaptured(
                service="shop", release=release, environment=environment, signature=SIGNATURE,
                input={"key": KEY}, incident=incident, line=2,
            ),
        )  # fmt: skip

    def roll_back(self) -> str:
        """Roll 1.1 back to 1.0 and open the incident."""
        self.tell(
            "service.rolledback",
            p.ServiceRolledBack(service="shop", release="1.1", restored="1.0", environment="production"),
        )
        return open_incident(
            self.log, service="shop", release="1.1", previous="1.0", environment="production",
            summary="1.1 answered with errors", opened_by="rollback", team="shop-team",
        )  # fmt: skip

    def live_through(self) -> str:
        """1.0 is good, 1.1 passes its gates, meets an input that nothing had, and is rolled back."""
        self.declare("1.0")
        self.deploy("1.0")
        self.declare("1.1")
        self.suite("1.1")
        self.deploy("1.1", previous="1.0")
        return self.roll_back()


@contextmanager
def escape() -> Iterator[Escape]:
    """An empty log in memory with a clock that stands still and ids that count."""
    opened = open_store("memory:")
    clock, ids = StillClock(BEGAN), count(1)
    yield Escape(Log(opened.store, clock, lambda: f"event-{next(ids)}", "/tests"), clock)
    opened.store.close()


def with_history(told: Escape, path: Path) -> Repo:
    """Make the repository: 1.0 and 1.1, the fix 1.2 with its regression test; each is tagged."""
    repo = told.repo = Repo(path)
    base = {"shop__price.py": _GOOD, "shop__.keep": "", "tests__regression__.keep": ""}
    for version, files in (
        ("1.0", base),
        ("1.1", {"shop__price.py": _BAD}),
        ("1.2", {"shop__price.py": _GOOD, TEST_PATH.replace("/", "__"): TEST}),
    ):
        told.commits[version] = repo.commit(f"Version {version}", **files)
        repo.git("tag", f"v{version}")
    return repo


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
