"""Settings of a process, from options and the environment (``AMENDS_*``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_STORE = ".amends/log.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this process finds its log, its policy and its clock.

    ``store`` is a path (SQLite), ``postgresql://…``, ``https://server`` or ``memory:``.
    ``named`` says that somebody chose it, by option or environment.
    """

    store: str = DEFAULT_STORE
    named: bool = False
    token: str = ""
    clock: str = ""
    policy: Path = Path("amends.yaml")
    notices: Path = Path("notices.yaml")
    state_dir: Path = Path(".amends")
    repo: Path | None = None
    check_every: str = "1d"
    debug: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str], *, store: str = "", policy: str = "") -> Settings:
        """Take options first, then ``AMENDS_STORE``, ``AMENDS_TOKEN``, ``AMENDS_CLOCK``,
        ``AMENDS_POLICY``, ``AMENDS_NOTICES``, ``AMENDS_STATE``, ``AMENDS_REPO``, ``AMENDS_CHECK_EVERY`` and
        ``AMENDS_DEBUG``.
        """
        named_policy = Path(policy or environ.get("AMENDS_POLICY", "") or "amends.yaml")
        chosen = store or environ.get("AMENDS_STORE", "")
        return cls(
            store=chosen or DEFAULT_STORE,
            named=bool(chosen),
            token=environ.get("AMENDS_TOKEN", ""),
            clock=environ.get("AMENDS_CLOCK", ""),
            policy=named_policy,
            notices=Path(environ.get("AMENDS_NOTICES", "") or named_policy.parent / "notices.yaml"),
            state_dir=Path(environ.get("AMENDS_STATE", "") or ".amends"),
            repo=Path(environ["AMENDS_REPO"]) if environ.get("AMENDS_REPO") else None,
            check_every=environ.get("AMENDS_CHECK_EVERY", "") or "1d",
            debug=environ.get("AMENDS_DEBUG", "") not in ("", "0"),
        )
