"""What amends-capture costs a small ASGI service at saturation, and what importing it takes.

The service runs under uvicorn, on a processor of its own where there are two; a load generator keeps its
connections busy over raw sockets. A bare and a wrapped service are up together and take the load by turns
in short slices, so that a busy machine slows both alike, and both are started anew for each round, since two
processes of the same program differ by 2%; a third service, bare again, shows what a
difference of nothing looks like. Judged by the median, over all turns, of the wrapped service's own processor
time for each request to that of the two bare ones, in which other processes do not count. Prints a table, and
ends with 1 where a bar is broken:

    .venv/bin/python benchmarks/capture_overhead.py [--rounds 10] [--service route|bare] [--failing 0.01]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

BAR = 1.02
IMPORT_BAR = 10.0
JUDGED = "processor, wrapped"
CONNECTIONS = 16

ROUTED = """
import json
from fastapi import FastAPI
from pydantic import BaseModel

class Line(BaseModel):
    sku: str
    count: int

class Basket(BaseModel):
    lines: list[Line]

app = FastAPI()

@app.post("/basket")
async def basket(basket: Basket) -> dict[str, int]:
    if basket.lines[0].count < 0:
        raise ValueError("less than nothing")
    return {"count": sum(line.count for line in basket.lines)}
"""
BARE = """
import json

async def app(scope, receive, send):
    if scope["type"] != "http":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    basket = json.loads(body)
    if basket["lines"][0]["count"] < 0:
        raise ValueError("less than nothing")
    count = sum(line["count"] for line in basket["lines"])
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"count": count}).encode()})
"""
WRAP = """
from amends_capture import ASGICapture
app = ASGICapture(app, directory={directory!r}, service="shop", release="1.0.0"{more})
"""


def request(count: int) -> bytes:
    body = b'{"lines": [{"sku": "a1", "count": %d}, {"sku": "b2", "count": 2}]}' % count
    head = (
        f"POST /basket HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n"
        f"accept: application/json\r\nuser-agent: load\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


GOOD, BAD = request(3), request(-1)


class Service:
    """A service in a process of its own."""

    def __init__(self, folder: Path, name: str, text: str, cpu: int | None) -> None:
        (folder / f"{name}.py").write_text(text)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [
            sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(self.port), "--log-level",
            "critical", "--no-access-log", "--app-dir", str(folder), "--timeout-keep-alive", "600",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.measured = psutil.Process(self.process.pid)
        if cpu is not None:
            os.sched_setaffinity(self.process.pid, {cpu})
        self.sockets = [self._connect() for _ in range(CONNECTIONS)]

    def _connect(self) -> socket.socket:
        until = time.monotonic() + 30
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=10)
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def worked(self) -> float:
        """Return the seconds of processor time that all its threads took so far."""
        try:
            # The scheduler counts nanoseconds; what psutil reads is counted in hundredths of seconds.
            tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
            return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        except (OSError, IndexError, ValueError):
            times = self.measured.cpu_times()
            return times.user + times.system

    def slice(self, requests: int, failing: float, rng: random.Random) -> tuple[float, float]:
        """Return the processor and wall seconds of a request, over ``requests`` of them."""
        left, answered = requests, 0
        began, worked = time.perf_counter(), self.worked()
        with selectors.DefaultSelector() as selector:
            for place, one in enumerate(self.sockets):
                selector.register(one, selectors.EVENT_READ, place)
                one.sendall(BAD if rng.random() < failing else GOOD)
                left -= 1
            while answered < requests:
                for key, _ in selector.select(10):
                    one = self.sockets[key.data]
                    answered += 1
                    if not whole(one):  # as uvicorn does after a failure
                        selector.unregister(one)
                        one.close()
                        one = self.sockets[key.data] = self._connect()
                        selector.register(one, selectors.EVENT_READ, key.data)
                    if left > 0:
                        one.sendall(BAD if rng.random() < failing else GOOD)
                        left -= 1
        return (self.worked() - worked) / requests, (time.perf_counter() - began) / requests

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        self.process.terminate()
        self.process.wait(10)


def piece(one: socket.socket) -> bytes:
    """Read what is there. Raises ``ConnectionError`` at the end."""
    found = one.recv(65536)
    if not found:
        raise ConnectionError("the service closed the connection")
    return found


def whole(one: socket.socket) -> bool:
    """Read one answer to its end; return whether the connection stays open.

    After an exception uvicorn closes it, and does not say so.
    """
    content = piece(one)
    while b"\r\n\r\n" not in content:
        content += piece(one)
    head, _, body = content.partition(b"\r\n\r\n")
    head = head.lower()
    stays = b"connection: close" not in head and not head.startswith(b"http/1.1 5")
    if b"chunked" in head:
        while not body.endswith(b"0\r\n\r\n"):
            body += piece(one)
        return stays
    length = re.search(rb"content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += piece(one)
    return stays


def overhead(
    kind: str, slices: int, requests: int, failing: float, more_settings: str
) -> tuple[list[float], dict[str, list[float]]]:
    """Return paired ratios of the wrapped service to the bare one, and those of bare to bare."""
    text = ROUTED if kind == "route" else BARE
    rng = random.Random(1)
    cpus = sorted(os.sched_getaffinity(0))
    ours, theirs = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        if ours is not None:
            os.sched_setaffinity(0, {ours})
        services = {}
        for name, more in (
            ("bare", ""),
            ("again", ""),
            ("wrapped", WRAP.format(directory=str(place / "captures"), more=more_settings)),
        ):
            services[name] = Service(place, f"service_{name}", text + more, theirs)
            stack.callback(services[name].close)
        for service in services.values():
            service.slice(requests, failing, rng)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in services}
        for _ in range(slices):
            for name in rng.sample(sorted(services), 3):
                found[name].append(services[name].slice(requests, failing, rng))
        written = len(list((place / "captures").glob("*.json"))) if (place / "captures").exists() else 0
        if cpus:
            os.sched_setaffinity(0, set(cpus))
    cpu = {name: statistics.median(one[0] for one in taken) for name, taken in found.items()}
    turns = list(zip(found["wrapped"], found["bare"], found["again"], strict=True))
    ratios = {
        JUDGED: [2 * w[0] / (b[0] + a[0]) for w, b, a in turns if b[0] + a[0]],
        "processor, bare again": [a[0] / b[0] for _, b, a in turns if b[0]],
        "wall": [2 * w[1] / (b[1] + a[1]) for w, b, a in turns],
        "wall, bare again": [a[1] / b[1] for _, b, a in turns],
    }
    return [cpu["bare"], cpu["again"], cpu["wrapped"], float(written)], ratios


def bounds(ratios: list[float], rng: random.Random) -> tuple[float, float, float]:
    """Return the median with its 95% bootstrap interval."""
    draws = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(1000))
    return statistics.median(ratios), draws[24], draws[974]


def import_time(rounds: int = 41) -> tuple[float, float]:
    """Return the median processor milliseconds of a bare Python, and what importing adds to it.

    Bytecode is compiled, as pip does when it installs.
    """
    import amends_capture

    source = Path(amends_capture.__file__).parent
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(source)], check=True)
    scripts = ("pass", "from amends_capture import ASGICapture, WSGICapture, capture")
    taken: dict[str, list[float]] = {script: [] for script in scripts}
    for _ in range(rounds):
        for script, times in taken.items():
            process = subprocess.Popen(
                [sys.executable, "-S", "-c", script], env={"PYTHONPATH": str(source.parent)}
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            times.append((used.ru_utime + used.ru_stime) * 1000)
    bare, imported = (statistics.median(times) for times in taken.values())
    return bare, imported - bare


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="each with services of its own")
    parser.add_argument("--slices", type=int, default=40, help="of a round")
    parser.add_argument("--requests", type=int, default=200, help="of a slice")
    parser.add_argument("--service", choices=["route", "bare"], default="route")
    parser.add_argument("--failing", type=float, default=0.0, help="share of requests that fail")
    parser.add_argument("--settings", default="", help="more of them, for example ', sample_share=0'")
    asked = parser.parse_args()
    rng = random.Random(2)
    bare, added = import_time()
    cpu: list[list[float]] = []
    ratios: dict[str, list[float]] = {}
    rounds: list[float] = []
    for _ in range(asked.rounds):
        taken, found = overhead(asked.service, asked.slices, asked.requests, asked.failing, asked.settings)
        cpu.append(taken)
        rounds.append(statistics.median(found[JUDGED]))
        for name, values in found.items():
            ratios.setdefault(name, []).extend(values)
    print(f"import: {added:.1f} ms of processor time more than a bare Python's {bare:.1f} ms")
    print(
        f"service {asked.service}, {asked.failing:.1%} failing; "
        f"{asked.rounds} × {asked.slices} × {asked.requests} requests"
    )
    print(f"each, by turns; load {os.getloadavg()[0]:.1f}; {sum(one[3] for one in cpu):.0f} captures written")
    micros = [f"{statistics.median(one[n] for one in cpu) * 1e6:.1f} µs" for n in range(3)]
    print(f"processor time of a request: bare {micros[0]}, bare again {micros[1]}, wrapped {micros[2]}")
    print("by rounds:", " ".join(f"{one:.3f}" for one in sorted(rounds)))
    for name, values in ratios.items():
        middle, low, high = bounds(values, rng)
        print(f"{name:22} ÷ bare: median {middle:.4f} ({low:.4f} to {high:.4f})")
    broken = [
        *(["overhead"] if statistics.median(ratios[JUDGED]) > BAR and not asked.failing else []),
        *(["import"] if added > IMPORT_BAR else []),
    ]
    print(f"bars broken: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
