"""Reads the pages that instances pushed, where nobody can scrape them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from amends.adapters.metrics.pages import Page, PageReader
from amends.application.pushing import PushedPage, PushedPages
from amends.watch.measurements import Arm, Arms, MetricSnapshot
from amends.watch.plan import MetricSpec
from amends.watch.wording import seconds


class PushSource:
    """A metric source of pushed pages: an arm's instances are those that push for its release.

    Parameters
    ----------
    max_age:
        A page older than so many seconds is silence: its instance may have died since.
    """

    def __init__(self, pages: PushedPages, max_age: float = 60.0) -> None:
        self._pages = pages
        self._max_age = timedelta(seconds=max_age)

    def read(self, specs: Sequence[MetricSpec], arms: Arms, at: datetime) -> MetricSnapshot:
        """Read every metric from the pages that are fresh; the rest is told in ``problems``.

        A reading's moment is when its page came in.

        Raises
        ------
        PolicyError
            If a selector cannot be read.
        """
        reader = PageReader(specs, arms)
        versions = {arms.version(arm): arm for arm in reversed(Arm) if arms.version(arm)}
        found = self._pages.latest(arms.service, arms.environment, list(versions))
        pages = [self._page(versions[one.release], one, at) for one in found]
        for version, arm in versions.items():
            if all(one.release != version for one in found):
                pages.append(Page(arm, f"the {arm} ({version})", trouble="has pushed nothing lately"))
        return reader.read(pages, at)

    def close(self) -> None:
        """Nothing is held."""

    def _page(self, arm: Arm, pushed: PushedPage, at: datetime) -> Page:
        age = at - pushed.at
        if age > self._max_age:
            silence = f"pushed last {seconds(age.total_seconds())} ago"
            return Page(arm, pushed.instance, trouble=silence)
        return Page(arm, pushed.instance, pushed.text, pushed.content_type, at=pushed.at)
