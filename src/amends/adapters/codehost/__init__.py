"""Code hosts: where commits, owners and worktrees come from."""

from amends.adapters.codehost.git import GitHost

__all__ = ["GitHost"]
