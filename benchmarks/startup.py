"""How long `amends --help` and `amends gate` take as whole processes, against a bare Python.

All are run by turns with the same interpreter, so that a busy machine slows them alike, and judged by
processor seconds (user and system, as the operating system counts them for each finished process), for
the clock on the wall also counts the wait for others. Bytecode is compiled already, as pip does when it
installs. Prints a table, and ends with 1 where a bar is broken:

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


RECORD = (str(AMENDS), "record", "release", "1.0.0", "--service", "shop")
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


def run(command: tuple[str, ...], folder: Path) -> tuple[int, float, float]:
    """Run a command in ``folder`` and return its exit code, its processor and wall-clock seconds."""
    ours = ("AMENDS_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, took


def seconds(measured: Measured, folder: Path) -> tuple[float, float]:
    """Run once in ``folder`` and return processor and wall-clock seconds.

    Raises
    ------
    SystemExit
        The command did not do its work, so its time would mean nothing.
    """
    code, used, took = run(measured.command, folder)
    if code not in measured.accepted:
        raise SystemExit(f"`{measured.name}` ended with {code}, so its time means nothing")
    return used, took


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
    times: dict[str, list[tuple[float, float]]] = {measured.name: [] for measured in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="amends-startup-") as name:
        folder = Path(name)
        (folder / "amends.yaml").write_text(POLICY, "utf-8")
        if run(RECORD, folder)[0]:
            raise SystemExit("the release to ask about could not be recorded")
        for turn in range(-2, rounds):  # two warm-up turns are thrown away
            for measured in COMMANDS:
                took = seconds(measured, folder)
                if turn >= 0:
                    times[measured.name].append(took)
    medians = {
        name: [statistics.median(one) for one in zip(*runs, strict=True)] for name, runs in times.items()
    }
    broken = []
    print("| command | processor time | of a bare Python | on the wall | of a bare Python | bar |")
    print("|---|---|---|---|---|---|")
    for measured in COMMANDS:
        used, took = medians[measured.name]
        ratio, waited = used / medians[BARE.name][0], took / medians[BARE.name][1]
        bar = f"{measured.bar:g} ×" if measured.bar else ""
        print(
            f"| `{measured.name}` | {used * 1000:.0f} ms | {ratio:.1f} × | {took * 1000:.0f} ms "
            f"| {waited:.1f} × | {bar} |"
        )
        if measured.bar and ratio > measured.bar:
            broken.append(f"{measured.name}: {ratio:.1f} × is more than {measured.bar:g} ×")
    broken += [f"amends --help imports {package}" for package in imported_for_help()]
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
