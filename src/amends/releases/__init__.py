"""What is released, where it runs, and how a deployment moves through its rollout."""
