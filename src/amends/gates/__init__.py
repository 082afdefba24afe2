"""Gates, policies, the evidence they read, and how they are evaluated."""
