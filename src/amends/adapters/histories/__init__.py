"""Histories that already exist: git, tables, test reports, calendars, post-mortems, GitHub's own account."""

from __future__ import annotations

from amends.application.history import (
    GithubPast,
    GitPast,
    IcalPast,
    JUnitPast,
    Past,
    PostmortemPast,
    TablePast,
)
from amends.application.ports import HistoryReader


def open_history(past: Past) -> HistoryReader:
    """Return the reader of a past."""
    if isinstance(past, GitPast):
        from amends.adapters.histories.git import GitHistory

        return GitHistory(past)
    if isinstance(past, TablePast):
        from amends.adapters.histories.table import TableHistory

        return TableHistory(past)
    if isinstance(past, JUnitPast):
        from amends.adapters.histories.junit import JUnitHistory

        return JUnitHistory(past)
    if isinstance(past, IcalPast):
        from amends.adapters.histories.ical import IcalHistory

        return IcalHistory(past)
    if isinstance(past, PostmortemPast):
        from amends.adapters.histories.postmortem import PostmortemHistory

        return PostmortemHistory(past)
    assert isinstance(past, GithubPast)
    from amends.adapters.histories.github import GithubHistory

    return GithubHistory(past)
