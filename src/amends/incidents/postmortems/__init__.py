"""Post-mortems that people wrote elsewhere, read into facts: each with its line, nothing invented."""

from __future__ import annotations

from amends.incidents.postmortems.facts import Postmortem as Postmortem
from amends.incidents.postmortems.reading import read_postmortem as read_postmortem
