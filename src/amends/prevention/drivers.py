"""Source that a written test brings along, so that it needs nothing but pytest.

Each driver defines ``answer``, which gives the status and the text of one reply, or ``run``, which gives
the exit code and the output of one command. They are text, not modules: they run in the project's own
environment, whatever Python that is (3.8 or newer).
"""

from __future__ import annotations

MADE = '''
def made(kind, **fields):
    """Make an object as it was in production, without running its constructor."""
    base = BaseException if issubclass(kind, BaseException) else object
    thing = base.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(thing, name, value)
    return thing
'''

ASGI_IMPORTS = frozenset({"import asyncio"})
ASGI = '''
def answer(app, method, path, query="", headers=(), body=b""):
    """Send one request to an ASGI application; return status and text."""
    return asyncio.run(_serve(app, method, path, query, headers, body))


async def _serve(app, method, path, query, headers, body):
    ready, stop, state = asyncio.Event(), asyncio.Event(), {}
    lifespan = asyncio.ensure_future(_lifespan(app, state, ready, stop))
    await ready.wait()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": dict(state),
    }
    parts, sent = [{"type": "http.request", "body": body, "more_body": False}], []

    async def receive():
        if not parts:
            await asyncio.Event().wait()  # the client stays until it has its answer
        return parts.pop()

    async def send(message):
        sent.append(message)

    try:
        await app(scope, receive, send)
    finally:
        stop.set()
        await lifespan
    status = next(m["status"] for m in sent if m["type"] == "http.response.start")
    text = b"".join(message.get("body", b"") for message in sent)
    return status, text.decode("utf-8", "replace")


async def _lifespan(app, state, ready, stop):
    steps = ["lifespan.startup", "lifespan.shutdown"]

    async def receive():
        if len(steps) == 1:
            await stop.wait()
        return {"type": steps.pop(0)}

    async def send(message):
        ready.set()

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    try:
        await app(scope, receive, send)
    except Exception:
        pass  # an application that raises here has no lifespan, says the specification
    finally:
        ready.set()
'''

WSGI_IMPORTS = frozenset({"import io", "import sys", "from wsgiref.util import setup_testing_defaults"})
WSGI = '''
def answer(app, method, path, query="", headers=(), body=b""):
    """Send one request to a WSGI application; return status and text."""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    setup_testing_defaults(environ)
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        environ[key] = value
    said = []

    def start_response(status, headers, exc_info=None):
        said.append(int(status.split()[0]))

    reply = app(environ, start_response)
    try:
        text = b"".join(reply).decode("utf-8", "replace")
    finally:
        getattr(reply, "close", lambda: None)()
    return said[-1], text
'''

SERVICE_IMPORTS = frozenset(
    {
        "import http.client", "import os", "import signal", "import socket", "import subprocess",
        "import sys", "import tempfile", "import time", "from urllib.parse import urlsplit",
    }
)  # fmt: skip
SERVICE = '''
PYTHONS = ("python", "python3", "{python}")


class Service:
    """The service as its command starts it, on a free port."""

    def __init__(self, command, url, env, ready, seconds):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        self.url = url.replace("{port}", port)
        self._log = tempfile.TemporaryFile()
        words = [word.replace("{port}", port) for word in command]
        self._process = subprocess.Popen(
            [sys.executable if word in PYTHONS else word for word in words],
            cwd=ROOT,
            env={**os.environ, "PORT": port, **env},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait(ready, time.monotonic() + seconds)
        except BaseException:
            self.__exit__()
            raise

    def _wait(self, ready, until):
        while True:
            try:
                if ready and self.answer("GET", ready)[0] < 400:
                    return
                if not ready:
                    socket.create_connection(self._place(), 1).close()
                    return
            except OSError:
                pass
            if not self.alive():
                raise RuntimeError("the service ended early:\\n" + self.output())
            if time.monotonic() > until:
                raise RuntimeError("the service is not ready:\\n" + self.output())
            time.sleep(0.05)

    def _place(self):
        parts = urlsplit(self.url)
        return parts.hostname, parts.port or 80

    def answer(self, method, path, query="", headers=(), body=b""):
        """Send one request; return status and text. Redirects are not followed."""
        connection = http.client.HTTPConnection(*self._place(), timeout=30)
        try:
            where = path + ("?" + query if query else "")
            connection.request(method, where, body or None, dict(headers))
            reply = connection.getresponse()
            return reply.status, reply.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def printed(self):
        """Return how many bytes the service printed so far."""
        return os.fstat(self._log.fileno()).st_size

    def output(self, since=0):
        """Return what the service printed, at most its last 100,000 bytes."""
        start = max(since, self.printed() - 100000)
        return os.pread(self._log.fileno(), 100000, start).decode("utf-8", "replace")

    def alive(self):
        return self._process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
'''

COMMAND_IMPORTS = frozenset(
    {"import os", "import signal", "import subprocess", "import sys"}
)  # fmt: skip
COMMAND = '''
def run(command, path, seconds):
    """Run a command on an input; return its exit code and what it printed."""
    words = [word.replace("{input}", str(path)) for word in command]
    words[0] = sys.executable if words[0] in ("python", "python3") else words[0]
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output = process.communicate(timeout=seconds)[0].decode("utf-8", "replace")
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    return process.returncode, output
'''

LAST_LINE = '''
def last_line(output):
    """Return the last line that was printed, without what differs each time."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    line = re.sub(r"0x[0-9a-fA-F]+", "0x#", lines[-1] if lines else "")
    line = re.sub(r"(/[^\\s:/\\"'(),]+)+/?", "/#", line)
    return re.sub(r"\\d+", "#", line)[:200]
'''
