"""The process deployer under real traffic, while what gives it orders is stopped and killed."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil
import pytest

from amends.adapters.deployers.control import free_port
from amends.adapters.deployers.process import ProcessDeployer
from amends.adapters.deployers.processes import marked
from amends.adapters.deployers.settings import ProcessSettings
from amends.adapters.deployers.table import INSTANCES, MARKER
from amends.errors import ActuationFailedError
from amends.releases.actuation import Action, Instance, Observation
from tests.contract.deployer_worlds import ENVIRONMENT, SERVICE, World, git, process_world

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(**changes: object) -> World:
        worlds.append(process_world(tmp_path, **changes))
        return worlds[-1]

    yield build
    for world in worlds:
        deployer_of(world).stop_all(SERVICE, ENVIRONMENT)
    assert marked(MARKER, str(tmp_path)) == {}


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    return make()


def deployer_of(world: World) -> ProcessDeployer:
    assert isinstance(world.deployer, ProcessDeployer)
    return world.deployer


def state_of(world: World) -> Path:
    return world.shop.parent / "run" / SERVICE / ENVIRONMENT


class Traffic:
    """Users of the service: each sends GET and POST in turn over one connection, and notes every answer."""

    def __init__(self, world: World, users: int = 3) -> None:
        self.address = urlsplit(deployer_of(world).proxy_url(SERVICE, ENVIRONMENT))
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._end = threading.Event()
        self._users = [threading.Thread(target=self._use) for _ in range(users)]

    def __enter__(self) -> Traffic:
        for user in self._users:
            user.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for user in self._users:
            user.join()

    def _use(self) -> None:
        connection = http.client.HTTPConnection(str(self.address.hostname), self.address.port, timeout=20)
        turn = 0
        while not self._end.is_set():
            turn += 1
            try:
                method, body = ("POST", b"") if turn % 4 == 0 else ("GET", None)
                connection.request(method, f"/item/{turn}", body)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                continue
            if answer.status == 200:
                self.answers[text.split()[0]] += 1
            else:
                self.failures.append(f"{answer.status} {text}")
            time.sleep(0.002)

    def passes(self, requests: int) -> None:
        """Wait until this many more requests were answered."""
        target = self.answers.total() + requests
        wait_until(lambda: self.answers.total() >= target or bool(self.failures))


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def instance(seen: Observation, version: str) -> Instance:
    (found,) = seen.of(version)
    return found


def process_of(world: World, version: str) -> psutil.Process:
    name = instance(world.look(), version).name
    record = msgspec.json.decode((state_of(world) / INSTANCES / name / "instance.json").read_bytes())
    return psutil.Process(record["pid"])


def proxy_of(world: World) -> psutil.Process:
    return psutil.Process(msgspec.json.decode((state_of(world) / "proxy.json").read_bytes())["pid"])


def act_elsewhere(
    world: World, action: Action, version: str, baseline: str, token: int, weight: int = 0
) -> subprocess.Popen[bytes]:
    """Give an order from a process of its own, which can be stopped and killed."""
    order = world.order(action, version, baseline, token, weight)
    assert order.baseline is not None
    code = f"""
from pathlib import Path
from amends.releases.actuation import Action, Actuation, ReleaseRef
from tests.contract.deployer_worlds import process_world
process_world(Path({str(world.shop.parent)!r})).deployer.actuate(Actuation(
    Action({action.value!r}), {SERVICE!r}, {ENVIRONMENT!r}, {order.deployment!r},
    ReleaseRef({SERVICE!r}, {version!r}, {order.candidate.commit!r}),
    ReleaseRef({SERVICE!r}, {baseline!r}, {order.baseline.commit!r}), {weight}, {token}))
"""
    return subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stderr=subprocess.PIPE)


@contextmanager
def slow_request(world: World, seconds: float) -> Iterator[Callable[[], str]]:
    """Send a request that takes a while; gives what returns the version that answered it."""
    address = Traffic(world).address
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("GET", f"/slow/{seconds}")
    wait_until(lambda: bool(deployer_of(world).in_flight(SERVICE, ENVIRONMENT)))

    def answer() -> str:
        got = connection.getresponse()
        assert got.status == 200
        return got.read().decode().split()[0]

    try:
        yield answer
    finally:
        connection.close()


def test_no_request_fails_while_releases_come_and_go(world: World) -> None:
    world.first("1.0")
    with Traffic(world) as traffic:
        traffic.passes(50)
        world.do(Action.START, "1.1", "1.0", 4)
        for token, weight in enumerate((10, 50, 90), start=5):
            world.do(Action.SHIFT, "1.1", "1.0", token, weight=weight)
            traffic.passes(50)
        world.do(Action.PROMOTE, "1.1", "1.0", 8)
        traffic.passes(50)
        world.do(Action.ROLL_BACK, "1.1", "1.0", 9)
        traffic.passes(50)
    assert traffic.failures == []
    assert set(traffic.answers) == {"1.0", "1.1"}
    assert deployer_of(world).traffic(SERVICE, ENVIRONMENT) == traffic.answers


def test_weights_are_kept_request_by_request(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    world.do(Action.SHIFT, "1.1", "1.0", 5, weight=25)
    with Traffic(world) as traffic:
        traffic.passes(1200)
    share = traffic.answers["1.1"] / traffic.answers.total()
    assert traffic.failures == []
    assert abs(share - 0.25) < 5 * (0.25 * 0.75 / 1200) ** 0.5


def kill_inside(world: World, worker: subprocess.Popen[bytes], after: float) -> bool:
    """Kill -9 a worker some time after it got the lock; tell whether it was still at work."""
    lock = state_of(world) / "lock"
    mark = f'"pid":{worker.pid},'.encode()
    wait_until(lambda: mark in lock.read_bytes() or worker.poll() is not None)
    time.sleep(after)
    at_work = worker.poll() is None
    worker.kill()
    worker.communicate()
    return at_work


# AMENDS_CRASH_ROUNDS=10 gives about 200 kills.
@pytest.mark.crash
@pytest.mark.parametrize("seed", range(int(os.environ.get("AMENDS_CRASH_ROUNDS", "1"))))
def test_killing_who_gives_the_orders_fails_no_request_and_completes_every_order(
    world: World, seed: int
) -> None:
    world.first("1.0")
    chance = random.Random(seed)
    token, killed = 3, 0
    with Traffic(world, users=2) as traffic:
        for old, new in (("1.0", "1.1"), ("1.1", "1.2")):
            for action, weight in (
                (Action.START, 0),
                (Action.SHIFT, 50),
                (Action.ROLL_BACK, 0),
                (Action.START, 0),
                (Action.PROMOTE, 0),
            ):
                token += 1
                for _ in range(2):
                    worker = act_elsewhere(world, action, new, old, token, weight)
                    killed += kill_inside(world, worker, chance.choice((0.0, 0.003, 0.03, 0.3)))
                seen = world.do(action, new, old, token, weight)
                assert seen.token == token
                expected = {
                    Action.START: {old: 100, new: 0},
                    Action.SHIFT: {old: 50, new: 50},
                    Action.ROLL_BACK: {old: 100},
                    Action.PROMOTE: {new: 100},
                }
                assert seen.weights == expected[action]
                assert sorted(i.version for i in seen.instances) == sorted(expected[action])
                assert all(i.alive and i.ready for i in seen.instances)
                traffic.passes(20)
    print(f"seed {seed}: {killed} kills, {traffic.answers.total()} answers, {len(traffic.failures)} failures")
    assert killed, "every order was done before its kill, so nothing was tried"
    assert traffic.failures == []


@pytest.mark.crash
def test_a_worker_stopped_while_it_starts_a_candidate_wakes_to_a_refusal(world: World) -> None:
    world.first("1.0")
    worker = act_elsewhere(world, Action.START, "1.1", "1.0", 4)
    lock = state_of(world) / "lock"
    wait_until(lambda: str(worker.pid).encode() in lock.read_bytes())
    os.kill(worker.pid, signal.SIGSTOP)
    world.do(Action.ROLL_BACK, "1.1", "1.0", 5)
    os.kill(worker.pid, signal.SIGCONT)
    _, printed = worker.communicate(timeout=30)
    assert b"ActuationRefusedError" in printed
    seen = world.look()
    assert (seen.weights, seen.token) == ({"1.0": 100}, 5)
    assert [i.version for i in seen.instances] == ["1.0"]


@pytest.mark.crash
def test_a_worker_stopped_while_it_retires_the_baseline_cannot_take_it_from_a_rollback(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    baseline = process_of(world, "1.0").pid
    with slow_request(world, 4) as answer:
        worker = act_elsewhere(world, Action.PROMOTE, "1.1", "1.0", 5)
        wait_until(lambda: world.look().weights == {"1.1": 100})
        os.kill(worker.pid, signal.SIGSTOP)
        assert world.do(Action.ROLL_BACK, "1.1", "1.0", 6).weights == {"1.0": 100}
        os.kill(worker.pid, signal.SIGCONT)
        _, printed = worker.communicate(timeout=30)
        assert b"ActuationRefusedError" in printed
        assert answer() == "1.0"
    seen = world.look()
    assert (seen.weights, seen.token) == ({"1.0": 100}, 6)
    assert [i.version for i in seen.instances] == ["1.0"]
    assert process_of(world, "1.0").pid == baseline


def test_a_newer_order_does_not_wait_for_an_older_one_to_give_up(make: Callable[..., World]) -> None:
    world = make(startup_timeout=200.0)
    world.first("1.0")
    worker = act_elsewhere(world, Action.START, "deaf", "1.0", 4)
    wait_until(lambda: len(world.look().instances) == 2)
    assert world.do(Action.ROLL_BACK, "deaf", "1.0", 5).weights == {"1.0": 100}
    _, printed = worker.communicate(timeout=30)
    assert b"ActuationRefusedError" in printed
    assert [i.version for i in world.look().instances] == ["1.0"]


def test_a_request_in_flight_is_answered_by_the_version_that_is_being_retired(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    with slow_request(world, 1) as answer:
        world.do(Action.PROMOTE, "1.1", "1.0", 5)
        assert answer() == "1.0"
    assert [i.version for i in world.look().instances] == ["1.1"]


def test_a_candidate_that_dies_is_seen_and_its_readers_are_served_by_the_baseline(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    world.do(Action.SHIFT, "1.1", "1.0", 5, weight=50)
    process_of(world, "1.1").kill()
    wait_until(lambda: not instance(world.look(), "1.1").alive)
    assert not instance(world.look(), "1.1").ready
    address = Traffic(world).address
    for _ in range(20):
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        connection.request("GET", "/")
        assert connection.getresponse().read().split()[0] == b"1.0"
        connection.close()
    with pytest.raises(ActuationFailedError, match="not"):
        world.do(Action.PROMOTE, "1.1", "1.0", 6)
    assert world.do(Action.ROLL_BACK, "1.1", "1.0", 7).weights == {"1.0": 100}


def test_a_rollback_starts_a_baseline_that_died(world: World) -> None:
    world.first("1.0")
    world.do(Action.START, "1.1", "1.0", 4)
    world.do(Action.SHIFT, "1.1", "1.0", 5, weight=50)
    process_of(world, "1.0").kill()
    back = world.do(Action.ROLL_BACK, "1.1", "1.0", 6)
    assert back.weights == {"1.0": 100}
    assert [(i.version, i.alive, i.ready) for i in back.instances] == [("1.0", True, True)]


def test_a_rollback_that_cannot_start_its_baseline_leaves_traffic_where_it_is(world: World) -> None:
    world.first("1.1")
    with pytest.raises(ActuationFailedError, match="no such table"):
        world.do(Action.ROLL_BACK, "1.1", "broken", 4)
    assert world.look().weights == {"1.1": 100}


def test_a_proxy_that_died_comes_back_where_it_was_with_what_it_knew(world: World) -> None:
    world.first("1.0")
    deployer = deployer_of(world)
    url = deployer.proxy_url(SERVICE, ENVIRONMENT)
    with Traffic(world, users=1) as traffic:
        traffic.passes(30)
    wait_until(lambda: (state_of(world) / "traffic.json").exists())
    before = process_of(world, "1.0").pid
    proxy_of(world).kill()
    wait_until(lambda: world.look().weights == {})
    assert world.look().token == 3
    assert world.do(Action.PROMOTE, "1.0", None, 3).weights == {"1.0": 100}
    assert deployer.proxy_url(SERVICE, ENVIRONMENT) == url
    assert process_of(world, "1.0").pid == before
    assert deployer.traffic(SERVICE, ENVIRONMENT)["1.0"] > 0


def test_a_promotion_given_again_starts_what_died_since(world: World) -> None:
    world.first("1.0")
    for process in (process_of(world, "1.0"), proxy_of(world)):
        process.kill()
    again = world.do(Action.PROMOTE, "1.0", None, 3)
    assert again.weights == {"1.0": 100}
    assert [(i.version, i.alive, i.ready) for i in again.instances] == [("1.0", True, True)]


def test_a_proxy_listens_where_it_is_told_or_says_why_not(make: Callable[..., World]) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        world = make(ports={ENVIRONMENT: port})
        with pytest.raises(ActuationFailedError, match=rf"(?s)port {port}.*in use"):
            world.do(Action.START, "1.0", None, 1)
    world.first("1.0")
    assert deployer_of(world).proxy_url(SERVICE, ENVIRONMENT) == f"http://127.0.0.1:{port}"


def test_old_worktrees_are_removed_but_for_those_used_last(make: Callable[..., World]) -> None:
    world = make(keep_trees=1)
    world.first("1.0")
    for token, (old, new) in enumerate((("1.0", "1.1"), ("1.1", "1.2")), start=2):
        world.do(Action.START, new, old, 2 * token)
        world.do(Action.PROMOTE, new, old, 2 * token + 1)
    kept = {p.name for p in (state_of(world) / "trees").iterdir() if p.is_dir()}
    assert kept == {world.commits["1.1"], world.commits["1.2"]}


def test_state_that_cannot_be_read_is_an_error_that_names_it(world: World) -> None:
    world.first("1.0")
    table = state_of(world) / "routing.json"
    whole = table.read_bytes()
    proxy_of(world).kill()
    wait_until(lambda: world.look().weights == {})
    table.write_bytes(whole[:20])
    with pytest.raises(ActuationFailedError, match="cannot be read"):
        world.look()
    with pytest.raises(ActuationFailedError, match="does not come up"):
        world.do(Action.PROMOTE, "1.0", None, 3)


def test_an_instance_whose_starter_was_killed_before_noting_it_is_adopted(world: World) -> None:
    world.first("1.0")
    started = world.do(Action.START, "1.1", "1.0", 4)
    pid = process_of(world, "1.1").pid
    note = state_of(world) / INSTANCES / instance(started, "1.1").name / "instance.json"
    record = msgspec.json.decode(note.read_bytes())
    note.write_bytes(msgspec.json.encode({**record, "pid": 0, "started": 0.0}))
    world.do(Action.START, "1.1", "1.0", 4)
    assert process_of(world, "1.1").pid == pid


def test_an_instance_that_nothing_refers_to_is_stopped_by_the_next_order(world: World) -> None:
    world.first("1.0")
    mark = str(state_of(world) / INSTANCES / "stray")
    stray = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={**os.environ, MARKER: mark},
        start_new_session=True,
    )
    wait_until(lambda: mark in marked(MARKER, mark))
    world.do(Action.PROMOTE, "1.0", None, 3)
    assert stray.wait(timeout=10) == -signal.SIGTERM


def test_a_fresh_baseline_is_as_young_as_the_candidate_and_is_made_once(make: Callable[..., World]) -> None:
    world = make(fresh_baseline=True)
    world.first("1.0")
    old = instance(world.look(), "1.0").name
    with Traffic(world) as traffic:
        traffic.passes(20)
        started = world.do(Action.START, "1.1", "1.0", 4)
        traffic.passes(20)
    assert started.weights == {"1.0": 100, "1.1": 0}
    assert instance(started, "1.0").name != old
    assert world.do(Action.START, "1.1", "1.0", 4) == started
    assert traffic.failures == []


def test_the_users_own_tree_is_never_touched(world: World) -> None:
    world.release("1.0")
    (world.shop / "notes.txt").write_text("mine")
    (world.shop / "shop.py").write_text("raise SystemExit('not committed')")
    before = (git(world.shop, "status", "--porcelain"), git(world.shop, "rev-parse", "HEAD"))
    world.first("1.0")
    assert (git(world.shop, "status", "--porcelain"), git(world.shop, "rev-parse", "HEAD")) == before
    # Tidying up needs no settings: whoever does it may not have the policy at hand.
    ProcessDeployer(ProcessSettings(run=""), world.shop.parent / "run").stop_all(SERVICE, ENVIRONMENT)
    assert len(git(world.shop, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("left", ["nothing", "half"])
def test_a_worktree_whose_making_was_killed_is_made_again(world: World, left: str) -> None:
    tree = state_of(world) / "trees" / str(world.release("1.0").commit)
    git(world.shop, "worktree", "add", "--quiet", "--detach", "--lock", str(tree), world.commits["1.0"])
    if left == "half":
        (tree / "shop.py").unlink()
    else:
        shutil.rmtree(tree)
    assert world.do(Action.START, "1.0", None, 1).weights == {"1.0": 0}


def test_a_version_can_come_from_an_artifact(make: Callable[..., World], tmp_path: Path) -> None:
    world = make(artifact=str(tmp_path / "dist-{version}"))
    world.release("1.0")
    with pytest.raises(ActuationFailedError, match=r"artifact of shop@1\.0 is not there"):
        world.do(Action.START, "1.0", None, 1)
    (tmp_path / "dist-1.0").mkdir()
    (world.shop / "shop.py").rename(tmp_path / "dist-1.0" / "shop.py")
    assert world.do(Action.START, "1.0", None, 1).weights == {"1.0": 0}


def test_prepare_runs_once_for_a_commit_and_its_failure_is_shown(make: Callable[..., World]) -> None:
    code = "import pathlib; print('preparing'); pathlib.Path('once').mkdir()"
    world = make(prepare=f'{{python}} -c "{code}"')
    world.first("1.0")
    process_of(world, "1.0").kill()
    world.do(Action.ROLL_BACK, "1.1", "1.0", 4)
    failing = make(prepare="{python} -c \"import sys; sys.exit('no compiler')\"")
    with pytest.raises(ActuationFailedError, match="no compiler"):
        failing.do(Action.START, "1.2", "1.0", 5)


def test_a_commit_that_does_not_exist_is_named(world: World) -> None:
    world.first("1.0")
    world.commits["1.1"] = "0" * 40
    with pytest.raises(ActuationFailedError, match=r"git rev-parse for shop@1\.1"):
        world.do(Action.START, "1.1", "1.0", 4)
    world.commits["1.2"] = "--upload-pack=evil"
    with pytest.raises(ActuationFailedError, match="not a revision"):
        world.do(Action.START, "1.2", "1.0", 5)
