"""Which answer of GitHub's REST API an object is, by its fields, and what of it matters.

Fields as in https://docs.github.com/en/rest (version 2022-11-28): pulls, reviews, check runs, commit
statuses, deployments and their statuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amends.adapters.histories.cells import CellError, read_time


@dataclass(frozen=True, slots=True)
class Pull:
    """A merged pull request. ``sha`` is the commit that it became on its base."""

    where: str
    number: int
    sha: str
    head: str
    base: str
    title: str
    body: str
    author: str
    created: datetime | None
    merged: datetime
    files: int | None
    lines: int | None


@dataclass(frozen=True, slots=True)
class Review:
    where: str
    pull: int
    reviewer: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """A check run, or the latest of a commit status, that has ended; ``passed`` is ``None`` for neither."""

    where: str
    sha: str
    name: str
    passed: bool | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    where: str
    id: int
    sha: str
    environment: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status of a deployment; ``deployment`` is the deployment's number."""

    where: str
    deployment: int
    state: str
    at: datetime


Item = Pull | Review | Check | Deployment | Status

# https://docs.github.com/en/rest/checks/runs: what a run that ended may have concluded.
_PASSED = {"success": True, "failure": False, "timed_out": False, "startup_failure": False, "error": False}


def read_item(where: str, value: dict[str, Any]) -> Item | str:
    """Return what an object is; a word for what is known and says nothing here; empty for what is unknown.

    Raises ``CellError`` for a time that is none, ``KeyError``, ``TypeError`` or ``ValueError`` for a broken
    one.
    """
    for fits, read in _SHAPES:
        if fits(value):
            return read(where, value)
    return next((word for word, fields in _UNUSED.items() if fields <= value.keys()), "")


def _pull(where: str, value: dict[str, Any]) -> Item | str:
    if not value.get("merged_at"):
        return "pulls that were not merged"
    files, added, gone = (_count(value.get(name)) for name in ("changed_files", "additions", "deletions"))
    return Pull(
        where, int(value["number"]), str(value.get("merge_commit_sha") or ""), str(value["head"]["sha"]),
        str(value["base"].get("ref") or ""), str(value.get("title") or ""), str(value.get("body") or ""),
        _login(value), _time(value["created_at"]) if value.get("created_at") else None,
        _time(value["merged_at"]),
        files, added + gone if added is not None and gone is not None else None,
    )  # fmt: skip


def _review(where: str, value: dict[str, Any]) -> Item | str:
    if not value.get("submitted_at"):
        return "reviews that were not submitted"
    number = int(str(value["pull_request_url"]).rstrip("/").rpartition("/")[2])
    return Review(where, number, _login(value), str(value["state"]).upper(), _time(value["submitted_at"]))


def _check(where: str, value: dict[str, Any]) -> Item | str:
    if not value.get("completed_at") or not value.get("conclusion"):
        return "checks that had not ended"
    passed = _PASSED.get(str(value["conclusion"]))
    return Check(where, str(value["head_sha"]), str(value["name"]), passed, _time(value["completed_at"]))


def _commit_status(where: str, value: dict[str, Any]) -> Item | str:
    if value["state"] == "pending":
        return "checks that had not ended"
    parts = str(value.get("url") or "").rstrip("/").split("/")
    sha = str(value.get("sha") or (parts[-1] if "statuses" in parts[-2:-1] else ""))
    if not sha:
        return "statuses that name no commit"
    moment = _time(value.get("updated_at") or value["created_at"])
    return Check(where, sha, str(value["context"]), _PASSED.get(str(value["state"])), moment)


def _deployment(where: str, value: dict[str, Any]) -> Item | str:
    return Deployment(where, int(value["id"]), str(value["sha"]), str(value["environment"]))


def _deployment_status(where: str, value: dict[str, Any]) -> Item | str:
    number = int(str(value["deployment_url"]).rstrip("/").rpartition("/")[2])
    return Status(where, number, str(value["state"]), _time(value["created_at"]))


_Read = Callable[[str, dict[str, Any]], Item | str]
_SHAPES: tuple[tuple[Callable[[dict[str, Any]], bool], _Read], ...] = (
    (lambda v: "deployment_url" in v and "state" in v, _deployment_status),
    (lambda v: "statuses_url" in v and "sha" in v and "environment" in v, _deployment),
    (lambda v: "pull_request_url" in v and "state" in v and "submitted_at" in v, _review),
    (lambda v: "merged_at" in v and "number" in v and "head" in v and "base" in v, _pull),
    (lambda v: "head_sha" in v and "conclusion" in v and "name" in v and "started_at" in v, _check),
    (lambda v: "context" in v and "state" in v and "created_at" in v, _commit_status),
)
_UNUSED = {
    "workflow runs (their check runs say the same)": {"head_sha", "workflow_id"},
    "check suites (their check runs say the same)": {"head_sha", "latest_check_runs_count"},
    "review comments": {"pull_request_review_id", "body"},
    "releases": {"tag_name", "assets"},
    "issues": {"number", "comments_url", "labels"},
    "commits": {"sha", "commit", "parents"},
}


def _login(value: dict[str, Any]) -> str:
    return str((value.get("user") or {}).get("login") or "")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _time(text: Any) -> datetime:
    if not isinstance(text, str):
        raise CellError("not-a-time", f"found {text!r} for a time", "export it again")
    return read_time(text, None)
