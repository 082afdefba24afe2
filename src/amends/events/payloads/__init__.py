"""What each event says, as typed payloads.

A name of a release in a payload (``release``) may be its version, its commit or its digest; ``releases``
resolves it. People are pseudonyms here, never names or logins. Every payload is tolerant of unknown fields,
so that an older amends reads a newer log.
"""

from __future__ import annotations

from amends.events.payloads.actions import ActionAdded as ActionAdded
from amends.events.payloads.actions import ActionChanged as ActionChanged
from amends.events.payloads.actions import ActionMoved as ActionMoved
from amends.events.payloads.actions import Reminded as Reminded
from amends.events.payloads.amendments import AmendmentJudged as AmendmentJudged
from amends.events.payloads.amendments import AmendmentMoved as AmendmentMoved
from amends.events.payloads.amendments import AmendmentProposed as AmendmentProposed
from amends.events.payloads.amendments import GuardHeld as GuardHeld
from amends.events.payloads.amendments import GuardsChecked as GuardsChecked
from amends.events.payloads.amendments import Price as Price
from amends.events.payloads.amendments import PricedRelease as PricedRelease
from amends.events.payloads.amendments import ProofRun as ProofRun
from amends.events.payloads.amendments import Reduction as Reduction
from amends.events.payloads.base import Payload as Payload
from amends.events.payloads.casework import DurationStated as DurationStated
from amends.events.payloads.casework import DutyMoved as DutyMoved
from amends.events.payloads.casework import FactorNamed as FactorNamed
from amends.events.payloads.casework import IncidentAssessed as IncidentAssessed
from amends.events.payloads.casework import IncidentBackdated as IncidentBackdated
from amends.events.payloads.casework import IncidentSplit as IncidentSplit
from amends.events.payloads.casework import NeighbourConcerned as NeighbourConcerned
from amends.events.payloads.casework import RowAnswered as RowAnswered
from amends.events.payloads.changes import ChangeMerged as ChangeMerged
from amends.events.payloads.changes import ChangeReverted as ChangeReverted
from amends.events.payloads.changes import ChangeReviewed as ChangeReviewed
from amends.events.payloads.changes import ReleaseDeclared as ReleaseDeclared
from amends.events.payloads.deployments import ActuationDone as ActuationDone
from amends.events.payloads.deployments import ActuationIntended as ActuationIntended
from amends.events.payloads.deployments import DeploymentFinished as DeploymentFinished
from amends.events.payloads.deployments import DeploymentRequested as DeploymentRequested
from amends.events.payloads.deployments import DeploymentSteered as DeploymentSteered
from amends.events.payloads.deployments import StepConcluded as StepConcluded
from amends.events.payloads.deployments import StepStarted as StepStarted
from amends.events.payloads.deployments import WatchAssessed as WatchAssessed
from amends.events.payloads.deployments import WatchBegun as WatchBegun
from amends.events.payloads.evidence import EdgeCaseDocumented as EdgeCaseDocumented
from amends.events.payloads.evidence import EdgeCaseRetired as EdgeCaseRetired
from amends.events.payloads.evidence import ExerciseRecorded as ExerciseRecorded
from amends.events.payloads.evidence import GateRow as GateRow
from amends.events.payloads.evidence import GatesDecided as GatesDecided
from amends.events.payloads.evidence import OverrideGranted as OverrideGranted
from amends.events.payloads.evidence import PolicyAdopted as PolicyAdopted
from amends.events.payloads.evidence import ReplayFinished as ReplayFinished
from amends.events.payloads.evidence import ShiftAcknowledged as ShiftAcknowledged
from amends.events.payloads.evidence import SignedOff as SignedOff
from amends.events.payloads.evidence import SuiteFinished as SuiteFinished
from amends.events.payloads.evidence import TestCase as TestCase
from amends.events.payloads.evidence import TrafficObserved as TrafficObserved
from amends.events.payloads.incidents import Excerpt as Excerpt
from amends.events.payloads.incidents import FailureCaptured as FailureCaptured
from amends.events.payloads.incidents import IncidentMoved as IncidentMoved
from amends.events.payloads.incidents import IncidentOpened as IncidentOpened
from amends.events.payloads.incidents import MilestoneSet as MilestoneSet
from amends.events.payloads.incidents import NoteTaken as NoteTaken
from amends.events.payloads.incidents import PostmortemImported as PostmortemImported
from amends.events.payloads.incidents import ReviewPublished as ReviewPublished
from amends.events.payloads.incidents import ReviewRevised as ReviewRevised
from amends.events.payloads.incidents import Signature as Signature
from amends.events.payloads.incidents import ThanksGiven as ThanksGiven
from amends.events.payloads.incidents import ThanksWithdrawn as ThanksWithdrawn
from amends.events.payloads.notices import NoticeAttempted as NoticeAttempted
from amends.events.payloads.notices import NoticeDeferred as NoticeDeferred
from amends.events.payloads.notices import NoticeFailed as NoticeFailed
from amends.events.payloads.notices import NoticeIntended as NoticeIntended
from amends.events.payloads.notices import NoticeRetried as NoticeRetried
from amends.events.payloads.notices import NoticeSent as NoticeSent
from amends.events.payloads.notices import StatementApproved as StatementApproved
from amends.events.payloads.notices import StatementRevised as StatementRevised
from amends.events.payloads.places import QuarantineLifted as QuarantineLifted
from amends.events.payloads.places import QuarantineSet as QuarantineSet
from amends.events.payloads.places import ServiceDeployed as ServiceDeployed
from amends.events.payloads.places import ServiceRolledBack as ServiceRolledBack
from amends.events.payloads.reviews import CommentMoved as CommentMoved
from amends.events.payloads.reviews import ReviewCommented as ReviewCommented
from amends.events.payloads.reviews import ReviewMoved as ReviewMoved
from amends.events.payloads.reviews import ReviewRead as ReviewRead
from amends.events.payloads.reviews import SectionAccepted as SectionAccepted
from amends.events.payloads.searching import SearchEnded as SearchEnded
from amends.events.payloads.searching import TrialAsked as TrialAsked
from amends.events.payloads.searching import TrialDone as TrialDone
