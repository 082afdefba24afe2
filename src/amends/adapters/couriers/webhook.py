"""Notices as webhooks, signed by Standard Webhooks (https://www.standardwebhooks.com, symmetric scheme).

``webhook-id`` is the same at every attempt, which is how the standard has a receiver drop a repetition.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping

import httpx
from standardwebhooks.webhooks import Webhook as Signer

from amends.application.notices.courier import DeliveryError, Handed, Letter
from amends.events.event import format_time
from amends.reviews.audiences.settings import Webhook

_TYPES = {"digest": "digest.sent", "reminder": "reminder.sent"}
_GONE = 410  # the standard's word for: never send here again


class WebhookCourier:
    """Posts letters to one address. Redirects are not followed: what is signed is for whom it was meant."""

    def __init__(self, said: Webhook, environ: Mapping[str, str]) -> None:
        self._said = said
        self._environ = environ

    def deliver(self, letter: Letter) -> Handed:
        """See ``Courier.deliver``."""
        body = json.dumps(body_of(letter), ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json", "webhook-id": f"msg_{letter.id}",
            "webhook-timestamp": str(int(letter.now.timestamp())),
            "webhook-signature": self._signer().sign(f"msg_{letter.id}", letter.now, body),
        }  # fmt: skip
        verify = ssl.create_default_context(cafile=self._said.ca_file) if self._said.ca_file else True
        try:
            answer = httpx.post(
                self._said.url,
                content=body.encode(),
                headers=headers,
                timeout=self._said.timeout,
                verify=verify,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(f"the webhook's receiver cannot be reached: {type(error).__name__}") from None
        if answer.is_success:
            return Handed(reference=f"msg_{letter.id}")
        raise DeliveryError(
            f"the webhook's receiver answered {answer.status_code}", final=answer.status_code == _GONE
        )

    def _signer(self) -> Signer:
        secret = self._environ.get(self._said.secret_env, "")
        if not secret:
            raise DeliveryError(
                f"the variable {self._said.secret_env} is not set in this process",
                remedy=f"set {self._said.secret_env} to the receiver's whsec_… secret",
            )
        try:
            return Signer(secret)
        except (ValueError, RuntimeError):
            raise DeliveryError(
                f"the variable {self._said.secret_env} holds no secret of Standard Webhooks",
                remedy="it reads whsec_ and base64",
            ) from None


def body_of(letter: Letter) -> dict[str, object]:
    """Return the JSON of a letter: ``type``, ``timestamp`` and ``data``, as the standard has them."""
    return {
        "type": _TYPES.get(letter.occasion, "incident.notice"),
        "timestamp": format_time(letter.intended_at),
        "data": {
            "topic": letter.topic, "audience": letter.audience, "revision": letter.revision,
            "occasion": letter.occasion, "incident": letter.incident, "service": letter.service,
            "subject": letter.subject, "text": letter.text,
        },
    }  # fmt: skip
