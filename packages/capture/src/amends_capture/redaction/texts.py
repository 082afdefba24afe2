"""Redaction of text, whatever it holds: secrets by shape, by the name beside them, and those known already.

What is inside other forms is looked for too: JSON (also broken or cut), percent-encoding, hexadecimal, base64
(and gzip within it). The text around a secret stays as it is, byte for byte.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from html import escape, unescape
from itertools import pairwise
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from amends_capture.redaction import masking
from amends_capture.redaction.encodings import opens, reopened
from amends_capture.redaction.jsontext import JsonReader
from amends_capture.redaction.masking import Masker
from amends_capture.redaction.names import Names

DEEPEST = 5
_SHORTEST_KNOWN = 4
_FREE_STANDING = 12
_SHORTEST_NUMBER = 6
_SHORTEST_COOKIE = 8
_FIRST_MARK = 0xF0000  # a plane for private use
_MOST_HELD = 50_000
_MARK = re.compile("[\U000f0000-\U000ffffd]")

_PERCENT = re.compile(r"(?:[A-Za-z0-9_.~!*'()+/-]|%[0-9A-Fa-f]{2}){3,}")
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}={0,2}")
_OPAQUE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9_-]{20,4096}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_URL_LOGIN = re.compile(r"(?<=://)(?P<user>[^\s/:@'\"?#]{0,256}):(?P<word>[^\s/@'\"]{1,1024})(?=@)")
_SCHEME = re.compile(
    r"\b(?P<head>(?:bearer|basic|digest|token|negotiate)\s{1,3})(?P<word>[A-Za-z0-9+/._~=-]{6,8192})", re.I
)

TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.\-]{0,120})(?:['\"\]]{1,2})?\s{0,3}(?:=>|:=|[:=])\s{0,3}(?=\S)")
_PROSE = re.compile(
    r"(?P<name>\b[A-Za-z][\w-]{2,40})\s{1,2}(?:(?:is|was|of|for|value)\s)?(?=[\"'`(<]|[^\s\"']*\d|[^\s\"']*[!@#$%^&*+=])"
)
_VALUE = re.compile(
    r"(?:[bBuUrR]{1,2}(?=['\"]))?(?:\"(?P<double>(?:\\.|[^\"\\])*)|'(?P<single>(?:\\.|[^'\\])*)|`(?P<tick>[^`]*)|"
    r"(?P<scheme>(?:bearer|basic|token|digest)\s+)(?P<after>[^\s'\",;]+)|(?P<bare>[^\s'\",;&)}\]<>]+))",
    re.I | re.DOTALL,
)
_ELEMENT = re.compile(
    r"(?P<head><(?:[\w.-]{1,60}:)?(?P<name>[A-Za-z_][\w.-]{0,120})(?:\s[^<>]{0,500})?>\s{0,20}(?:<!\[CDATA\[)?)"
    r"(?P<word>[^<>\]\s][^<>\]]*)"
)


class Texts:
    """Redacts texts by a mask, names and patterns of a user's own; ``known`` are the secrets found so far."""

    def __init__(self, masker: Masker, names: Names, patterns: Iterable[re.Pattern[str]] = ()) -> None:
        self.masker = masker
        self.names = names
        self.patterns = tuple(patterns)
        self.known: set[str] = set()
        self._held: dict[str, tuple[str, str]] = {}
        self._anywhere: re.Pattern[str] | None = None
        self._built = 0

    def secret(self, value: str) -> str:
        """Mask a whole value, and know it from now on."""
        if not value or value in self.masker.made or value in self._held:
            return value
        value = self._original(value)
        made = self.masker.mask(value)
        if made != value and len(value.strip()) >= _SHORTEST_KNOWN:
            self.known.add(value)
        return made

    # What one rule has masked stands as a single character until all rules have looked, so that no other
    # rule masks a part of the mask.

    def _hold(self, made: str, original: str, *, even_so: bool = False) -> str:
        if made == original and not even_so:
            return made
        mark = chr(_FIRST_MARK + len(self._held))
        self._held[mark] = (made, original)
        return mark

    def expand(self, text: str) -> str:
        """Put the masks in the places that were held for them."""
        return _MARK.sub(lambda hit: self._held.get(hit[0], (hit[0],))[0], text)

    def _original(self, text: str) -> str:
        return _MARK.sub(lambda hit: self._held.get(hit[0], ("", hit[0]))[1], text)

    def _masked(self, value: str) -> str:
        return value if value in self._held else self._hold(self.secret(value), self._original(value))

    def under(self, name: str, value: str) -> str:
        """Mask a value that stands under a secret name; cookies and credentials keep their form."""
        last = name.lower().rpartition("_")[2].rpartition("-")[2]
        if last in ("cookie", "cookies") and "=" in value:
            return self.cookies(value)
        if last == "authorization" and " " in value:
            return self.credentials(value)
        return self.secret(value)

    def redact(self, text: str, depth: int = 0) -> str:
        """Return ``text`` without secrets."""
        if not text or text in self.masker.made:
            return text
        if depth == 0:
            if len(self._held) > _MOST_HELD:
                self._held.clear()
            # A character of a text that is one of our marks stands for itself.
            text = _MARK.sub(lambda hit: self._hold(hit[0], hit[0], even_so=True), text)
        text = self._without_known(text)
        if depth < DEEPEST:
            text = self._inside(text, depth)
        text = self._by_shape(text)
        text = self._by_name(text)
        return self.expand(self._opaque(text))

    # --- secrets that are known --------------------------------------------------------------------------

    def without_known(self, text: str) -> str:
        """Mask every secret that was found elsewhere or has a shape, and nothing else."""
        return self.expand(self._by_shape(self._without_known(text)))

    def _without_known(self, text: str) -> str:
        # A short one only where it stands by itself.
        if len(self.known) != self._built:
            self._built = len(self.known)
            longest_first = sorted(self.known, key=lambda one: (-len(one), one))
            self._anywhere = re.compile("|".join(_bounded(one) for one in longest_first))
        if self._anywhere is None:
            return text
        return self._anywhere.sub(lambda hit: self._hold(self.masker.mask(hit[0]), hit[0]), text)

    # --- secrets inside other forms ----------------------------------------------------------------------

    def _inside(self, text: str, depth: int) -> str:
        if text.lstrip()[:1] in ("{", "[") and len(text) > 2:
            text = JsonReader(self, depth).redact(text)
        if "%" in text:
            text = _PERCENT.sub(lambda hit: self._percent(hit[0], depth), text)
        return _ENCODED.sub(lambda hit: self._opened(hit[0], depth), text)

    def _opened(self, run: str, depth: int) -> str:
        return self._hold(reopened(run, lambda inner: self.redact(inner, depth + 1)), run)

    def _percent(self, run: str, depth: int) -> str:
        if "%" not in run:
            return run
        plain = unquote(run)
        made = self.redact(plain, depth + 1)
        return run if made == plain else self._hold(quote(made, safe="/+"), run)

    def json(self, text: str, depth: int = 0) -> str:
        """Redact the strings and numbers of a JSON text in place; the text may be broken or cut off."""
        return self.expand(JsonReader(self, depth).redact(text))

    def token(self, made: str, plain: str) -> str:
        """Take what a part of a JSON text became, so that no other rule looks at it."""
        return self._hold(made, plain)

    def form(self, text: str, depth: int = 0) -> str:
        """Redact ``a=b&c=d`` (WHATWG URL, urlencoded forms); pairs without a secret stay as they are."""
        return "&".join(self._pair(pair, depth) for pair in text.split("&"))

    def _pair(self, pair: str, depth: int) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(value)
        made = self.named(unquote_plus(name), plain, depth)
        if made != plain:
            value = quote_plus(made)
        plain_name = unquote_plus(name)
        made_name = self.redact(plain_name, depth + 1)
        return f"{name if made_name == plain_name else quote_plus(made_name)}{equals}{value}"

    def path(self, path: str) -> str:
        """Redact a path part by part; what follows a secret name (``/reset-token/x7f2k1``) is secret, too."""
        parts = path.split("/")
        return "/".join(
            self.secret(part) if looks_drawn(part) and self.names.is_secret(before) else self.redact(part)
            for before, part in zip(["", *parts], parts, strict=False)
        )

    def named(self, name: str, value: str, depth: int = 0) -> str:
        """Redact a value that stands under a name."""
        if self.names.is_secret(name) and not is_measure(self.names, name, value):
            return self.under(name, value)
        return self.redact(value, depth + 1)

    def cookies(self, text: str) -> str:
        """Redact the values of a Cookie or Set-Cookie header; names and attributes stay (RFC 6265)."""
        return "; ".join(self._cookie(part.strip()) for part in text.split(";"))

    def _cookie(self, part: str) -> str:
        name, equals, value = part.partition("=")
        if name.lower() in ("path", "domain", "expires", "max-age", "samesite", "version"):
            return part
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        bare = value[1:-1] if quoted else value
        if not equals:
            return name if name.lower() in ("secure", "httponly", "partitioned") else self.secret(name)
        # A short one may be an ordinary word (theme=dark): masked here, and not looked for elsewhere.
        known = len(bare) >= _SHORTEST_COOKIE or self.names.is_secret(name)
        made = self.secret(bare) if known else self.masker.mask(bare)
        return f'{name}="{made}"' if quoted else f"{name}={made}"

    def credentials(self, text: str) -> str:
        """Redact an Authorization header (RFC 9110, 11.4): the scheme stays."""
        scheme, blank, word = text.partition(" ")
        if not blank:
            return self.secret(text)
        if scheme.lower() == "basic":
            return f"{scheme} {reopened(word, self._login, self.secret)}"
        if "=" in word.rstrip("="):
            return f"{scheme} {self.expand(self._by_name(word, every=True))}"
        return f"{scheme} {self.secret(word)}"

    def _login(self, text: str) -> str:
        user, colon, word = text.partition(":")
        # The user's name may be an ordinary word, so it is masked here and not looked for elsewhere.
        return f"{self.masker.plain(user)}{colon}{self.secret(word)}" if colon else self.secret(text)

    def number(self, text: str) -> str:
        """Mask a whole number, and know it from now on when it is long enough to be told from others."""
        made = str(self.masker.number(int(text)))
        if len(text.lstrip("-")) >= _SHORTEST_NUMBER:
            self.known.add(text.lstrip("-"))
            self.masker.keep(text.lstrip("-"), made.lstrip("-"))
        return made

    def addresses(self, text: str) -> str:
        """Mask IP addresses: other octets, hexadecimal groups stay such."""
        text = _IPV4.sub(lambda hit: self.masker.octets(hit[0]), text)
        return _IPV6.sub(lambda hit: self.masker.groups(hit[0]), text)

    # --- by shape and by name ----------------------------------------------------------------------------

    def _by_shape(self, text: str) -> str:
        for pattern in self.patterns:
            text = pattern.sub(lambda hit: self._masked(hit[0]), text)
        for pattern in (masking.PEM, masking.JWT, masking.TOKEN, masking.EMAIL, _SSN):
            text = pattern.sub(lambda hit: self._masked(hit[0]), text)
        text = masking.CARD.sub(lambda hit: self._masked(hit[0]) if masking.is_card(hit[0]) else hit[0], text)
        text = masking.IBAN.sub(lambda hit: self._masked(hit[0]) if masking.is_iban(hit[0]) else hit[0], text)
        text = _URL_LOGIN.sub(
            lambda hit: (
                f"{self._hold(self.masker.plain(hit['user']), hit['user'])}:{self._masked(hit['word'])}"
            ),
            text,
        )
        return _SCHEME.sub(lambda hit: f"{hit['head']}{self._word(hit['word'])}", text)

    def _word(self, word: str) -> str:
        return self._masked(word) if any(c.isdigit() for c in word) else word

    def _element(self, hit: re.Match[str]) -> str:
        """Mask what an element of XML or HTML holds; what stands for a character goes on doing so."""
        word = self._original(hit["word"])
        if not self.names.is_secret(hit["name"]) or is_measure(self.names, hit["name"], word):
            return hit[0]
        made = self.secret(unescape(word))
        return hit["head"] + self._hold(escape(made, quote=False) if "&" in word else made, word)

    def _by_name(self, text: str, *, every: bool = False) -> str:
        text = _ELEMENT.sub(self._element, text) if "<" in text else text
        text = self._sweep(text, _NAMED, lambda name: every or self.names.is_secret(name))
        return self._sweep(text, _PROSE, self.names.is_secret)

    def _sweep(self, text: str, head: re.Pattern[str], is_secret: Callable[[str], bool]) -> str:
        made, done, at = [], 0, 0
        while (found := head.search(text, at)) is not None:
            at = found.end()
            if not is_secret(found["name"]):
                continue
            if found["name"].lower() in ("cookie", "set-cookie"):
                end = min((n for n in (text.find("\n", at), len(text)) if n >= 0), default=len(text))
                made += [text[done:at], self._hold(self.cookies(text[at:end]), text[at:end])]
                at = done = end
            elif (value := _VALUE.match(text, at)) is not None and value.lastgroup:
                start, end = value.span(value.lastgroup)
                made += [text[done:start], self._beside(found["name"], text[start:end])]
                at = done = end
        return "".join([*made, text[done:]])

    def _beside(self, name: str, value: str) -> str:
        """Mask what stands beside a name; what is JSON, or a measure, is looked into instead."""
        if value[:1] in ("{", "[", "<", "(") or is_measure(self.names, name, value):
            return value
        return self._masked(value)

    def _opaque(self, text: str) -> str:
        return _OPAQUE.sub(lambda hit: self._masked(hit[0]) if is_opaque(hit[0]) else hit[0], text)


def is_measure(names: Names, name: str, value: str) -> bool:
    """Return whether a number in a text measures a secret thing (``max_tokens=100``) and is none itself."""
    return value.isdigit() and not names.hides_number(name)


def looks_drawn(text: str) -> bool:
    """Return whether a text is no word and no number (``new``, ``42``): it has letters and digits."""
    return len(text) >= 6 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def _bounded(secret: str) -> str:
    found = re.escape(secret)
    if len(secret) >= _FREE_STANDING:
        return found
    return rf"(?<![A-Za-z0-9]){found}(?![A-Za-z0-9])"


def is_opaque(text: str) -> bool:
    """Return whether a run of letters and digits looks drawn at random: a key or a session, not a name.

    Random text changes between digits, small and capital letters all the time; words do not. A UUID names a
    thing and is left, as is a trace.
    """
    if masking.UUID.fullmatch(text) or TRACE.fullmatch(text) or not any(c.isdigit() for c in text):
        return False
    if opens(text):
        return False  # what it encodes was looked through
    kinds = [(c.isdigit(), c.isupper()) for c in text if c.isalnum()]
    if all(kind[0] for kind in kinds):
        return False
    changes = sum(one != two for one, two in pairwise(kinds))
    to_digits = sum(one[0] != two[0] for one, two in pairwise(kinds))
    return _bits(text) >= 3.0 and (to_digits >= 4 or changes / len(kinds) >= 0.42)


def _bits(text: str) -> float:
    """Return the entropy of a text's characters in bits (Shannon 1948)."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
