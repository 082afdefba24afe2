"""Notices by e-mail: SMTP (RFC 5321) with STARTTLS or TLS, one transaction for all who do not have it yet."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime

from amends.application.notices.courier import DeliveryError, Handed, Letter
from amends.reviews.audiences.settings import Email

_TAKEN_FOR_GOOD = 500  # RFC 5321, 4.2.1: 4yz may work later, 5yz will not


class SmtpCourier:
    """Hands letters to a mail server.

    A letter's ``Message-ID`` is the same at every attempt, so that mail systems can drop a repetition.
    """

    def __init__(self, said: Email, environ: Mapping[str, str]) -> None:
        self._said = said
        self._environ = environ

    def deliver(self, letter: Letter) -> Handed:
        """See ``Courier.deliver``."""
        left = [one for one in self._said.to if recipient_digest(one) not in letter.reached]
        message = message_of(letter, self._said)
        if not left:
            return Handed(reference=str(message["Message-ID"]))
        try:
            with self._connected() as server:
                refused = server.send_message(message, self._said.sender, left)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients, left) from None
        except smtplib.SMTPResponseException as error:
            final = error.smtp_code >= _TAKEN_FOR_GOOD and isinstance(
                error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused
            )
            raise DeliveryError(
                f"the mail server answered {_answer(error.smtp_code, error.smtp_error)}", final=final
            ) from None
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise DeliveryError(
                f"the mail server {self._said.server}:{self._said.port} cannot be used: {_first(error)}"
            ) from None
        if any(code < _TAKEN_FOR_GOOD for code, _ in refused.values()):
            raise _refused(refused, left)
        return Handed(
            str(message["Message-ID"]), tuple(recipient_digest(one) for one in left if one not in refused),
            _note(refused, left),
        )  # fmt: skip

    def _connected(self) -> smtplib.SMTP:
        said = self._said
        context = ssl.create_default_context(cafile=said.ca_file or None)
        server: smtplib.SMTP
        if said.security == "tls":
            server = smtplib.SMTP_SSL(said.server, said.port, timeout=said.timeout, context=context)
        else:
            server = smtplib.SMTP(said.server, said.port, timeout=said.timeout)
        try:
            if said.security == "starttls":
                server.starttls(context=context)
            if said.user_env:
                server.login(self._secret(said.user_env), self._secret(said.password_env))
        except BaseException:
            server.close()
            raise
        return server

    def _secret(self, name: str) -> str:
        if value := self._environ.get(name):
            return value
        raise DeliveryError(f"the variable {name} is not set in this process", remedy=f"set {name}")


def message_of(letter: Letter, said: Email) -> EmailMessage:
    """Return a letter as a message. ``Auto-Submitted`` keeps absence notes from answering (RFC 3834)."""
    message = EmailMessage()
    message["From"] = said.sender
    message["To"] = ", ".join(said.to)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(letter.intended_at)
    message["Message-ID"] = f"<{letter.id}@{said.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Amends-Notice"] = f"{letter.topic}/{letter.audience}/{letter.revision}"
    message.set_content(letter.text)
    return message


def recipient_digest(address: str) -> str:
    """Return what the log keeps of a recipient: enough not to write twice, not enough to read who it is."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:16]


def _refused(refused: Mapping[str, tuple[int, bytes]], left: list[str]) -> DeliveryError:
    reached = tuple(recipient_digest(one) for one in left if one not in refused)
    final = all(code >= _TAKEN_FOR_GOOD for code, _ in refused.values())
    code, text = next(iter(refused.values()))
    return DeliveryError(
        f"the mail server refused {len(refused)} of {len(left)} recipients, first with "
        f"{_answer(code, text)}",
        final=final, reached=reached,
    )  # fmt: skip


def _note(refused: Mapping[str, tuple[int, bytes]], left: list[str]) -> str:
    if not refused:
        return ""
    code = next(iter(refused.values()))[0]
    return f"the mail server refused {len(refused)} of {len(left)} recipients for good, first with {code}"


def _kind(code: int, text: bytes | str) -> str:
    """Leave out a server's words about a recipient: they repeat the address."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "" if "@" in words else f"({words.splitlines()[0][:120]})" if words else f"({code})"


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {_kind(code, text)}".strip()


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200] or type(error).__name__
