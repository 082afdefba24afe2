"""Reports of test runs: JUnit XML, coverage, keys of inputs."""

from amends.adapters.testreports.exercise import read_coverage, read_inputs
from amends.adapters.testreports.junit import merge_reports, read_junit

__all__ = ["merge_reports", "read_coverage", "read_inputs", "read_junit"]
