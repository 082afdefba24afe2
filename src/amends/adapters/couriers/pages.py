"""The server's own pages: they show the log, so that what is intended is there already."""

from __future__ import annotations

from amends.application.notices.courier import Handed, Letter


class Pages:
    """The courier of the channel ``web``."""

    def deliver(self, letter: Letter) -> Handed:
        """See ``Courier.deliver``."""
        return Handed(reference=f"/notices?audience={letter.audience}")
