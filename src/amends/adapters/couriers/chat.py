"""Notices by Apprise: chats, pagers and some 170 other services, each by its URL."""

from __future__ import annotations

from collections.abc import Mapping

from amends.application.notices.courier import DeliveryError, Handed, Letter
from amends.reviews.audiences.settings import Apprise


class AppriseCourier:
    """Hands letters to one service. What it did with one that an earlier attempt left open is not known,
    so that a repetition says that it may be one.
    """

    def __init__(self, said: Apprise, environ: Mapping[str, str]) -> None:
        self._said = said
        self._environ = environ

    def deliver(self, letter: Letter) -> Handed:
        """See ``Courier.deliver``."""
        import apprise  # takes a while, and few need it

        url = self._environ.get(self._said.url_env, "")
        if not url:
            raise DeliveryError(
                f"the variable {self._said.url_env} is not set in this process",
                remedy=f"set {self._said.url_env} to the service's URL for Apprise",
            )
        service = apprise.Apprise(
            asset=apprise.AppriseAsset(app_id="amends", app_desc="amends", secure_logging=True)
        )
        if not service.add(url):
            raise DeliveryError(
                f"the variable {self._said.url_env} holds no URL that Apprise understands",
                remedy="see https://appriseit.com/services/ for how each is written",
            )
        subject = f"{letter.subject} (perhaps a repetition)" if letter.again else letter.subject
        if not service.notify(title=subject, body=letter.text, body_format=apprise.NotifyFormat.MARKDOWN):
            raise DeliveryError("the service behind Apprise did not take it")
        return Handed(reference=letter.id)
