"""Metric sources: direct scrape and the Prometheus query API."""
