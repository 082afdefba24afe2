"""amends-capture stands by itself: a wheel without dependencies, which records with nothing else there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USE = """
import sys
sys.path[:0] = sys.argv[1:2]
from amends_capture import capture

@capture(directory=sys.argv[2], service="shop", release="1", sample_share=0)
def share(total, among):
    return total / among

try:
    share(3, 0)
except ZeroDivisionError:
    pass
"""


def test_the_wheel_needs_nothing_and_records(tmp_path: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed; it builds the wheel")
    build = [uv, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(ROOT / "packages/capture")]
    subprocess.run(build, check=True, timeout=240)
    [wheel] = tmp_path.glob("amends_capture-*.whl")
    with zipfile.ZipFile(wheel) as held:
        [metadata] = [name for name in held.namelist() if name.endswith(".dist-info/METADATA")]
        told = held.read(metadata).decode()
        assert "Requires-Dist" not in told
        assert json.loads(held.read("amends_capture/schema.json"))["$schema"]
        assert "amends_capture/py.typed" in held.namelist()
        held.extractall(tmp_path / "installed")
    # -S leaves out site-packages: whatever it imported of another distribution would be missing.
    command = [sys.executable, "-I", "-S", "-c", USE, str(tmp_path / "installed"), str(tmp_path / "captures")]
    subprocess.run(command, check=True, timeout=60)
    [file] = (tmp_path / "captures").glob("capture-*.json")
    assert json.loads(file.read_text())["exception"]["type"] == "ZeroDivisionError"
