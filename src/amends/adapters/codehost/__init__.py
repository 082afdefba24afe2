"""Code hosts: git repositories, worktrees, CODEOWNERS."""
