"""What an amendment is proposed with."""

from __future__ import annotations

from amends.application.amending import Proposal, propose
from amends.events import payloads as p
from tests.escapes import SIGNATURE, escape


def test_a_failure_with_its_exception_is_expected_rather_than_a_status() -> None:
    with escape() as told:
        incident = told.live_through()
        answered = p.Signature(status=500, path="/share")
        told.tell(
            "failure.captured",
            p.FailureCaptured(service="shop", release="1.1", environment="production", signature=answered),
        )
        proposal = Proposal(kind="test", selector="pytest tests", good="1.2")
        assert propose(told.log, incident, proposal).proposed.signature == answered
        told.capture(incident)
        assert propose(told.log, incident, proposal).proposed.signature == SIGNATURE
