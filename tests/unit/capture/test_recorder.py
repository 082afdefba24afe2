"""The recorder is bounded, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from amends_capture import Recorder, Settings
from amends_capture.files import Directory
from amends_capture.recorder import Raw, stratum_of
from tests.unit.capture.services import files_of


def raw(path: str = "/pay") -> Raw:
    made = Raw("http", "status")
    made.request = {"method": "GET", "path": path, "query": b"", "headers": [], "pieces": [], "size": 0}
    return made


def test_what_does_not_fit_the_queue_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(Settings(directory=tmp_path, max_queue=3))
    monkeypatch.setattr(recorder, "_begin", lambda: None)  # a writer that is stuck
    for _ in range(5):
        recorder.offer(raw())
    assert recorder.stats["dropped"] == 2
    assert not recorder.has_room()


def test_a_disk_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    recorder = Recorder(Settings(directory=blocked / "captures"))
    recorder.offer(raw())
    recorder.close()
    assert (recorder.stats["written"], recorder.stats["errors"]) == (0, 1)


@pytest.mark.parametrize(
    "settings", [{"secret_patterns": ["("]}, {"secret_names": 7}, {"secret_headers": [1]}]
)
def test_without_its_rules_nothing_is_written(tmp_path: Path, settings: dict[str, Any]) -> None:
    recorder = Recorder(Settings(directory=tmp_path, **settings))
    recorder.offer(raw())
    recorder.close()
    assert files_of(tmp_path) == []
    assert recorder.stats["errors"] == 1


def test_other_settings_that_are_wrong_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENDS_VERSION", "2.0")
    found = Settings(sample_share=7, max_files=-1, predicate="x")  # type: ignore[arg-type]
    assert (found.sample_share, found.max_files, found.predicate, found.release) == (0.01, 500, None, "2.0")
    assert len(found.problems) == 3


def test_a_capture_that_is_too_long_loses_what_can_be_missed(tmp_path: Path) -> None:
    recorder = Recorder(Settings(directory=tmp_path, max_capture_bytes=10_000))
    long = raw()
    long.response = {"status": 500, "headers": [], "pieces": [b"x y " * 4000], "size": 16_000}
    recorder.offer(long)
    recorder.close()
    [found] = files_of(tmp_path)
    assert found["response"]["body"] == {"$type": "cut"}
    assert found["cut"] == ["/response/body"]


def test_a_secret_that_redaction_would_leave_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amends_capture.redaction.texts.Texts._without_known", lambda self, text: text)
    recorder = Recorder(Settings(directory=tmp_path))
    named = raw("/kalevala")
    named.request = {**named.request, "query": b"password=kalevala"}  # type: ignore[dict-item]
    recorder.offer(named)
    recorder.close()
    assert (recorder.stats["withheld"], files_of(tmp_path)) == (1, [])


def test_files_are_whole_private_and_few(tmp_path: Path) -> None:
    directory = Directory(str(tmp_path / "new"), most_files=4, most_bytes=10_000)
    (tmp_path / "new").mkdir()
    old = tmp_path / "new" / ".half-1-x"
    old.write_text("{")
    os.utime(old, (0, 0))
    for number in range(6):
        directory.add(f"id{number}", "status.a", b"{}")
    kept = sorted((tmp_path / "new").iterdir())
    assert [path.name.split("-")[-1] for path in kept] == ["id2.json", "id3.json", "id4.json", "id5.json"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_flood_of_one_kind_costs_no_other_its_files(tmp_path: Path) -> None:
    directory = Directory(str(tmp_path), most_files=4, most_bytes=10_000)
    directory.add("rare", "exception.b", b"{}")
    for number in range(20):
        directory.add(f"often{number}", "status.a", b"{}")
    assert any("rare" in path.name for path in tmp_path.iterdir())


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    directory = Directory(str(tmp_path), most_files=100, most_bytes=1000)
    for number in range(9):
        directory.add(f"id{number}", "status.a", b"x" * 300)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000


def test_strata_leave_out_what_identifies_one_thing() -> None:
    assert stratum_of("/items/12345/parts/a9f3") == "/items/*/parts/*"
    assert stratum_of("/items/list") == "/items/list"


def test_a_process_that_ends_or_forks_loses_nothing(tmp_path: Path) -> None:
    script = """
import os, sys
from amends_capture import capture
@capture(directory=sys.argv[1], sample_share=0.0)
def fail(n): return 1 // n
def attempt():
    try: fail(0)
    except ZeroDivisionError: pass
attempt()
child = os.fork()
attempt()
if child: os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)
    assert len(files_of(tmp_path)) == 3


def test_importing_it_imports_next_to_nothing() -> None:
    script = (
        "import sys; from amends_capture import ASGICapture, WSGICapture, capture, Settings\n"
        "heavy = 'typing', 're', 'json', 'dataclasses', 'inspect', 'logging', 'asyncio', 'enum', 'random'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "packages/capture/src", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.stderr, json.loads(done.stdout.replace("'", '"'))) == ("", [])
