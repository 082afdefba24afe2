"""A GitHub repository's past, from files that hold what its REST API answered.

Pulls are changes under the commit that they became; a deployment whose status became ``success`` took over
its
environment then. Which pulls a deployed commit holds is known where it is the commit of a pull: those of the
same base since the deployment before. Otherwise its changes are unknown, and the gates that ask for them
undecided.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from amends.adapters.histories.cells import CellError
from amends.adapters.histories.githubitems import Check, Deployment, Item, Pull, Review, Status, read_item
from amends.adapters.histories.jsonitems import read_items
from amends.application.history import Fault, GithubPast, Remark, Told
from amends.events import payloads as p
from amends.incidents.reverts import judge_revert, reason_of

_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_REVERTS = re.compile(r"^Reverts\s+(?:[\w.-]+/[\w.-]+)?#(\d+)", re.IGNORECASE | re.MULTILINE)
_VERDICTS = {"APPROVED": "approved", "CHANGES_REQUESTED": "changes_requested"}
_SHORT = 12


class GithubHistory:
    """Reads files, or the JSON files of folders, whatever they are called."""

    source = "/amends/import/github"

    def __init__(self, past: GithubPast) -> None:
        self._past = past
        self._left_out: Counter[str] = Counter()
        self._pulls: dict[int, Pull] = {}
        self._reviews: defaultdict[int, dict[tuple[str, str], Review]] = defaultdict(dict)
        self._checks: defaultdict[str, list[Check]] = defaultdict(list)
        self._deployments: dict[int, Deployment] = {}
        self._statuses: defaultdict[int, list[Status]] = defaultdict(list)

    def read(self) -> Iterator[Told | Fault | Remark]:
        """See ``HistoryReader.read``. All is read before anything is told: items refer to one another."""
        for file in _files(self._past.paths):
            yield from self._file(file)
        pulls = sorted(self._pulls.values(), key=lambda pull: (pull.merged, pull.number))
        for pull in pulls:
            yield from self._change(pull)
            yield from self._revert(pull)
        yield from self._releases(pulls)
        yield from self._remarks()

    # --- files ------------------------------------------------------------------------------------------

    def _file(self, file: Path) -> Iterator[Fault]:
        try:
            text = file.read_bytes().decode("utf-8-sig", "replace")
        except OSError as error:
            yield Fault("unreadable", str(file), f"the file cannot be read: {error.strerror}")
            return
        if "�" in text:
            yield Fault(
                "encoding",
                str(file),
                "found bytes that are not UTF-8; they are shown as �",
                "export it again",
            )
        for found in read_items(text, str(file)):
            if isinstance(found, Fault):
                yield found
                continue
            where, value = found
            try:
                item = read_item(where, value)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                name = error.fault if isinstance(error, CellError) else "broken-item"
                yield Fault(name, where, f"this item cannot be read: {error!s}"[:200], "export it again")
                continue
            if isinstance(item, str):
                yield from self._pass_over(item, where, value)
            else:
                yield from self._keep(item)

    def _pass_over(self, word: str, where: str, value: dict[str, object]) -> Iterator[Fault]:
        if word:
            self._left_out[word] += 1
            return
        fields = ", ".join(list(value)[:6])
        yield Fault(
            "unknown-item", where, f"found an object with {fields}; it is no answer of the API that is "
                                   f"known here",
            "known are pulls, reviews, check runs, statuses, deployments and deployment statuses",
        )  # fmt: skip

    def _keep(self, item: Item) -> Iterator[Fault]:
        """Keep an item once; the first of two accounts of the same stays."""
        if isinstance(item, Pull):
            first = self._pulls.setdefault(item.number, item)
            if (first.sha, first.merged) != (item.sha, item.merged):
                yield _twice(item.where, f"pull {item.number}", first.where)
        elif isinstance(item, Deployment):
            one = self._deployments.setdefault(item.id, item)
            if (one.sha, one.environment) != (item.sha, item.environment):
                yield _twice(item.where, f"deployment {item.id}", one.where)
        elif isinstance(item, Review):
            self._reviews[item.pull].setdefault((item.reviewer, item.at.isoformat()), item)
        elif isinstance(item, Check):
            self._checks[item.sha].append(item)
        else:
            self._statuses[item.deployment].append(item)

    # --- changes ----------------------------------------------------------------------------------------

    def _change(self, pull: Pull) -> Iterator[Told]:
        past, change = self._past, _change_of(pull)
        reviews = self._reviews.get(pull.number, {})
        known = bool(reviews) or past.reviews_complete
        payload = p.ChangeMerged(
            service=past.service, change=change, title=pull.title, author=pull.author, team=past.team,
            lines=pull.lines, files=pull.files, created=pull.created, unrecorded=() if known else
            ("reviews",),
        )  # fmt: skip
        yield Told("change.merged", payload, (past.service, change), pull.merged, pull.merged, pull.where)
        for review in sorted(reviews.values(), key=lambda one: one.at):
            if not review.reviewer:
                continue  # an account that is gone: GitHub does not say whose it was
            said = p.ChangeReviewed(
                service=past.service, change=change, reviewer=review.reviewer,
                verdict=_VERDICTS.get(review.state, "commented"),  # type: ignore[arg-type]
            )  # fmt: skip
            key = (past.service, change, review.reviewer, review.at.isoformat())
            yield Told("change.reviewed", said, key, review.at, review.at, review.where)

    def _revert(self, pull: Pull) -> Iterator[Told | Fault]:
        for number in dict.fromkeys(int(hit) for hit in _REVERTS.findall(pull.body)):
            reverted = self._pulls.get(number)
            if reverted is None:
                yield Fault(
                    "revert-of-unknown", pull.where,
                        f"pull {pull.number} reverts #{number}, which is not "
                        f"here as merged",
                    "export that pull, too",
                )  # fmt: skip
            elif (reverted.merged, number) >= (pull.merged, pull.number):
                yield Fault(
                    "time-runs-backwards", pull.where,
                        f"pull {pull.number} reverts #{number}, which was "
                        f"merged after it; "
                    "left out", "nothing to mend in GitHub",
                )  # fmt: skip
            else:
                reason = reason_of(_REVERTS.sub("", pull.body))
                judged = judge_revert(reason, title=pull.title)
                payload = p.ChangeReverted(
                    service=self._past.service, change=_change_of(reverted), by=_change_of(pull),
                    reason=reason, classified=judged.classified, rule=judged.rule,
                )  # fmt: skip
                key = (self._past.service, payload.change, payload.by)
                yield Told("change.reverted", payload, key, pull.merged, pull.merged, pull.where)

    # --- releases ---------------------------------------------------------------------------------------

    def _releases(self, pulls: Sequence[Pull]) -> Iterator[Told | Fault]:
        took_over = sorted(self._took_over(), key=lambda pair: (pair[1].at, pair[0].id))
        changes = _changes_of(took_over, pulls)
        declared: set[str] = set()
        running: dict[str, str] = {}
        service = self._past.service
        for deployment, status in took_over:
            sha, environment = deployment.sha, deployment.environment
            if sha not in declared:
                declared.add(sha)
                yield from self._release(sha, changes.get(sha, ()), deployment, status)
            previous = running.get(environment, "")
            running[environment] = sha
            payload = p.ServiceDeployed(
                service=service, release=sha, environment=environment, previous=previous
            )
            key = (service, sha, environment, str(deployment.id))
            kind = "service.upgraded" if previous else "service.deployed"
            yield Told(kind, payload, key, status.at, status.at, status.where)

    def _took_over(self) -> Iterator[tuple[Deployment, Status]]:
        for number, statuses in self._statuses.items():
            deployment = self._deployments.get(number)
            if deployment is None:
                self._left_out["statuses of deployments that are not here"] += len(statuses)
                continue
            won = min(
                (one for one in statuses if one.state == "success"), key=lambda one: one.at, default=None
            )
            if won is None:
                self._left_out["deployments that did not succeed"] += 1
            else:
                yield deployment, won
        unsaid = sum(number not in self._statuses for number in self._deployments)
        if unsaid:
            self._left_out["deployments without a status: nobody says that they succeeded"] += unsaid

    def _release(
        self, sha: str, pulls: Sequence[Pull], deployment: Deployment, status: Status
    ) -> Iterator[Told]:
        service, changes = self._past.service, tuple(_change_of(pull) for pull in pulls)
        at = max([pull.merged for pull in pulls if pull.merged <= status.at], default=status.at)
        payload = p.ReleaseDeclared(
            service=service, version=sha, commit=sha, changes=changes, team=self._past.team
        )
        yield Told("artifact.packaged", payload, (service, sha), at, at, deployment.where)
        for check in self._checks_of(sha, pulls):
            suite = p.SuiteFinished(
                service=service, release=sha, suite=check.name,
                outcome="cancel" if check.passed is None else "success" if check.passed else "failure",
            )  # fmt: skip
            key = (service, sha, check.name, check.at.isoformat())
            yield Told("testsuiterun.finished", suite, key, check.at, check.at, check.where)

    def _checks_of(self, sha: str, pulls: Sequence[Pull]) -> Iterator[Check]:
        """Yield the checks of a release: those of its very commit, else those that each of its pulls had.

        Of a pull the last run of a name counts. A name that one of the pulls lacks says nothing of the
        release.
        """
        own = self._checks.get(sha, [])
        yield from own
        runs = [_latest(self._checks.get(pull.head, [])) for pull in pulls]
        for name in sorted(set.intersection(*(set(run) for run in runs)) if runs else set()):
            if any(check.name == name for check in own):
                continue
            found = [run[name] for run in runs]
            worst = min(found, key=lambda check: {False: 0, None: 1, True: 2}[check.passed])
            yield Check(worst.where, sha, name, worst.passed, max(check.at for check in found))

    def _remarks(self) -> Iterator[Remark]:
        for word, count in self._left_out.items():
            yield Remark("left out", f"{count} {word}")
        silent = sum(number not in self._reviews for number in self._pulls)
        if silent and not self._past.reviews_complete:
            yield Remark(
                "note",
                f"whether {silent} pulls were reviewed is unrecorded: the export holds no review of them "
                "(--reviews-complete, if it holds every review)",
            )
        if not self._deployments:
            yield Remark(
                "note", "no deployment is in the export: a backtest needs deployments from elsewhere"
            )


def _changes_of(
    took_over: Iterable[tuple[Deployment, Status]], pulls: Sequence[Pull]
) -> dict[str, tuple[Pull, ...]]:
    """Return the pulls of each deployed commit: of its base, since what its environment had before.

    Where environments disagree the longest list counts, as it holds the others. The first commit of an
    environment has none that are known, for nobody knows what ran there before.
    """
    by_base: defaultdict[str, list[Pull]] = defaultdict(list)
    place: dict[str, tuple[str, int]] = {}
    for pull in pulls:
        place[pull.sha] = (pull.base, len(by_base[pull.base]))
        by_base[pull.base].append(pull)
    found: dict[str, tuple[Pull, ...]] = {}
    before: dict[str, tuple[str, int]] = {}
    for deployment, _ in took_over:
        here = place.get(deployment.sha)
        if here is None:
            continue
        last = before.get(deployment.environment)
        before[deployment.environment] = here
        if last is not None and last[0] == here[0] and last[1] < here[1]:
            held = tuple(by_base[here[0]][last[1] + 1 : here[1] + 1])
            found[deployment.sha] = max(found.get(deployment.sha, ()), held, key=len)
    return found


def _latest(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in sorted(checks, key=lambda one: one.at)}


def _change_of(pull: Pull) -> str:
    return pull.sha or f"#{pull.number}"


def _twice(where: str, what: str, first: str) -> Fault:
    return Fault(
        "told-twice",
        where,
        f"{what} stands in {first} already, otherwise; that account stays",
        "export it again",
    )


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in _SUFFIXES)
        else:
            yield path
