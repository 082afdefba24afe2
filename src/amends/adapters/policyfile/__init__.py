"""Policy files: amends.yaml in, typed policies or errors with file and line out."""
