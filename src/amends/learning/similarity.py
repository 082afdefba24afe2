"""Which past incidents are like this one, and why.

Likeness is a sum of parts, each between 0 and its weight, so that each can be said as a reason:

- **words**: the cosine of the two texts' TF-IDF vectors (K. Spärck Jones, *A Statistical Interpretation of
  Term Specificity*, J. Documentation 28, 1972): a rare word in common says more than a frequent one;
- **failure**: the same exception, more so in the same place;
- **component**: the same service, the same file;
- **factors**: contributing factors in common;
- **gates**: how much of what both got past, and how, is the same. This alone makes no two incidents alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from amends.events.payloads import Signature

WORDS, FAILURE, COMPONENT, FACTORS, GATES = 0.4, 0.25, 0.15, 0.1, 0.1
LEAST = 0.2
"""Less likeness than this is not shown."""

_WORD = re.compile(r"[^\W_]{2,}")
_NAMES = re.compile(r"\b[A-Z]{2,}-\d+\b|[^\s/:]{1,200}(?:/|::)\S*")
# Frequent words need no list where a corpus is large; in a small one their frequency is not known yet.
_EMPTY_WORDS = """
the and for with was were that this from are not but have has had its when which into than then there what who
how why been being also only after before because while where about over under their they it of to in on at by
is as an or be we no so if
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


def words_of(text: str) -> list[str]:
    """Return a text's words in lower case, without accents, ids, names of files and the emptiest words."""
    plain = unicodedata.normalize("NFKD", _NAMES.sub(" ", text).lower())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [word for word in _WORD.findall(bare) if word not in _EMPTY and not word.isdigit()]


@dataclass(frozen=True, slots=True)
class Portrait:
    """What an incident is compared by. ``gates`` are (kind, state) pairs of its escape matrix."""

    incident: str
    service: str
    text: str
    failures: tuple[Signature, ...] = ()
    factors: frozenset[str] = frozenset()
    gates: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like another incident is: ``score`` from 0 to 1, with its reasons, the strongest first."""

    incident: str
    score: float
    reasons: tuple[str, ...]


Rarity = Callable[[str], float]


def rarity(frequency: Mapping[str, int], documents: int) -> Rarity:
    """Return the weight of a word from how many of the documents hold it (smoothed inverse frequency)."""

    def weigh(word: str) -> float:
        return log((1 + documents) / (1 + frequency.get(word, 0))) + 1

    return weigh


def rarest(text: str, weigh: Rarity, most: int) -> list[str]:
    """Return the words that tell most of a text, the strongest first."""
    counts = Counter(words_of(text))
    return sorted(counts, key=lambda word: (-_weight(counts[word], weigh(word)), word))[:most]


def most_like(
    mine: Portrait, others: Iterable[Portrait], weigh: Rarity, *, most: int = 5
) -> tuple[Likeness, ...]:
    """Return the incidents that are most like one, the likest first; fewer where fewer are like it."""
    found = [likeness(mine, other, weigh) for other in others if other.incident != mine.incident]
    alike = [one for one in found if one.score >= LEAST]
    return tuple(sorted(alike, key=lambda one: (-one.score, one.incident))[:most])


def likeness(mine: Portrait, theirs: Portrait, weigh: Rarity) -> Likeness:
    """Compare two incidents."""
    telling = [
        _words(mine, theirs, weigh),
        _failure(mine, theirs),
        _component(mine, theirs),
        _factors(mine, theirs),
    ]
    parts = [part for part in telling if part[0] > 0]
    if any(reason for score, reason in parts if reason):
        gates = _gates(mine, theirs)
        parts += [gates] if gates[0] > 0 else []
    parts.sort(key=lambda part: -part[0])
    return Likeness(
        theirs.incident, round(sum(score for score, _ in parts), 4), tuple(reason for _, reason in parts)
    )


def _weight(count: int, rare: float) -> float:
    return (1 + log(count)) * rare


def _words(mine: Portrait, theirs: Portrait, weigh: Rarity) -> tuple[float, str]:
    ours, others = _vector(mine.text, weigh), _vector(theirs.text, weigh)
    shared = sorted(ours.keys() & others.keys(), key=lambda word: (-ours[word] * others[word], word))
    if not shared:
        return 0.0, ""
    cosine = sum(ours[word] * others[word] for word in shared) / (_norm(ours) * _norm(others))
    return WORDS * cosine, f"words in common: {', '.join(shared[:5])}"


def _vector(text: str, weigh: Rarity) -> dict[str, float]:
    return {word: _weight(count, weigh(word)) for word, count in Counter(words_of(text)).items()}


def _norm(vector: Mapping[str, float]) -> float:
    return sqrt(sum(value * value for value in vector.values()))


def _failure(mine: Portrait, theirs: Portrait) -> tuple[float, str]:
    """Compare failures; a message's or a status' sameness without an exception says half as much."""
    best = (0.0, "")
    for one in mine.failures:
        for other in theirs.failures:
            best = max(best, _same_failure(one, other), key=lambda part: part[0])
    return best


def _same_failure(one: Signature, other: Signature) -> tuple[float, str]:
    if one.exception and one.exception == other.exception:
        if one.frame and one.frame == other.frame:
            return FAILURE, f"same failure: {one.exception} in {one.frame}"
        return FAILURE / 2, f"same exception: {one.exception}"
    if one.status and one.status == other.status and one.path and one.path == other.path:
        return FAILURE, f"same failure: {one.status} at {one.path}"
    return 0.0, ""


def _component(mine: Portrait, theirs: Portrait) -> tuple[float, str]:
    same_service = bool(mine.service) and mine.service == theirs.service
    files = sorted(_files(mine.failures) & _files(theirs.failures)) if same_service else []
    if files:
        return COMPONENT, f"same component: {files[0]} of {mine.service}"
    return (COMPONENT / 3, f"same service: {mine.service}") if same_service else (0.0, "")


def _files(failures: Sequence[Signature]) -> set[str]:
    return {one.frame.partition(":")[0] for one in failures if one.frame}


def _factors(mine: Portrait, theirs: Portrait) -> tuple[float, str]:
    shared = sorted(mine.factors & theirs.factors)
    if not shared:
        return 0.0, ""
    part = len(shared) / len(mine.factors | theirs.factors)
    return FACTORS * part, f"contributing factors in common: {', '.join(shared)}"


def _gates(mine: Portrait, theirs: Portrait) -> tuple[float, str]:
    shared = sorted(mine.gates & theirs.gates)
    if not shared:
        return 0.0, ""
    part = len(shared) / len(mine.gates | theirs.gates)
    said = ", ".join(f"{kind} ({state})" for kind, state in shared[:3])
    return GATES * part, f"got past the same gates: {said}"
