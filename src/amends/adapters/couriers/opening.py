"""Choosing the courier of a channel from what ``notices.yaml`` declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from amends.adapters.couriers.pages import Pages
from amends.adapters.couriers.statuspage import Published
from amends.application.notices.courier import Courier, DeliveryError
from amends.reviews.audiences.settings import WEB, Channel, NoticePolicy


def courier_of(
    name: str, policy: NoticePolicy, environ: Mapping[str, str], folder: Path, published: Published
) -> Courier:
    """Return the courier of a channel. ``folder`` is that of ``notices.yaml``; paths are relative to it.

    Raises ``DeliveryError`` for a channel that is not declared any more: what was meant for it waits.
    """
    if name == WEB:
        return Pages()
    said = policy.channels.get(name)
    if said is None:
        raise DeliveryError(
            f"the channel {name!r} is not declared in this process's notices.yaml",
            remedy=f"declare {name} again, or name the file with AMENDS_NOTICES",
        )
    return _of(said, policy, environ, folder, published)


def _of(
    said: Channel, policy: NoticePolicy, environ: Mapping[str, str], folder: Path, published: Published
) -> Courier:
    if said.email:
        from amends.adapters.couriers.smtp import SmtpCourier

        return SmtpCourier(_beside(said, folder).email or said.email, environ)
    if said.webhook:
        from amends.adapters.couriers.webhook import WebhookCourier

        return WebhookCourier(_beside(said, folder).webhook or said.webhook, environ)
    if said.apprise:
        from amends.adapters.couriers.chat import AppriseCourier

        return AppriseCourier(said.apprise, environ)
    from amends.adapters.couriers.statuspage import StatusPageCourier

    assert said.status_page is not None
    return StatusPageCourier(
        said.status_page, folder / said.status_page.folder, policy.organisation, published
    )


def _beside(said: Channel, folder: Path) -> Channel:
    """Return a channel whose certificate authority is found from the file's folder."""
    part = said.email or said.webhook
    if part is None or not part.ca_file:
        return said
    moved = part.model_copy(update={"ca_file": str(folder / part.ca_file)})
    return said.model_copy(update={"email" if said.email else "webhook": moved})
