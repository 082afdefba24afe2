"""Which names say that their value is a secret: ``password``, ``apiKey``, ``X-Auth-Token``, ``cvv``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

_ALONE = frozenset({
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "pass", "pw", "secret",
    "secrets", "token", "tokens", "jwt", "bearer", "authorization", "auth", "cookie", "cookies",
    "session", "sessionid", "sessid", "sid", "phpsessid", "jsessionid", "csrf", "xsrf", "csrftoken",
    "credential", "credentials", "creds", "apikey", "apikeys", "apitoken", "authtoken", "accesstoken",
    "refreshtoken", "idtoken", "secretkey", "privatekey", "accesskey", "clientsecret", "pin", "cvv",
    "cvc", "cvv2", "ssn", "otp", "totp", "mfa", "signature", "hmac", "dsn", "iban", "pan", "cardnumber",
    "ccnumber", "creditcard", "email", "mail", "phone", "mobile", "msisdn", "telephone", "passport",
    "nonce", "salt", "passwort", "kennwort", "contrasena", "senha", "motdepasse", "wachtwoord", "losenord",
})  # fmt: skip
_TOGETHER = (
    ("api", "key"), ("api", "keys"), ("private", "key"), ("secret", "key"), ("access", "key"),
    ("signing", "key"), ("encryption", "key"), ("master", "key"), ("account", "key"),
    ("session", "id"), ("session", "key"),
    ("card", "number"), ("credit", "card"), ("cc", "number"), ("account", "number"), ("connection", "string"),
    ("database", "url"), ("db", "url"), ("redis", "url"), ("broker", "url"), ("webhook", "url"),
    ("recovery", "code"), ("backup", "code"), ("verification", "code"), ("security", "code"), ("tax", "id"),
    ("national", "id"),
)  # fmt: skip
# A number under such a name measures something: max_tokens, token_count, session_timeout.
_MEASURES = frozenset({
    "max", "min", "count", "limit", "length", "len", "size", "ttl", "expires", "expiry", "expiration",
    "in", "used", "total", "num", "number", "n", "per", "remaining", "timeout", "age", "version", "at",
    "time", "duration", "attempts", "retries", "budget", "cost", "id",
})  # fmt: skip
# Their values steer what the service does and hold nothing of anybody.
PLAIN_HEADERS = frozenset({
    "host", "content-type", "content-length", "content-encoding", "transfer-encoding", "accept",
    "accept-encoding", "accept-language", "accept-charset", "connection", "date", "traceparent",
    "user-agent", "cache-control", "vary", "allow", "server", "te", "upgrade", "expect", "range",
})  # fmt: skip
ADDRESS_HEADERS = frozenset(
    {"x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip"}
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BREAK = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 120


class Names:
    """The names that are secret: ours, with those that a user adds or takes away."""

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self._added = {_flat(name) for name in added}
        self._kept = {_flat(name) for name in kept}
        # Names come from requests, so what is remembered of them is bounded.
        self.is_secret = lru_cache(maxsize=4096)(self._is_secret)

    def _is_secret(self, name: str) -> bool:
        """Return whether the value under this name is a secret."""
        name = name[-_LONGEST:]
        flat = _flat(name)
        if flat in self._kept or not flat:
            return False
        if flat in self._added or flat in _ALONE:
            return True
        words = words_of(name)
        return (
            any(word in _ALONE or word in self._added for word in words)
            or any(pair in _TOGETHER for pair in pairwise(words))
            or flat.endswith(("password", "passwd", "secret", "apikey", "token"))
        )

    def hides_number(self, name: str) -> bool:
        """Return whether a number under this (secret) name is the secret, not a measure of it."""
        words = words_of(name)
        last = words[-1] if words else ""
        measured = any(word in _MEASURES for word in words) and not any(
            w in ("card", "account") for w in words
        )
        return not (measured or last in ("tokens", "sessions"))


def words_of(name: str) -> list[str]:
    """Return the words of a name: ``dbPassword`` and ``DB_PASSWORD`` are ``db``, ``password``."""
    return [word.lower() for word in _BREAK.split(_CAMEL.sub("_", name)) if word]


def _flat(name: str) -> str:
    return _BREAK.sub("", name).lower()
