"""A deployment that went around its gates opens an incident by itself, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from amends.application.approving import incident_rules
from amends.application.bypassing import open_of_bypass, unopened
from amends.application.log import Log
from amends.application.reviewing import draft_review
from amends.workflows.toolbox import Progress

SETTLES = timedelta(minutes=5)
"""So long after it was recorded a deployment may still turn out to have passed: a pipeline may well say that
its release is out before it says what the gates answered.
"""


def open_bypasses(log: Log, service: str) -> Progress:
    """Open the incident of each bypass of a service's last environment that has none.

    What was recorded within ``SETTLES`` is looked at again when that is over; what is older than a week, or
    was imported, is nobody's news.
    """
    rules, environment = incident_rules(log, service)
    if rules.bypass != "open" or not environment:
        return Progress(None, False, "")
    now = log.clock.now()
    due: list[datetime] = []
    opened = []
    for fact, bypass in unopened(log, service, environment, now):
        settled = fact.recorded.recorded_at + SETTLES
        if settled > now:
            due.append(settled)
        else:
            incident = open_of_bypass(log, fact, bypass, severity=rules.bypass_severity)
            draft_review(log, incident)
            opened.append(incident)
    did = f"opened {', '.join(opened)}: it went around its gates" if opened else ""
    return Progress(min(due, default=None), False, did)
