"""How long `amends --help` and `amends gate` take as whole processes, against a bare Python.

All are run by turns with the same interpreter, so that a busy machine slows them alike. Prints a
table, and ends with 1 where a bar is broken:

    .venv/bin/python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

AMENDS = Path(sys.executable).parent / "amends"
NEVER_FOR_HELP = ("fastapi", "starlette", "sqlalchemy", "alembic", "uvicorn")
POLICY = """\
service: shop
team: checkout
tier: client-specific
environments: [dev, staging, production]
gates:
  production:
    - review: {approvals: 1}
"""


@dataclass(frozen=True)
class Measured:
    """One command, the exit codes that mean it did its work, and the most it may take in bare Pythons."""

    name: str
    command: tuple[str, ...]
    accepted: frozenset[int] = frozenset({0})
    bar: float | None = None


BARE = Measured("python -c pass", (sys.executable, "-c", "pass"))
COMMANDS = (
    BARE,
    Measured("amends --help", (str(AMENDS), "--help"), bar=12),
    Measured(
        "amends gate",
        (str(AMENDS), "gate", "--service", "shop", "--release", "1.0.0", "--to", "production"),
        # Blocked and undecided are answers; a usage error or a failed evaluation is not.
        accepted=frozenset({0, 1, 3}),
        bar=40,
    ),
)


def seconds(measured: Measured, folder: Path) -> float:
    """Run once in ``folder`` and return the wall-clock seconds.

    Raises
    ------
    SystemExit
        The command did not do its work, so its time would mean nothing.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
    began = time.perf_counter()
    done = subprocess.run(
        measured.command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in measured.accepted:
        raise SystemExit(f"`{measured.name}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took


def imported_for_help() -> list[str]:
    """Return which of ``NEVER_FOR_HELP`` the help imports all the same."""
    probe = (
        "import json, sys\n"
        "from amends.cli.main import main\n"
        "sys.argv = ['amends', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(); print(json.dumps([name for name in {NEVER_FOR_HELP!r} if name in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=21, help="runs of each command (default 21)")
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {measured.name: [] for measured in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="amends-startup-") as name:
        folder = Path(name)
        (folder / "amends.yaml").write_text(POLICY, "utf-8")
        for turn in range(-2, rounds):  # two warm-up turns are thrown away
            for measured in COMMANDS:
                took = seconds(measured, folder)
                if turn >= 0:
                    times[measured.name].append(took)
    bare = statistics.median(times[BARE.name])
    broken = []
    print("| command | median | of a bare Python | bar |")
    print("|---|---|---|---|")
    for measured in COMMANDS:
        median = statistics.median(times[measured.name])
        ratio = median / bare
        bar = f"{measured.bar:g} ×" if measured.bar else ""
        print(f"| `{measured.name}` | {median * 1000:.0f} ms | {ratio:.1f} × | {bar} |")
        if measured.bar and ratio > measured.bar:
            broken.append(f"{measured.name}: {ratio:.1f} × is more than {measured.bar:g} ×")
    broken += [f"amends --help imports {package}" for package in imported_for_help()]
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
