"""The story that amends exists for, told with real processes, real traffic and a real git history."""
