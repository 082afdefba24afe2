"""Ten thousand seeded secrets go through a service that fails on each; none is on the disk afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amends_capture import ASGICapture, Recorder, Settings
from tests.unit.capture.leaks import holds
from tests.unit.capture.seeds import Place, seeded
from tests.unit.capture.services import read

SECRETS = 10_000


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_none_of_ten_thousand_secrets_reaches_the_disk(tmp_path: Path) -> None:
    settings = Settings(
        directory=tmp_path, service="shop", release="1", writer_share=1.0,
        max_queue=SECRETS, max_files=SECRETS, max_bytes=10**9,
    )  # fmt: skip
    recorder = Recorder(settings)
    cases = list(seeded(SECRETS, seed=20261123))
    asyncio.run(fail_on([place for *_, place in cases], recorder))
    recorder.close(seconds=1500)
    assert recorder.stats == {"written": SECRETS, "dropped": 0, "withheld": 0, "errors": 0, "evicted": 0}
    # Captures are written in the order in which the requests failed.
    files = sorted(tmp_path.iterdir())
    leaked = [
        label
        for (label, secret, _), file in zip(cases, files, strict=True)
        if holds(file.read_text("ascii"), secret)
    ]
    assert leaked == []


def handler_of(place: Place) -> Callable[..., None]:
    """Return a function that holds what is at the place in its variables, and fails."""
    names: dict[str, Any] = {"message": place.message}
    lines = [f"def handle({', '.join(['body', *place.locals])}):", "    raise ValueError(message)"]
    exec(compile("\n".join(lines), "shop/pay.py", "exec"), names)
    made: Callable[..., None] = names["handle"]
    return made


async def fail_on(places: list[Place], recorder: Recorder) -> None:
    """Send each request to a service that holds what is at the place in its variables, and fails."""
    current: list[Place] = []

    async def service(scope: Any, receive: Any, send: Any) -> None:
        body = await read(receive)
        handler_of(current[0])(body, **current[0].locals)

    app = ASGICapture(service, recorder=recorder)
    for place in places:
        current[:] = [place]
        pieces = [{"type": "http.request", "body": place.body}]
        headers = [(b"content-length", str(len(place.body)).encode()), *place.headers]
        scope = {
            "type": "http",
            "method": "POST",
            "path": place.path,
            "query_string": place.query,
            "headers": headers,
        }

        async def receive(pieces: list[Any] = pieces) -> Any:
            return pieces.pop()

        with pytest.raises(ValueError, match=r"."):
            await app(scope, receive, receive)
