"""The shop's git repository: a handful of reviewed changes, one of which will escape."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

SERVICE = "shop"
BAD, GOOD, LAST_GOOD = "1.4.0", "1.4.1", "1.3.0"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the shop: what its change was called, who wrote it, who read it (logins)."""

    version: str
    title: str
    author: str
    reviewer: str


HISTORY = (
    Version("1.0.0", "Quote what a cart costs", "ada", "grace"),
    Version("1.1.0", "Accept coupons", "grace", "ada"),
    Version("1.2.0", "Say what a coupon saved", "edsger", "ada"),
    Version("1.3.0", "Name the currency of a quote", "ada", "edsger"),
    Version(BAD, "Show what was saved beside each item", "edsger", "grace"),
)
FIX = Version(GOOD, "Quote carts that hold only gift cards", "grace", "ada")

_OWNERS = "# Who looks after what.\n* @acme/shop-team\n"


def email(login: str) -> str:
    """Return the address under which someone of the story commits and reviews."""
    return f"{login}@shop.example"


def text_of(name: str) -> str:
    """Return one of the story's files."""
    return files("amends.demo").joinpath("shop", f"{name}.txt").read_text()


def _tests_until(version: str) -> str:
    known = [v.version for v in HISTORY]
    last = known.index(version) if version in known else len(known) - 1
    return "".join(text_of(f"test_pricing-{v}.py") for v in known[: last + 1])


def write_version(repo: Path, version: str) -> None:
    """Write the service's files as they are in one version."""
    (repo / "shop").mkdir(parents=True, exist_ok=True)
    for directory in ("unit", "integration", "regression"):
        (repo / "tests" / directory).mkdir(parents=True, exist_ok=True)
    contents = {
        "shop/__init__.py": '"""A small shop."""\n',
        "shop/__main__.py": text_of("__main__.py"),
        "shop/metrics.py": text_of("metrics.py"),
        "shop/kinds.py": text_of("kinds.py"),
        "shop/pricing.py": text_of(f"pricing-{version}.py"),
        "tests/conftest.py": text_of("conftest.py"),
        "tests/unit/test_pricing.py": _tests_until(version),
        "tests/integration/test_service.py": text_of("test_service.py"),
        "CODEOWNERS": _OWNERS,
        "notices.yaml": text_of("notices.yaml"),
        ".gitignore": "__pycache__/\n.pytest_cache/\n.amends/\ncaptures/\n",
    }
    for name, text in contents.items():
        (repo / name).write_text(text)


def git(repo: Path, *words: str, at: datetime | None = None, author: str = "shop") -> str:
    """Run git in the story's repository, with its own identity and none of the user's settings."""
    stamp = (at or datetime.fromisoformat("2026-01-05T09:00:00+00:00")).isoformat()
    who = {"NAME": author, "EMAIL": email(author), "DATE": stamp}
    environ = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
    }
    done = subprocess.run(
        ["git", "-C", str(repo), *words], env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(repo: Path, version: Version, at: datetime) -> str:
    """Commit the working tree as one reviewed change, tag it, and return its full hash."""
    git(repo, "add", "-A")
    message = f"{version.title}\n\nReviewed-by: {email(version.reviewer)}\n"
    git(repo, "commit", "-q", "--allow-empty", "-m", message, at=at, author=version.author)
    git(repo, "tag", f"v{version.version}")
    return git(repo, "rev-parse", "HEAD")


def create(repo: Path) -> None:
    """Make an empty repository."""
    repo.mkdir(parents=True, exist_ok=True)
    git(repo, "init", "-q", "-b", "main")


def commit_version(repo: Path, version: Version, at: datetime) -> str:
    """Write one version of the service, commit it and return its commit."""
    write_version(repo, version.version)
    return commit(repo, version, at)


def commit_test(repo: Path, at: datetime) -> None:
    """Commit the test that was written for the escape."""
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "Guard what escaped", at=at, author=FIX.author)
