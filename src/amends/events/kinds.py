"""The kinds of event that amends speaks: their CDEvents type, their payload and their stream.

Standard kinds use CDEvents 0.5.1 types and carry their payload in ``customData``; custom kinds follow
CDEvents' rules for custom events (``dev.cdeventsx.amends-<subject>.<predicate>.<version>``) and carry it in
``subject.content``. Source: https://github.com/cdevents/spec, v0.5.1, spec.md and custom/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from amends.events import payloads as p
from amends.events.prepared import prepare

SPEC_VERSION = "0.5.1"


@dataclass(frozen=True, slots=True)
class Kind:
    """``name`` is our short word (``change.merged``); ``stream`` a template over the payload's fields."""

    name: str
    cdtype: str
    payload: type[p.Payload]
    stream: str

    @property
    def custom(self) -> bool:
        return self.cdtype.startswith("dev.cdeventsx.")


def _cd(name: str, version: str, payload: type[p.Payload], stream: str) -> Kind:
    return Kind(name, f"dev.cdevents.{name}.{version}", payload, stream)


def _own(name: str, payload: type[p.Payload], stream: str, version: str = "0.1.0") -> Kind:
    return Kind(name, f"dev.cdeventsx.amends-{name}.{version}", payload, stream)


_CHANGE = "change/{service}/{change}"
_RELEASE = "release/{service}"
_EVIDENCE = "evidence/{service}/{release}"
_LANE = "lane/{service}/{environment}"
_INCIDENT = "incident/{incident}"
_EDGE_CASE = "edgecase/{service}/{edge_case}"
_AMENDMENT = "amendment/{amendment}"
_SEARCH = "search/{search}"
_NOTICE = "notice/{topic}/{audience}"
_STATEMENT = "statement/{incident}"
_REVIEW = "review/{incident}"
_ACTION = "action/{action}"

KINDS: tuple[Kind, ...] = (
    _cd("change.merged", "0.3.0", p.ChangeMerged, _CHANGE),
    _cd("change.reviewed", "0.3.0", p.ChangeReviewed, _CHANGE),
    _own("change.reverted", p.ChangeReverted, _CHANGE),
    _cd("artifact.packaged", "0.3.0", p.ReleaseDeclared, _RELEASE),
    _cd("testsuiterun.finished", "0.3.0", p.SuiteFinished, _EVIDENCE),
    _own("replay.finished", p.ReplayFinished, _EVIDENCE),
    _own("edgecase.documented", p.EdgeCaseDocumented, _EDGE_CASE),
    _own("edgecase.retired", p.EdgeCaseRetired, _EDGE_CASE),
    _own("exercise.recorded", p.ExerciseRecorded, _EVIDENCE),
    _own("signoff.given", p.SignedOff, _EVIDENCE),
    _own("shift.acknowledged", p.ShiftAcknowledged, "team/{team}"),
    _own("traffic.observed", p.TrafficObserved, "traffic/{service}/{environment}"),
    _own("override.granted", p.OverrideGranted, _EVIDENCE),
    _own("gates.decided", p.GatesDecided, _EVIDENCE),
    _own("policy.adopted", p.PolicyAdopted, "policy/{service}"),
    _cd("service.deployed", "0.3.0", p.ServiceDeployed, _LANE),
    _cd("service.upgraded", "0.3.0", p.ServiceDeployed, _LANE),
    _cd("service.rolledback", "0.3.0", p.ServiceRolledBack, _LANE),
    _own("quarantine.set", p.QuarantineSet, _EVIDENCE),
    _own("quarantine.lifted", p.QuarantineLifted, _EVIDENCE),
    _own("deployment.requested", p.DeploymentRequested, _LANE),
    _own("deployment.approved", p.DeploymentSteered, _LANE),
    _own("deployment.paused", p.DeploymentSteered, _LANE),
    _own("deployment.resumed", p.DeploymentSteered, _LANE),
    _own("deployment.aborted", p.DeploymentSteered, _LANE),
    _own("deployment.finished", p.DeploymentFinished, _LANE),
    _own("step.started", p.StepStarted, _LANE),
    _own("step.concluded", p.StepConcluded, _LANE),
    _own("actuation.intended", p.ActuationIntended, _LANE),
    _own("actuation.done", p.ActuationDone, _LANE),
    _own("watch.begun", p.WatchBegun, "watch/{deployment}"),
    _own("watch.assessed", p.WatchAssessed, "watch/{deployment}"),
    _own("failure.captured", p.FailureCaptured, _EVIDENCE),
    _cd("incident.detected", "0.3.0", p.IncidentOpened, _INCIDENT),
    _cd("incident.resolved", "0.3.0", p.IncidentMoved, _INCIDENT),
    _own("incident.acknowledged", p.IncidentMoved, _INCIDENT),
    _own("incident.reopened", p.IncidentMoved, _INCIDENT),
    _own("incident.merged", p.IncidentMoved, _INCIDENT),
    _own("incident.split", p.IncidentSplit, _INCIDENT),
    _own("incident.backdated", p.IncidentBackdated, _INCIDENT),
    _own("incident.assessed", p.IncidentAssessed, _INCIDENT),
    _own("duty.taken", p.DutyMoved, _INCIDENT),
    _own("duty.left", p.DutyMoved, _INCIDENT),
    _own("neighbour.concerned", p.NeighbourConcerned, _INCIDENT),
    _own("neighbour.cleared", p.NeighbourConcerned, _INCIDENT),
    _own("row.answered", p.RowAnswered, _INCIDENT),
    _own("factor.named", p.FactorNamed, _INCIDENT),
    _own("factor.withdrawn", p.FactorNamed, _INCIDENT),
    _own("duration.stated", p.DurationStated, _INCIDENT),
    _own("milestone.set", p.MilestoneSet, _INCIDENT),
    _own("note.taken", p.NoteTaken, _INCIDENT),
    _own("postmortem.imported", p.PostmortemImported, _INCIDENT),
    _own("review.revised", p.ReviewRevised, _INCIDENT),
    _own("review.published", p.ReviewPublished, _INCIDENT),
    _own("review.commented", p.ReviewCommented, _REVIEW),
    _own("comment.settled", p.CommentMoved, _REVIEW),
    _own("comment.reopened", p.CommentMoved, _REVIEW),
    _own("review.read", p.ReviewRead, _REVIEW),
    _own("review.submitted", p.ReviewMoved, _REVIEW),
    _own("review.approved", p.ReviewMoved, _REVIEW),
    _own("review.returned", p.ReviewMoved, _REVIEW),
    _own("section.accepted", p.SectionAccepted, _REVIEW),
    _own("action.added", p.ActionAdded, _ACTION),
    _own("action.changed", p.ActionChanged, _ACTION),
    _own("action.begun", p.ActionMoved, _ACTION),
    _own("action.done", p.ActionMoved, _ACTION),
    _own("action.dropped", p.ActionMoved, _ACTION),
    _own("action.accepted", p.ActionMoved, _ACTION),
    _own("action.reopened", p.ActionMoved, _ACTION),
    _own("reminder.given", p.Reminded, "reminders/{about}"),
    _own("thanks.given", p.ThanksGiven, _INCIDENT),
    _own("thanks.withdrawn", p.ThanksWithdrawn, _INCIDENT),
    _own("amendment.proposed", p.AmendmentProposed, _AMENDMENT),
    _own("proof.run", p.ProofRun, _AMENDMENT),
    _own("amendment.proven", p.AmendmentJudged, _AMENDMENT),
    _own("amendment.disproven", p.AmendmentJudged, _AMENDMENT),
    _own("amendment.unreplayable", p.AmendmentJudged, _AMENDMENT),
    _own("amendment.activated", p.AmendmentMoved, _AMENDMENT),
    _own("amendment.lapsed", p.AmendmentMoved, _AMENDMENT),
    _own("amendment.accepted", p.AmendmentMoved, _AMENDMENT),
    _own("guards.checked", p.GuardsChecked, "guards/{service}"),
    _own("trial.asked", p.TrialAsked, _SEARCH),
    _own("trial.done", p.TrialDone, _SEARCH),
    _own("search.ended", p.SearchEnded, _SEARCH),
    _own("notice.intended", p.NoticeIntended, _NOTICE),
    _own("notice.deferred", p.NoticeDeferred, _NOTICE),
    _own("notice.attempted", p.NoticeAttempted, _NOTICE),
    _own("notice.sent", p.NoticeSent, _NOTICE),
    _own("notice.failed", p.NoticeFailed, _NOTICE),
    _own("notice.retried", p.NoticeRetried, _NOTICE),
    _own("statement.revised", p.StatementRevised, _STATEMENT),
    _own("statement.approved", p.StatementApproved, _STATEMENT),
)

prepare(*{kind.payload for kind in KINDS})

BY_NAME = {kind.name: kind for kind in KINDS}


@lru_cache(maxsize=1024)
def unversioned(cdevents_type: str) -> str:
    """Return a CDEvents type without its version: ``dev.cdevents.service.deployed``."""
    return ".".join(cdevents_type.split(".")[:4])


BY_TYPE = {unversioned(kind.cdtype): kind for kind in KINDS}
