"""``amends replay`` against real, small HTTP services."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from amends.adapters.replaying.sender import LARGEST_BODY, HttpSender, Pace
from amends.prevention.replay.recorded import Recorded

Amends = Callable[..., tuple[int, str, str]]
Answer = Callable[["Asked"], tuple[int, dict[str, str], bytes]]
POLICY = "service: shop\nenvironments: [production]\ngates: {production: [{replay: {}, mode: block}]}\n"


class Asked:
    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.method, self.path, self.query = handler.command, parts.path, dict(parse_qsl(parts.query))
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(self.headers.get("content-length", 0)))


class Service:
    """A server on a port of its own, which keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        asked: list[Asked] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                asked.append(Asked(self))
                status, headers, body = answer(asked[-1])
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - the names are the library's

            def log_message(self, *_: Any) -> None:
                pass

        self.asked = asked
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client may hang up
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def start() -> Iterator[Callable[[Answer], Service]]:
    running: list[Service] = []

    def begin(answer: Answer) -> Service:
        running.append(Service(answer))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


def shop(*, coupon_as_text: bool = False, fails: bool = False) -> Answer:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        number = int(asked.path.rsplit("/", 1)[-1])
        if fails:
            return 500, {"content-type": "text/plain"}, b"sorry"
        off: Any = 5 if "coupon" in asked.query else 0
        found = {
            "id": number, "off": str(off) if coupon_as_text and off else off, "request": str(uuid.uuid4()),
            "at": time.time(), "stock": random.choice([4, 5, 5, 5, 5, 5]),
        }  # fmt: skip
        return 200, {"content-type": "application/json"}, json.dumps(found).encode()

    return answer


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    folder.mkdir()
    for n in range(160):
        query = [["coupon", "SPRING"]] if n % 20 == 3 else []
        write(folder, f"{n:03}", path=f"/items/{n}", query=query)
    write(folder, "write", method="POST", path="/items/1", body={"a": 1})
    return folder


def write(folder: Path, name: str, **request: Any) -> None:
    whole = {"method": "GET", "query": [], "headers": [["cookie", "s=1"]], "body": None, **request}
    capture = {
        "schema": "amends.capture/1",
        "id": name,
        "kind": "http",
        "request": whole,
        "response": {"status": 200},
    }
    (folder / f"{name}.json").write_text(json.dumps(capture))


@pytest.fixture
def run(
    captures: Path, amends: Amends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    Path("amends.yaml").write_text(POLICY)

    def play(baseline: Service, candidate: Service, *more: str) -> tuple[int, Any]:
        code, out, err = amends(
            "replay", "--baseline", baseline.url, "--candidate", candidate.url, "--captures", str(captures),
            "--rate", "9999", "--format", "json", *more,
        )  # fmt: skip
        return code, json.loads(out) if out.startswith("{") else err

    return play


def test_a_release_that_answers_alike_passes_its_gate(
    run: Callable[..., Any], start: Callable[[Answer], Service], amends: Amends
) -> None:
    good, same = start(shop()), start(shop())
    amends("record", "release", "1.1")
    code, found = run(good, same, "--release", "1.1")
    assert (code, found["decision"], found["requests"], found["differences"]) == (0, "pass", 160, [])
    assert {"body.at", "body.request"} <= set(found["only_by_shape"])
    assert found["left_out"][0]["count"] == 1
    assert "POST" in found["left_out"][0]["reason"]
    assert {one.method for one in good.asked + same.asked} == {"GET"}
    assert amends("gate", "--release", "1.1", "--to", "production")[0] == 0


def test_a_release_that_answers_otherwise_is_blocked_with_what_it_depends_on(
    run: Callable[..., Any], start: Callable[[Answer], Service], amends: Amends, tmp_path: Path
) -> None:
    amends("record", "release", "1.1")
    bad = start(shop(coupon_as_text=True))
    code, found = run(start(shop()), bad, "--release", "1.1", "--page", "report.html")
    assert (code, found["decision"]) == (1, "block")
    [one] = found["differences"]
    assert (one["field"], one["count"], one["noise"]) == ("body.off", 8, 0.0)
    assert one["p"] < 1e-6
    assert "coupon" in found["causes"][0]["depends_on"][0]
    assert "body.off" in Path("report.html").read_text()
    code, out, _ = amends("gate", "--release", "1.1", "--to", "production")
    assert code == 1
    assert "body.off" in out


def test_declared_ignores_count(run: Callable[..., Any], start: Callable[[Answer], Service]) -> None:
    good, bad = start(shop()), start(shop(coupon_as_text=True))
    assert run(good, bad, "--ignore", "body.off")[0] == 0
    Path("amends.yaml").write_text(POLICY + "replay: {ignore: [body.off]}\n")
    assert run(good, bad)[0] == 0


def test_what_cannot_be_told_is_undecided_and_never_a_pass(
    run: Callable[..., Any], start: Callable[[Answer], Service], captures: Path
) -> None:
    broken = start(shop(fails=True))
    code, found = run(broken, broken)
    assert (code, found["decision"]) == (3, "undecided")
    assert "gave 500" in found["reason"]
    for one in sorted(captures.glob("*.json"))[5:]:
        one.unlink()
    good = start(shop())
    code, found = run(good, start(shop()))
    assert (code, found["decision"]) == (3, "undecided")
    assert run(good, start(shop()), "--at-least", "5")[0] == 0


def test_a_candidate_that_cannot_be_reached_is_an_error_in_the_log_too(
    run: Callable[..., Any], start: Callable[[Answer], Service], amends: Amends
) -> None:
    amends("record", "release", "1.1")
    gone = start(shop())
    gone.stop()
    code, err = run(start(shop()), gone, "--release", "1.1")
    assert code == 4
    assert "the candidate cannot be reached" in err
    assert amends("gate", "--release", "1.1", "--to", "production")[0] == 4


@pytest.mark.parametrize(
    "wrong",
    [
        ("--rate", "0"),
        ("--header", "nothing"),
        ("--captures", "nowhere"),
        ("--ca", "none.pem"),
        ("--candidate", "ftp://x"),
    ],
)
def test_what_was_given_wrongly_is_said(
    run: Callable[..., Any], start: Callable[[Answer], Service], wrong: tuple[str, str]
) -> None:
    good = start(shop())
    code, err = run(good, good, *wrong)
    assert code == 2
    assert "mend:" in err
    assert good.asked == []


def test_writes_are_sent_to_a_sandbox(run: Callable[..., Any], start: Callable[[Answer], Service]) -> None:
    good = start(shop())
    assert run(good, start(shop()), "--sandbox")[0] == 0
    [body] = {one.body for one in good.asked if one.method == "POST"}
    assert body == b'{"a":1}'


def test_nothing_leaves_for_another_host_and_nothing_is_kept_between_replies(
    run: Callable[..., Any], start: Callable[[Answer], Service]
) -> None:
    elsewhere = start(shop())

    def redirects(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return 302, {"location": f"{elsewhere.url}/items/1", "set-cookie": f"seen={uuid.uuid4()}"}, b""

    one, other = start(redirects), start(redirects)
    code, found = run(one, other, "--header", "Authorization: Bearer word")
    assert (code, found["decision"]) == (0, "pass")
    assert elsewhere.asked == []
    assert {asked.headers.get("cookie") for asked in other.asked} == {"s=1"}
    assert {asked.headers.get("authorization") for asked in other.asked} == {"Bearer word"}


def test_a_reply_is_bounded_in_size_and_in_time(start: Callable[[Answer], Service]) -> None:
    large = start(lambda asked: (200, {}, b"x" * (LARGEST_BODY * 3)))
    slow = start(lambda asked: (time.sleep(0.6), (200, {}, b""))[1])  # type: ignore[func-returns-value]
    sender = HttpSender(large.url, Pace(1000))
    reply = sender.send(Recorded("a", "GET", "/"))
    assert (len(reply.body), reply.cut) == (LARGEST_BODY, True)
    sender.close()
    sender = HttpSender(slow.url, Pace(1000), timeout=0.1)
    reply = sender.send(Recorded("a", "GET", "/"))
    assert (reply.status, reply.failure) == (None, "did not answer in time")
    sender.close()


def test_a_path_arrives_as_it_was_recorded(start: Callable[[Answer], Service]) -> None:
    service = start(lambda asked: (200, {}, b""))
    sender = HttpSender(f"{service.url}/api/", Pace(1000))
    for path in ("/a b%2F", "/ä", "/../x", "/a;b=1", "/a\nb"):
        assert sender.send(Recorded("a", "GET", path, (("q", "ä &"),), (("x-name", "é"),))).status == 200
    sender.close()
    asked = [one.path for one in service.asked]
    assert asked[:2] + asked[3:] == ["/api/a%20b%252F", "/api/%C3%A4", "/api/a;b=1", "/api/a%0Ab"]
    assert service.asked[1].query == {"q": "ä &"}
    assert service.asked[1].headers["x-name"] == "é"


def test_a_body_that_trickles_is_given_up_in_time() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        with contextlib.suppress(OSError), listening.accept()[0] as line:
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            for _ in range(400):
                line.sendall(b"x")
                time.sleep(0.02)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    sender = HttpSender(f"http://127.0.0.1:{listening.getsockname()[1]}", Pace(1000), timeout=0.2)
    assert sender.send(Recorded("a", "GET", "/")).failure == "did not answer in time"
    sender.close()
    thread.join(5)
    listening.close()
