"""Logins as they are compared, and what stands for them in the log."""

from __future__ import annotations

import re

from amends.application.ports import People

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*\Z")
# GitHub's no-reply addresses hold the login: docs.github.com, "Email addresses reference"
_NOREPLY = re.compile(r"(?:\d+\+)?([a-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com\Z")


def normal_login(text: str) -> str:
    """Return a login or e-mail address as it is compared.

    ``Ana <Ana@x.org>`` is ``ana@x.org``, ``@Bo`` is ``bo``.

    A person whose commits bear an e-mail address and whose reviews bear a login is two to amends, unless
    the address is one of GitHub's no-reply ones or git's mailmap says so.
    """
    hit = _ADDRESS.search(text)
    bare = (hit[1] if hit else text).strip().removeprefix("@").lower()
    noreply = _NOREPLY.match(bare)
    return noreply[1] if noreply else bare


def team_name(text: str) -> str:
    """Return a team's name without ``@`` and organisation: ``@org/payments`` is ``payments``."""
    return text.strip().removeprefix("@").rpartition("/")[2]


def is_team(owner: str) -> bool:
    """Return whether an owner from CODEOWNERS is a team (``@org/team``)."""
    return owner.startswith("@") and "/" in owner


def pseudonym_of(people: People, login: str) -> str:
    """Return the pseudonym of whoever ``login`` is; empty for nobody."""
    name = normal_login(login)
    return people.pseudonym(name) if name else ""
