"""A git repository's past: changes, reviews that trailers state, reverts, releases, what was deployed when.

What git does not say is not made up. Reviews that are in no trailer are unrecorded, not absent; owners are
left unrecorded, too. A tag says that there is a release and nothing of where it went: that it was deployed is
an assumption, chosen by ``deployed`` and said in a remark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from amends.adapters.codehost.calling import ask_git, call_git
from amends.adapters.histories.gitline import Line, TaggedRelease, Unit, choose_tags
from amends.adapters.histories.gitreading import (
    Tag,
    Touched,
    is_partial,
    is_shallow,
    read_commits,
    read_tags,
    read_touched,
)  # fmt: skip
from amends.adapters.histories.gittrailers import (
    Names,
    approvers,
    author_of,
    mended_by,
    reverted_by,
    says_revert,
    testers,
)  # fmt: skip
from amends.application.history import Fault, GitPast, Remark, Told
from amends.errors import AmendsError, UsageError
from amends.events import payloads as p
from amends.incidents.reverts import judge_revert, reason_of

TESTER = "tester"
"""The role that signs a release off when a Tested-by trailer stands at each of its changes."""
_SHORT = 12


class _Release(NamedTuple):
    """A release and when it was deployed, if it was."""

    version: str
    commit: str
    at: datetime
    changes: tuple[str, ...]
    deployed_at: datetime | None


class GitHistory:
    """Reads a repository at or around a folder. Raises ``UsageError`` where there is none."""

    source = ""  # the same facts, under the same ids, as `amends record change --from-git` records

    def __init__(self, past: GitPast) -> None:
        self._past = past
        self._counts: Counter[str] = Counter()

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``."""
        past = self._past
        head = _tip(past)
        every = read_tags(past.repo)
        reached = every if past.all_tags else read_tags(past.repo, head)
        tags, early, other = choose_tags(reached, past.tags)
        commits = read_commits(past.repo, [head, *dict.fromkeys(tag.commit for tag in tags)])
        tags = [tag for tag in tags if tag.commit in commits]
        line = Line(commits, head, tags)
        shallow = is_shallow(past.repo)
        self._counts["beside"] = len(every) - len(reached)
        tagged = list(line.releases(tags, shallow=shallow))
        touched, remarks = self._touched(list(line.units))
        yield from remarks
        yield from self._remarks_on_tags(tags, early, other, shallow)
        names = Names(commits)
        releases = self._releases(line, tagged)
        for unit in line.units.values():
            yield from self._change(unit, touched.get(unit.sha, Touched()), line)
            yield from self._reverts(unit, line, names)
        yield from self._deployments(line, releases)
        if past.fixes_are_incidents:
            yield from self._fixes(line, names, releases)
        yield from self._counted()

    def _touched(self, shas: list[str]) -> tuple[dict[str, Touched], list[Remark]]:
        repo, said = (
            self._past.repo,
            "lines are unrecorded: this clone holds no content of files to count them",
        )
        if not is_partial(repo):
            try:
                return read_touched(repo, shas, lines=True), []
            except AmendsError:
                pass  # such a clone may also have been copied without the setting that says so
        return read_touched(repo, shas, lines=False), [Remark("note", said)]

    def _remarks_on_tags(self, tags: list[Tag], early: int, other: int, shallow: bool) -> Iterator[Remark]:
        past = self._past
        if shallow:
            yield Remark(
                "note",
                "this clone is shallow: what came before it is not known (git fetch --unshallow --tags)",
            )
        for count, what in ((early, "of pre-releases"), (other, "without a version in their name")):
            if count:
                yield Remark("left out", f"{count} tags {what} (--tags PATTERN takes those you name)")
        if self._counts["beside"]:
            yield Remark(
                "left out", f"{self._counts['beside']} tags beside the branch (--all-tags takes them, too)"
            )
        if past.deployed == "auto":
            self._past = past = replace(past, deployed="tags" if tags else "merges")
        if past.deployed == "tags":
            yield Remark(
                "assumed",
                f"each of {len(tags)} tagged releases was deployed to {past.environment} when it was tagged "
                "(--deployed merges or none says otherwise)",
            )
        elif past.deployed == "merges":
            yield Remark(
                "assumed",
                f"each change was released and deployed to {past.environment} when it reached the main line, "
                "as a version of its own (--deployed tags or none says otherwise)",
            )
        else:
            yield Remark(
                "note", "nothing is said to be deployed: a backtest needs deployments from elsewhere"
            )

    # --- changes ----------------------------------------------------------------------------------------

    def _change(self, unit: Unit, touched: Touched, line: Line) -> Iterator[Told | Fault]:
        past, commit = self._past, unit.commit
        reviewers = approvers(unit)
        known = bool(reviewers) or past.reviews_in_trailers
        author = author_of(unit)
        self._counts["authors"] += not author
        if "�" in commit.title or "�" in author:
            yield Fault(
                "encoding", commit.sha[:_SHORT], "the message or author holds bytes that are not UTF-8",
                "they are shown as �; i18n.commitEncoding names another encoding to git",
            )  # fmt: skip
        parents = [line.units[sha].commit for sha in commit.parents[:1] if sha in line.units]
        if parents and parents[0].at > commit.at:
            yield Fault(
                "time-runs-backwards", commit.sha[:_SHORT],
                f"committed at {commit.at:%Y-%m-%dT%H:%M:%SZ}, before its parent {parents[0].sha[:_SHORT]} "
                f"({parents[0].at:%Y-%m-%dT%H:%M:%SZ}); both are kept as git has them",
                "nothing to mend in git; a committer's clock was wrong",
            )  # fmt: skip
        payload = p.ChangeMerged(
            service=past.service, change=commit.sha, title=commit.title, author=author, team=past.team,
            paths=touched.paths, lines=touched.lines, files=touched.files,
            unrecorded=() if known else ("reviews",),
        )  # fmt: skip
        yield self._told("change.merged", payload, (past.service, commit.sha), commit.at, commit.sha)
        self._counts["unreviewed"] += not known
        for reviewer in reviewers:
            review = p.ChangeReviewed(service=past.service, change=commit.sha, reviewer=reviewer)
            key = (past.service, commit.sha, reviewer.lower())
            yield self._told("change.reviewed", review, key, commit.at, commit.sha)

    def _reverts(self, unit: Unit, line: Line, names: Names) -> Iterator[Told | Fault]:
        for commit in unit.messages():
            found = reverted_by(commit.body)
            if not found and says_revert(commit.title):
                yield Fault(
                    "revert-of-unknown", commit.sha[:_SHORT],
                        f"{commit.title[:80]!r} names no commit that "
                        f"it reverts",
                    "what it took back stays unmarked; `git revert` writes the commit into the message",
                )  # fmt: skip
            for name in found:
                yield from self._revert(unit, commit.title, commit.body, name, line, names)

    def _revert(
        self, unit: Unit, title: str, body: str, name: str, line: Line, names: Names
    ) -> Iterator[Told | Fault]:
        sha = names.find(name)
        reverted = line.carrier.get(sha, "")
        if not reverted:
            yield Fault(
                "revert-of-unknown", unit.sha[:_SHORT],
                    f"it reverts {name}, which is no commit of this "
                    f"history",
                "import the branch that holds it, with --branch",
            )  # fmt: skip
            return
        if reverted == unit.sha:
            self._counts["within"] += 1  # came and went within one merge: the main line never had it
            return
        if line.order[reverted] > line.order[unit.sha]:
            yield Fault(
                "time-runs-backwards", unit.sha[:_SHORT], f"it reverts {name}, which came after it; left out",
                "nothing to mend in git: the trailer names a later commit",
            )  # fmt: skip
            return
        reason = reason_of(body)
        judged = judge_revert(reason, title=title)
        payload = p.ChangeReverted(
            service=self._past.service, change=reverted, by=unit.sha, reason=reason,
            classified=judged.classified, rule=judged.rule,
        )  # fmt: skip
        key = (self._past.service, reverted, unit.sha)
        yield self._told("change.reverted", payload, key, unit.commit.at, unit.sha)

    # --- releases ---------------------------------------------------------------------------------------

    def _releases(self, line: Line, tagged: list[TaggedRelease]) -> list[_Release]:
        how = self._past.deployed
        found: dict[str, _Release] = {}
        for one in tagged:
            changes = one.changes if one.whole else ()
            at = one.tag.at if how == "tags" else None
            found.setdefault(one.version, _Release(one.version, one.tag.commit, one.tag.at, changes, at))
        if how == "merges":
            for sha, unit in line.units.items():
                version, at = sha[:_SHORT], unit.commit.at
                found.setdefault(version, _Release(version, sha, at, (sha,), at))
        return sorted(found.values(), key=lambda release: release.at)

    def _deployments(self, line: Line, releases: list[_Release]) -> Iterator[Told]:
        past, previous = self._past, ""
        for release in releases:
            declared = p.ReleaseDeclared(
                service=past.service, version=release.version, commit=release.commit, changes=release.changes,
                team=past.team,
            )  # fmt: skip
            key = (past.service, release.version)
            yield self._told("artifact.packaged", declared, key, release.at, release.commit)
            yield from self._sign_off(line, release)
            if release.deployed_at is None:
                continue
            deployed = p.ServiceDeployed(
                service=past.service, release=release.version, environment=past.environment, previous=previous
            )
            kind = "service.upgraded" if previous else "service.deployed"
            place = (past.service, release.version, past.environment)
            yield self._told(kind, deployed, place, release.deployed_at, release.commit)
            previous = release.version

    def _sign_off(self, line: Line, release: _Release) -> Iterator[Told]:
        found = [testers(line.units[change]) for change in release.changes]
        if not found or not all(found):
            return
        signed = p.SignedOff(
            service=self._past.service, release=release.version, role=TESTER, by=found[-1][0],
            note="a Tested-by trailer stands at each of its changes",
        )  # fmt: skip
        key = (self._past.service, release.version, TESTER)
        yield self._told("signoff.given", signed, key, release.at, release.commit)

    # --- defects ----------------------------------------------------------------------------------------

    def _fixes(self, line: Line, names: Names, releases: list[_Release]) -> Iterator[Told | Fault | Remark]:
        """A Fixes trailer says that an earlier commit had a defect; if that was deployed, it escaped."""
        # A change may be in a tagged release and in one of its own; what was deployed counts.
        home = {change: r for r in reversed(releases) if r.deployed_at for change in r.changes}
        told: set[tuple[str, str]] = set()  # a fix that was carried to another branch mends the same defect
        for unit in line.units.values():
            for commit in unit.messages():
                mended = dict.fromkeys(
                    line.carrier.get(names.find(name), "") for name in mended_by(commit.body)
                )
                for change in mended:
                    if not change:
                        self._counts["unknown fixes"] += 1
                        continue
                    escaped, mending = home.get(change), home.get(unit.sha)
                    if escaped is None or escaped == mending or not escaped.deployed_at:
                        self._counts["fixed before"] += 1
                        continue
                    defect = (change, commit.title)
                    if escaped.deployed_at <= unit.commit.at and defect not in told:
                        told.add(defect)
                        yield from self._incident(unit, change, escaped, mending)
        if told:
            yield Remark(
                "assumed",
                f"{len(told)} defects that a Fixes trailer names, mended after their release was deployed, "
                f"are incidents "
                "of that release (--fixes none leaves them out)",
            )

    def _incident(
        self, unit: Unit, change: str, escaped: _Release, mending: _Release | None
    ) -> Iterator[Told]:
        past = self._past
        incident = f"fix-{unit.sha[:_SHORT]}-{change[:8]}"
        opened = p.IncidentOpened(
            incident=incident, service=past.service, environment=past.environment, release=escaped.version,
            summary=f"Defect, mended by {unit.sha[:_SHORT]}: {unit.commit.title}", opened_by="person",
            team=past.team, deployed_at=escaped.deployed_at,
        )  # fmt: skip
        key = (past.service, incident)
        yield self._told("incident.detected", opened, key, unit.commit.at, unit.sha)
        if mending and mending.deployed_at and mending.deployed_at >= unit.commit.at:
            resolved = p.IncidentMoved(
                incident=incident, service=past.service, environment=past.environment,
                reason=f"{mending.version} was deployed, with the fix",
            )  # fmt: skip
            yield self._told("incident.resolved", resolved, key, mending.deployed_at, unit.sha)

    # --- said at the end --------------------------------------------------------------------------------

    def _counted(self) -> Iterator[Remark]:
        counts = self._counts
        if counts["unreviewed"]:
            yield Remark(
                "note",
                f"whether {counts['unreviewed']} changes were reviewed is unrecorded: no trailer says so "
                "(--reviews-in-trailers, if every review is in one)",
            )
        if counts["authors"]:
            yield Remark(
                "note", f"{counts['authors']} merges bring work of several authors; theirs is unrecorded"
            )
        if counts["within"]:
            yield Remark("left out", f"{counts['within']} reverts of what the same merge brought")
        if counts["unknown fixes"]:
            yield Remark(
                "left out", f"{counts['unknown fixes']} Fixes trailers that name no commit of this history"
            )
        if counts["fixed before"]:
            yield Remark(
                "left out", f"{counts['fixed before']} defects that were mended before they were deployed"
            )

    def _told(self, kind: str, payload: p.Payload, key: tuple[str, ...], at: datetime, sha: str) -> Told:
        return Told(kind, payload, key, at, at, sha[:_SHORT])


def _tip(past: GitPast) -> str:
    """Return the commit at which the history ends."""
    if not ask_git(past.repo, "rev-list", "--all", "--max-count=1").strip():
        raise AmendsError(
            f"{past.repo} has no commit yet, so there is no history to import",
            remedy="import it again when it has commits",
        )
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{past.branch}^{{commit}}")
    found = call_git(past.repo, *words).stdout.decode().strip()
    if not found:
        raise UsageError(
            f"{past.repo} has no branch, tag or commit {past.branch!r}", remedy="name one with --branch REV"
        )
    return found
