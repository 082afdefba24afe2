"""Secrets are masked before anything is written into the log, which forgets nothing.

Two rules: values that are secrets by their own shape (keys of well-known services, tokens, private keys), and
values that stand beside a name which says that they are (``password=…``, ``"api_key": "…"``, an
Authorization header). What is masked reads ``[masked]``; the name beside it is kept, for it helps to
understand a failure. Shapes follow the vendors' published formats.
"""

from __future__ import annotations

import re
from typing import Any

MASK = "[masked]"

# Every quantifier over a wide class is bounded or followed by nothing, so that no input makes these slow.
_SHAPES = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS access key ids
    r"\bgh[pousr]_[A-Za-z0-9]{20,255}",  # GitHub
    r"\bgithub_pat_[A-Za-z0-9_]{20,255}",
    r"\bgl(?:pat|ptt|dt|rt|cbt)-[A-Za-z0-9_-]{16,255}",  # GitLab
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}",  # Slack
    r"\bhooks\.slack\.com/services/[A-Za-z0-9/]{10,255}",
    r"\b(?:sk|rk|pk|whsec)_(?:live|test)_[A-Za-z0-9]{10,255}",  # Stripe
    r"\bsk-[A-Za-z0-9_-]{20,255}",  # keys of model providers
    r"\bAIza[A-Za-z0-9_-]{35}",  # Google
    r"\b(?:npm|pypi|dop_v1|hvs|amends)[_.-][A-Za-z0-9_-]{20,255}",
    r"\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,2048}",  # JSON web tokens
)
_BY_SHAPE = re.compile("|".join(_SHAPES), re.DOTALL)

_NAMES = (
    r"pass(?:word|wd|phrase|code)|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token|"
    r"access[_-]?token|refresh[_-]?token|id[_-]?token|session[_-]?(?:id|key|token)|csrf[_-]?token|"
    r"client[_-]?secret|credentials?|bearer[_-]?token|pwd|token|authorization|cookie|dsn"
)
_BY_NAME = re.compile(
    # name, perhaps quoted, perhaps part of a longer one (DB_PASSWORD) ...
    rf"(?P<name>(?<![A-Za-z0-9])(?:[A-Za-z0-9]{{1,40}}[_-]){{0,6}}(?:{_NAMES})['\"]?\s{{0,3}}(?:=>|[:=])\s{{0,3}})"
    # ... then a quoted value, or a bare one to the next blank or separator
    r"(?:(?P<quote>['\"])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\n]){1,4096})(?P=quote)|(?P<bare>(?!\[masked\])[^\s'\",;&)}\]]{1,4096}))",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?P<name>\b(?:proxy-)?(?:authorization|(?:set-)?cookie|x-api-key|x-auth-token)['\"]?\s{0,3}[:=]\s{0,3}['\"]?)"
    r"(?P<value>[^'\"\n\r]{1,4096})",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"(?P<name>\b(?:bearer|basic|digest|negotiate)\s{1,3})[A-Za-z0-9+/._~=-]{12,4096}", re.IGNORECASE
)
_URL = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@'\"]{0,256}:)[^\s/@'\"]{1,1024}(?=@)", re.IGNORECASE
)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_SECRET_KEY = re.compile(rf"(?:^|[_.\- ])(?:{_NAMES})(?:$|[_.\- ])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def redact(text: str) -> str:
    """Return ``text`` with everything that looks like a secret masked; twice is the same as once."""
    text = _BY_SHAPE.sub(MASK, text)
    text = _URL.sub(lambda hit: f"{hit['head']}{MASK}", text)
    text = _HEADER.sub(lambda hit: f"{hit['name']}{MASK}", text)
    text = _SCHEME.sub(lambda hit: f"{hit['name']}{MASK}", text)
    return _BY_NAME.sub(_masked_value, text)


def without_addresses(text: str) -> str:
    """Return ``text`` with e-mail addresses masked: they name persons, and what is recorded names none."""
    return _ADDRESS.sub(MASK, text)


def redact_value(value: Any) -> Any:
    """Return a JSON value with secrets masked: values under a name that says so, and within any text."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {
            redact(str(key)): MASK
            if is_secret_name(str(key)) and part not in ("", None)
            else redact_value(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_value(part) for part in value]
    return value


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret: ``password``, ``apiKey``, ``X-Auth-Token``."""
    return any(_SECRET_KEY.search(form) for form in (name, _CAMEL.sub("_", name)))


def cut(text: str, limit: int) -> str:
    """Return the head and tail of a text, at most about ``limit`` characters, and say what was left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _masked_value(hit: re.Match[str]) -> str:
    quote = hit["quote"] or ""
    return f"{hit['name']}{quote}{MASK}{quote}"
