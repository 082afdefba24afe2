"""Masks that keep the form: same length, same classes of character, and still parseable as what it was.

An input must fail the same way after redaction as before, so an e-mail stays one, a card number keeps its
check digit, a token its prefix, a JSON web token its three parts. Each character is replaced by *another* one
of its class, chosen by a keyed hash of the whole value: equal values have equal masks within one process,
and the key is never written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
_CLASSES = {c: group for group in (LOWER, UPPER, DIGITS) for c in group}
_HEX_CLASSES = {c: group for group in ("abcdef", "ABCDEF", DIGITS) for c in group}

# What each vendor publishes as the beginning of its tokens; the rest of the token is masked.
PREFIXES = (
    r"gh[pousr]_|github_pat_|gl(?:pat|ptt|dt|rt|cbt|soat|agent)-|xox[abeoprs]-|xapp-|"
    r"(?:sk|rk|pk|whsec)_(?:live|test)_|whsec_|sk-(?:proj-|ant-)?|AKIA|ASIA|AIza|ya29\.|GOCSPX-|1//|"
    r"npm_|pypi-|dop_v1_|doo_v1_|hv[sbr]\.|SG\.|shp(?:at|ca|pa|ss)_|EAAC|sq0(?:atp|csp)-|key-|amends_|"
    r"dckr_pat_|glsa_|hf_|lin_api_|PMAK-|rubygems_|sbp_|figd_|ATATT|AccountKey="
)
TOKEN = re.compile(rf"(?<![A-Za-z0-9])({PREFIXES})([A-Za-z0-9_+/=.~-]{{6,512}})")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{4,16384}(?:\.[A-Za-z0-9_-]{0,8192})?")
EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
CARD = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])")
IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
UUID = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([0-9a-fA-F])[0-9a-fA-F]{3}-([0-9a-fA-F])[0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
_HEX = re.compile(r"(?:0x)?(?:[0-9a-f]{8,}|[0-9A-F]{8,})")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,30}://", re.IGNORECASE)
_LITERALS = {"", "true", "false", "null", "none", "True", "False", "None"}
_SHORTEST_KNOWN = 4


class Masker:
    """Masks values under one key; ``key`` is at least 16 random bytes.

    ``made`` holds the masks that were made, so that none is masked again.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.made: set[str] = set()
        self._kept: dict[str, str] = {}

    def keep(self, value: str, made: str) -> None:
        """Remember a mask that another form of the value was given."""
        self._kept[value] = made

    def mask(self, value: str) -> str:
        """Return the mask of a secret. A date, a literal such as ``true`` and a mask stay what they are."""
        if value in self.made or value in _LITERALS or _DATE.fullmatch(value):
            return value
        made = self._kept.get(value) or self._form(value)(value)
        if len(made) >= _SHORTEST_KNOWN:
            self.made.add(made)
        return made

    def number(self, value: int) -> int:
        """Return another number of as many digits; a card number keeps its check digit."""
        text = str(abs(value))
        made = int(self.card(text) if is_card(text) else self._number_text(text))
        return -made if value < 0 else made

    def _number_text(self, text: str) -> str:
        made = self.plain(text)
        if len(text) > 1 and made[0] == "0":
            made = ("1" if text[0] != "1" else "2") + made[1:]
        return made

    def _form(self, value: str) -> Callable[[str], str]:
        for pattern, form in (
            (PEM, self.pem), (JWT, self.jwt), (TOKEN, self.token), (EMAIL, self.email), (UUID, self.uuid),
            (_HEX, self.hex),
        ):  # fmt: skip
            if pattern.fullmatch(value):
                return form
        if CARD.fullmatch(value) and is_card(value):
            return self.card
        if IBAN.fullmatch(value) and is_iban(value):
            return self.iban
        return self.url if _URL.match(value) else self.plain

    # --- forms -----------------------------------------------------------------------------------------

    def plain(self, value: str) -> str:
        """Replace each letter and digit by another of its class; the rest stays."""
        return self._replace(value, _CLASSES)

    def hex(self, value: str) -> str:
        """Keep a hexadecimal number one."""
        head = "0x" if value.startswith("0x") else ""
        return head + self._replace(value[len(head) :], _HEX_CLASSES)

    def uuid(self, value: str) -> str:
        """Keep a UUID one, with its version and variant (RFC 9562)."""
        made = self._replace(value, _HEX_CLASSES)
        return f"{made[:14]}{value[14]}{made[15:19]}{value[19]}{made[20:]}"

    def url(self, value: str) -> str:
        """Keep the scheme."""
        head = _URL.match(value)
        end = head.end() if head else 0
        return value[:end] + self.plain(value[end:])

    def token(self, value: str) -> str:
        """Keep the prefix that a vendor gives its tokens."""
        found = TOKEN.fullmatch(value)
        return found[1] + self.plain(found[2]) if found else self.plain(value)

    def pem(self, value: str) -> str:
        """Keep the lines that begin and end a private key."""
        return "\n".join(
            line if line.strip().startswith("-----") else self.plain(line) for line in value.split("\n")
        )

    def email(self, value: str) -> str:
        """Keep the form and the last part of the host."""
        local, _, host = value.partition("@")
        name, dot, top = host.rpartition(".")
        return f"{self.plain(local)}@{self.plain(name)}{dot}{top}" if dot else self.plain(value)

    def card(self, value: str) -> str:
        """Keep length, separators, two digits for the brand, and a right check digit (ISO/IEC 7812)."""
        digits = re.sub(r"\D", "", value)
        body = digits[:2] + self.plain(digits[2:-1])
        body += str(-luhn(body + "0") % 10)
        fresh = iter(body)
        return "".join(next(fresh) if c.isdigit() else c for c in value)

    def iban(self, value: str) -> str:
        """Keep the country and right check digits (ISO 13616)."""
        bare = value.replace(" ", "")
        body = self.plain(bare[4:])
        check = 98 - _iban_number(f"{bare[:2]}00{body}") % 97
        fresh = iter(f"{bare[:2]}{check:02d}{body}")
        return "".join(c if c == " " else next(fresh) for c in value)

    def jwt(self, value: str) -> str:
        """Keep the header and the form of the claims; times stay, texts and numbers of length > 3 do not."""
        head, _, rest = value.partition(".")
        claims, dot, signature = rest.partition(".")
        return f"{head}.{self._claims(claims)}{dot}{self.plain(signature)}"

    def _claims(self, part: str) -> str:
        try:
            text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return self.plain(part)
        # After a colon or within a list stands a value; names of claims and times are structure.
        made = re.sub(
            r'(?P<head>[:\[,]\s*)"(?P<text>(?:\\.|[^"\\])*)"(?!\s*:)',
            lambda hit: f'{hit["head"]}"{self._claim(hit["text"])}"', text,
        )  # fmt: skip
        if made == text:
            return self.plain(part)
        return base64.urlsafe_b64encode(made.encode("ascii")).decode("ascii").rstrip("=")

    def _claim(self, text: str) -> str:
        if "\\" in text:
            return re.sub(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]+", _unless_escape(self.plain), text)
        return self.mask(text)

    def octets(self, value: str) -> str:
        """Keep an IPv4 address one: other octets."""
        draw = hashlib.shake_256(self._key + value.encode()).digest(4)
        return ".".join(
            str((int(part) + 1 + n % 254) % 256) for part, n in zip(value.split("."), draw, strict=True)
        )

    def groups(self, value: str) -> str:
        """Keep an IPv6 address one."""
        return self._replace(value, _HEX_CLASSES)

    def _replace(self, value: str, classes: dict[str, str]) -> str:
        stream = hashlib.shake_256(self._key + value.encode("utf-8", "surrogatepass")).digest(len(value))
        return "".join(
            _another(c, classes[c] if c in classes else _neighbours(c), n)
            for c, n in zip(value, stream, strict=True)
        )


class Unmasked(Masker):
    """Masks nothing: what differs from its work is what was redacted."""

    def mask(self, value: str) -> str:
        return value

    plain = octets = groups = mask

    def number(self, value: int) -> int:
        return value


def _unless_escape(mask: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    return lambda hit: hit[0] if hit[0].startswith("\\") else mask(hit[0])


def _another(char: str, group: str, draw: int) -> str:
    if len(group) < 2:
        return char
    return group[(group.index(char) + 1 + draw % (len(group) - 1)) % len(group)]


def _neighbours(char: str) -> str:
    """Return the letters of the same kind next to a letter outside ASCII; nothing for what is no letter."""
    if char.isascii() or not char.isalnum():
        return ""
    start = ord(char) & ~0xF
    kind = _kind(char)
    return "".join(c for c in map(chr, range(start, start + 16)) if _kind(c) == kind)


def _kind(char: str) -> tuple[bool, bool, bool, bool]:
    return char.isalpha(), char.isdecimal(), char.isupper(), char.islower()


def luhn(digits: str) -> int:
    """Return the sum of a card number's digits by Luhn's rule; a valid number's is a multiple of ten."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        doubled = int(char) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total


def is_card(text: str) -> bool:
    """Return whether a text of 13 to 19 digits, with blanks or hyphens, has a right check digit."""
    digits = re.sub(r"[ -]", "", text)
    return (
        13 <= len(digits) <= 19
        and digits.isascii()
        and digits.isdecimal()
        and len(set(digits)) > 1
        and luhn(digits) % 10 == 0
    )


def is_iban(text: str) -> bool:
    """Return whether an IBAN's check digits are right."""
    bare = text.replace(" ", "")
    return 15 <= len(bare) <= 34 and _iban_number(bare) % 97 == 1


def _iban_number(bare: str) -> int:
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4]))
