"""Long-running work, driven by the log: advancing a deployment, proving an amendment."""
