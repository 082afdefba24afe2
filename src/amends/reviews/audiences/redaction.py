"""What is left out of a notice: secrets, persons, and hosts that are nobody's business outside.

Secrets and persons are masked for everybody, internal hosts for everybody but the team that works with them.
Customers read no host, address or path at all that was not declared public: what an outsider can do with an
internal name is not ours to guess.

A person is recognised by what the record knows (pseudonyms and logins of those who took part), by names that
are declared, by the shape of a mention or an address, and by capitalised words where only a person can stand
("paged Dana Reyes", "Dana deployed it"). That is a net with holes: what people wrote is read again by a
person before it goes to customers, whose statement is never made from free text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from amends.events.payloads.notices import AudienceKind
from amends.events.redaction import redact, without_addresses

HOST, PERSON = "[internal host]", "a colleague"

_SUFFIXES = (
    "internal", "intranet", "intra", "local", "localdomain", "lan", "corp", "private", "svc", "home.arpa",
    "cluster.local", "consul", "test", "invalid",
)  # fmt: skip
_IPV4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)(?::\d{1,5})?(?:/\d{1,2})?"
# Times (12:30:05) have colons, too: an address has an empty group or eight of them.
_IPV6 = (
    r"(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{0,4}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?![\w:])"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# A name with a port, a pod's name, a machine's name with a number: what only insiders have.
_BARE = (
    rf"(?<![\w./@-])(?:localhost|{_LABEL})(?<!\d):\d{{2,5}}(?![\w:])"
    r"|\blocalhost\b"
    r"|\b[a-z0-9]+(?:-[a-z0-9]+)*-[a-f0-9]{8,10}-[a-z0-9]{5}\b"
    r"|\bip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}\b"
    r"|\b(?:db|web|app|srv|node|host|vm|cache|redis|kafka|mysql|pg|postgres|worker|lb|proxy|prod|stg)-?\d{1,4}\b"
)
_FQDN = re.compile(rf"(?<![\w@.-])(?:{_LABEL}\.){{1,8}}[A-Za-z][A-Za-z0-9-]{{1,62}}(?::\d{{1,5}})?(?![\w-])")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"')\]]{1,2000}", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w.:/])/(?:[\w.+-]{1,80}/){1,20}[\w.+-]{0,80}")
_ALWAYS = re.compile(f"{_IPV4}|{_IPV6}|{_BARE}", re.IGNORECASE)

_CAP = r"[^\W\d_a-z][\w'’-]*[a-zà-ÿ][\w'’-]*"
_WHO = rf"{_CAP}(?:\s(?:van|von|de|da|der|la|bin|al)\s{_CAP}|\s{_CAP}){{0,2}}"
_AFTER = re.compile(
    rf"\b(?P<lead>(?i:by|from|asked|told|paged|called|pinged|cc|thanks to|thank you,?|author|authored by|"
    rf"reviewer|reviewed by|with|blamed|signed-off-by|co-authored-by|assigned to|contact|ask)):?\s"
    rf"(?P<who>{_WHO})"
)
_DOES = (
    r"deployed|merged|pushed|forgot|approved|reviewed|wrote|noticed|restarted|broke|said|thought|missed|"
    r"acknowledged|committed|clicked|typed|ran|rolled|misconfigured|deleted|changed|fixed|found|reported|"
    r"released|shipped|tested|asked|did|was|is|has|had|should|could|will"
)
_BEFORE = re.compile(rf"(?P<who>(?<![\w-]){_CAP}(?:\s{_CAP})?)(?=\s(?P<does>{_DOES})\b)")
_MENTION = re.compile(r"(?<![\w/.])@[A-Za-z0-9][A-Za-z0-9_-]{0,38}\b")
_PSEUDONYM = re.compile(r"\bp-[a-z0-9]{4,40}\b")
# Verbs that things do as well: one capitalised word before them is a service or the start of a sentence.
_ALSO_OF_THINGS = frozenset((
    "was", "is", "has", "had", "should", "could", "will", "did", "ran", "changed", "found", "restarted",
    "broke", "reported", "rolled", "released",
))  # fmt: skip
_NOT_A_PERSON = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "it", "its", "they", "we", "our", "you", "he",
    "she", "who", "what", "when", "where", "which", "one", "two", "three", "no", "nobody", "everybody",
    "somebody", "someone", "people", "customer", "customers", "user", "users", "client", "clients",
    "traffic", "team", "teams", "service", "services", "release", "releases", "deployment", "deployments",
    "version", "production", "staging", "dev", "incident", "watch", "gate", "gates", "review", "reviews",
    "alert", "alerts", "prometheus", "alertmanager", "grafana", "kubernetes", "postgres", "postgresql",
    "redis", "kafka", "docker", "github", "gitlab", "aws", "azure", "google", "cloud", "slack", "jira",
    "linux", "python", "java", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december", "utc", "support", "engineering", "leadership", "operations", "platform",
    "payments", "security", "on-call", "qa", "sre", "amends", "latency", "errors", "requests", "checkout",
    "error", "time", "all", "some", "each", "every", "nothing", "everything", "more", "less", "most",
    "after", "before", "during", "while", "because", "since", "then", "there", "here", "and", "but", "or",
    "if", "as", "at", "in", "on", "for", "of", "to", "with", "from", "by", "not", "only", "also",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Redactor:
    """Leaves out what an audience does not read.

    Parameters
    ----------
    hosts:
        Suffixes of host names that are internal, beside the usual ones (``.internal``, ``.svc``…).
    public_hosts:
        Hosts that customers may read.
    names:
        Names, logins and pseudonyms of persons.
    words:
        Words that are no person's: services, teams, audiences.
    """

    hosts: tuple[str, ...] = ()
    public_hosts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def clean(self, text: str, kind: AudienceKind) -> str:
        """Return a text without what this audience does not read; twice is the same as once."""
        text = without_addresses(redact(text))
        text = self._without_persons(text)
        if kind == "team":
            return text
        if kind == "customers":
            return self._without_places(text)
        return self._without_internal_hosts(text)

    def leaks(self, text: str, kind: AudienceKind) -> tuple[str, ...]:
        """Return the lines of a text that hold what this audience does not read."""
        return tuple(
            line.strip() for line in text.splitlines() if self.clean(line, kind) != line
        )  # fmt: skip

    def _without_persons(self, text: str) -> str:
        for name in sorted(self.names, key=len, reverse=True):
            if name.strip():
                text = _known(name).sub(PERSON, text)
        text = _PSEUDONYM.sub(PERSON, _MENTION.sub(PERSON, text))
        text = _AFTER.sub(self._after, text)
        return _BEFORE.sub(self._before, text)

    def _after(self, hit: re.Match[str]) -> str:
        return f"{hit['lead']} {PERSON}" if self._is_person(hit["who"]) else hit[0]

    def _before(self, hit: re.Match[str]) -> str:
        who = hit["who"]
        single = len(who.split()) == 1
        if (single and hit["does"].lower() in _ALSO_OF_THINGS) or not self._is_person(who):
            return hit[0]
        return PERSON

    def _is_person(self, who: str) -> bool:
        known = set(_NOT_A_PERSON)
        for phrase in self.words:
            known.update(word.casefold() for word in re.split(r"[\s_-]+", phrase))
        return not any(part.casefold() in known for part in re.split(r"\s", who))

    def _without_internal_hosts(self, text: str) -> str:
        text = _URL.sub(lambda hit: hit[0] if self._is_outside(_host(hit[0])) else HOST, text)
        text = _FQDN.sub(lambda hit: hit[0] if not self._is_internal(hit[0]) else HOST, text)
        return _outside_urls(text, lambda part: _ALWAYS.sub(HOST, part))

    def _without_places(self, text: str) -> str:
        public = self.public_hosts
        text = _URL.sub(lambda hit: hit[0] if _host(hit[0]) in public else HOST, text)
        text = _outside_urls(text, lambda part: _PATH.sub(HOST, part))
        text = _outside_urls(
            text, lambda part: _FQDN.sub(lambda hit: hit[0] if hit[0].lower() in public else HOST, part)
        )
        return _outside_urls(text, lambda part: _ALWAYS.sub(HOST, part))

    def _is_internal(self, host: str) -> bool:
        bare = host.lower().rpartition(":")[0] if ":" in host else host.lower()
        suffixes = (*_SUFFIXES, *(one.lower().lstrip("*.") for one in self.hosts))
        return any(bare == one or bare.endswith(f".{one}") or f".{one}." in bare for one in suffixes)

    def _is_outside(self, host: str) -> bool:
        return "." in host and not self._is_internal(host) and not _ALWAYS.fullmatch(host)


def redactor(
    *, hosts: Iterable[str] = (), public_hosts: Iterable[str] = (), names: Collection[str] = (),
    words: Collection[str] = (),
) -> Redactor:  # fmt: skip
    """Make a redactor from what is declared."""
    return Redactor(
        tuple(hosts), frozenset(one.lower() for one in public_hosts), frozenset(names), frozenset(words)
    )


def _host(url: str) -> str:
    authority = url.partition("://")[2].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]
    return authority.rpartition(":")[0].lower() if re.search(r":\d+$", authority) else authority.lower()


def _outside_urls(text: str, change: Callable[[str], str]) -> str:
    found: list[str] = []
    last = 0
    for hit in _URL.finditer(text):
        found += [change(text[last : hit.start()]), hit[0]]
        last = hit.end()
    return "".join([*found, change(text[last:])])


@lru_cache(maxsize=512)
def _known(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name.strip())}(?![\w-])", re.IGNORECASE)
