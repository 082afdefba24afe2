"""Print uv.lock as constraints for pip, so that both ways of setting up give the same versions.

A package that the lock holds in several versions (one per Python) is left to pip.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "uv.lock"


def constraints(lock: str) -> list[str]:
    """Return ``name==version`` for each package from a registry that ``lock`` (TOML text) holds once."""
    versions: dict[str, set[str]] = defaultdict(set)
    for package in tomllib.loads(lock)["package"]:
        if "registry" in package["source"]:
            versions[package["name"]].add(package["version"])
    return [f"{name}=={held.pop()}" for name, held in sorted(versions.items()) if len(held) == 1]


if __name__ == "__main__":
    sys.stdout.write("\n".join(constraints(LOCK.read_text("utf-8"))) + "\n")
