"""Read models: what pages and the API show, assembled from facts by the same folds that decide."""

from __future__ import annotations

from amends.application.queries.board import Board, BoardFollower
from amends.application.queries.deployments import DeploymentView, deployment_view
from amends.application.queries.logpages import LogPage, event_view, log_page
from amends.application.queries.looks import changes_since, chart_series
from amends.application.queries.releases import ReleaseView, release_view, releases_list

__all__ = [
    "Board",
    "BoardFollower",
    "DeploymentView",
    "LogPage",
    "ReleaseView",
    "changes_since",
    "chart_series",
    "deployment_view",
    "event_view",
    "log_page",
    "release_view",
    "releases_list",
]
