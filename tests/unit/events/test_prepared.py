"""Threads that read events at once, in a process that has read none before."""

from __future__ import annotations

import subprocess
import sys
import textwrap

_RACE = """
    import sys, threading
    import msgspec
    from amends.events import kinds
    sys.setswitchinterval(1e-6)
    at_once = threading.Barrier(6)
    def read():
        at_once.wait()
        for kind in kinds.KINDS:
            try:
                msgspec.convert({name: "x" for name in kind.payload.__struct_fields__}, kind.payload)
            except msgspec.ValidationError:
                pass
    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_many_threads_may_read_their_first_events_at_once() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(_RACE)], check=False, timeout=120)
        assert done.returncode == 0
