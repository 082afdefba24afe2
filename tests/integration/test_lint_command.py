"""``amends lint`` and ``POST /api/v1/lint`` as those who call them see them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx

from tests.live_server import serving
from tests.story import Story

TEXT = "# Review\n\nWe forgot to renew it: 100%, sadly.\n"
FIELDS = ["file", "line", "column", "label", "text", "message", "suggestion"]


def run(*words: str, given: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "amends", "lint", *words], input=given, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_it_warns_and_blocks_only_when_asked_to(tmp_path: Path) -> None:
    review, fine = tmp_path / "review.md", tmp_path / "fine.md"
    review.write_text(TEXT)
    fine.write_text("The pod failed to start.\n")
    code, out, _ = run(str(review), str(fine), "--format", "json")
    (found,) = json.loads(out)
    assert (code, list(found)) == (0, FIELDS)
    assert (found["file"], found["line"], found["column"], found["label"]) == (str(review), 3, 4, "blame")
    assert run(str(review), "--strict")[0] == 1
    assert run(str(fine), "--strict", "--format", "json")[:2] == (0, "[]\n")


def test_github_gets_annotations_and_remarks_go_to_standard_error() -> None:
    code, out, err = run(
        "-", "--format", "github", given=f"<!-- amends-lint: allow blame -->\n{TEXT}".encode()
    )
    assert code == 0
    assert out.startswith("::warning file=-,line=4,col=4,title=blame::“forgot to”: ")
    assert out.count("\n") == 1
    assert err.startswith("-:1: a suppression without a reason is not heeded")


def test_a_broken_encoding_and_a_missing_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.md"
    broken.write_bytes(b"\xff\xfe caf\xe9\n\nWe forgot it.\n")
    assert [row["line"] for row in json.loads(run(str(broken), "--format", "json")[1])] == [3]
    code, _, err = run(str(tmp_path / "none.md"))
    assert code == 2
    assert "cannot be read" in err


def test_the_server_answers_the_same_list_and_refuses_too_much(tmp_path: Path) -> None:
    with serving(Story(store=str(tmp_path / "log.db")).tell(), tmp_path) as server, server.client() as client:
        client.base_url = httpx.URL(f"{server.url}/api/v1/")
        said = client.post("lint", json={"text": TEXT, "file": "draft"})
        assert (said.status_code, list(said.json()[0])) == (200, FIELDS)
        assert said.json()[0]["file"] == "draft"
        assert client.post("lint", json={"text": "x" * 300_000}).status_code == 413
        for wrong in ({}, {"text": 1}, {"text": "", "score": True}, []):
            assert client.post("lint", json=wrong).status_code in (400, 422)
        assert httpx.post(f"{server.url}/api/v1/lint", json={"text": TEXT}).status_code == 401
