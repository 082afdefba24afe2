"""Where an activation is read from and written to: the policy file, or a test in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amends.amendments.amendment import Amendment
    from amends.application.amending import Activation
    from amends.application.log import Log


def plan(log: Log, found: Amendment, repo: Path, policy: str) -> Activation:
    """Return the change that an activation means; nothing is written."""
    from amends.application.amending import plan_activation
    from amends.bootstrap import add_policy_gate, open_code_host, open_policy

    if found.proposed.kind == "test":
        return plan_activation(log, found.id, host=open_code_host(repo))
    loaded = open_policy(policy, service=found.proposed.service)
    return plan_activation(
        log, found.id, policy_text=loaded.text, policy_path=_shown(loaded.path), add_gate=add_policy_gate
    )


def _shown(path: str) -> str:
    """Return a path as a diff names it: from here, or by its name where it lies elsewhere."""
    place, here = Path(path).resolve(), Path.cwd().resolve()
    return str(place.relative_to(here)) if place.is_relative_to(here) else place.name


def write_plan(planned: Activation, found: Amendment, repo: Path, policy: str) -> str:
    """Write the change; return the digest of the policy, if it is one."""
    from amends.bootstrap import check_policy, open_policy, write_new_file

    if found.proposed.kind == "test":
        place = repo / planned.path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_new_file(place, planned.text, replace=True)
        return ""
    place = Path(open_policy(policy).path)
    check_policy(planned.text, place)
    write_new_file(place, planned.text, replace=True)
    return open_policy(policy).digest
