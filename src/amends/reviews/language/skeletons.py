"""Reduces a sentence to who and what: each phrase for people becomes one sign, plain adverbs go.

"The engineers of the supplier apparently never asked our SREs" becomes "Ħ never asked Ħ". So a construction
("somebody at work never …") is one pattern, whoever it is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from amends.reviews.language import vocabulary as v
from amends.reviews.language.agents import Words, is_adverb, is_named
from amends.reviews.language.roles import DEPARTMENT_PAIRS, DEPARTMENTS, NOT_ROLES, ROLES
from amends.reviews.language.sentences import Sentence
from amends.reviews.language.traits import is_bad_manner, is_trait

# "They" has a sign of its own: it stands for things as often as for people.
OTHERS, SELF, DEPARTMENT, NOBODY, THEY = "Ħ", "Ŵ", "Đ", "Ø", "Ŧ"
AFTER_PREPOSITION = {OTHERS: "ħ", SELF: "ŵ", DEPARTMENT: "đ", NOBODY: "ø", THEY: "ŧ"}
_CAPITALS = v.word_set("it hr sre qa")
_LONGEST = 7
_KEPT = v.word_set("not never too even again always only yet once instead then hardly barely")
_PLAIN = v.ADVERBS | v.word_set("seemingly obviously clearly all of-course today yesterday")
_THIRD = v.word_set("he she someone somebody whoever y'all you everyone everybody anyone anybody")
_OBJECTS = {"me": SELF, "us": SELF, "him": OTHERS, "them": THEY, "mine": SELF, "ours": SELF}
_MANAGED = (
    v.DETERMINERS | v.PREPOSITIONS | v.CONJUNCTIONS | v.word_set("senior upper project product it that")
)
_WEARY = v.word_set("tired drunk distracted sleepy exhausted overworked bored hungover jet-lagged")
_POSTPOSED = v.word_set("of in on from at behind for with")
# Words without one of which a sentence is about nobody, unless it names them.
PEOPLE = v.SELF | _THIRD | v.NOBODY | ROLES | DEPARTMENTS | {"they", "no", "operator"}
PEOPLE |= {word for pair in DEPARTMENT_PAIRS for word in pair}
_OBLIQUE = v.PREPOSITIONS - {"before", "after", "since", "until", "than", "like", "as"}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The reduced words, joined by blanks; ``spans`` gives for each its first and last token."""

    text: str
    spans: tuple[tuple[int, int], ...]
    judged: tuple[tuple[int, int], ...]  # phrases for people that an adjective judges: "a careless engineer"

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last token of a stretch of ``text``."""
        first = self.text.count(" ", 0, start)
        return self.spans[first][0], self.spans[first + self.text[start:end].rstrip().count(" ")][1]


def reduce(sentence: Sentence) -> Skeleton:
    """Return the skeleton of a sentence."""
    words = sentence.tokens
    out: list[str] = []
    spans: list[tuple[int, int]] = []
    judged: list[tuple[int, int]] = []
    i = 0
    while i < len(words):
        sign, end = _people(words, i)
        if sign:
            begin = i if _pronoun(words[i].low) else _take_modifiers(words, out, spans, i)
            if any(is_trait(words[j].low) or words[j].low in _WEARY for j in range(begin, i)):
                judged.append((begin, i))
            if out and out[-1] in _OBLIQUE:
                sign = AFTER_PREPOSITION[sign]
            out.append(sign)
            spans.append((begin, end))
        elif not _dropped(words, i):
            out.append(words[i].low)
            spans.append((i, end))
        i = end + 1
    return Skeleton(" ".join(out), tuple(spans), tuple(judged))


def _pronoun(low: str) -> bool:
    """Tell a pronoun, which takes no article or adjective, from a noun."""
    return low in v.SELF or low in _THIRD or low in v.NOBODY or low in _OBJECTS or low in ("they", "no")


def _dropped(words: Words, i: int) -> bool:
    low = words[i].low
    if low in _KEPT or is_bad_manner(low):
        return False
    return low in _PLAIN or (is_adverb(low) and low.endswith("ly") and len(low) > 4)


def _people(words: Words, i: int) -> tuple[str, int]:
    """Return the sign of a phrase for people whose head is here, and its last token."""
    low = words[i].low
    following = words[i + 1].low if i + 1 < len(words) else ""
    if low in v.SELF:
        return SELF, i
    if low == "they":
        return THEY, i
    if low in _OBJECTS and i and words[i - 1].low in _OBLIQUE:
        return _OBJECTS[low], i
    if low in v.NOBODY or (low == "no" and following == "one"):
        end = i + (low == "no")
        return NOBODY, _with_complement(words, end)
    if low in _THIRD:
        return OTHERS, _with_complement(words, i)
    if (low, following) in DEPARTMENT_PAIRS and _stands_bare(words, i, i + 1):
        return DEPARTMENT, i + 1
    if low == "operator" and i and words[i - 1].low == "the":
        return THEY, _with_complement(words, i)  # a person, or software that reconciles
    if _is_role(words, i) or is_named(words, i):
        return OTHERS, _with_complement(words, i)
    if low in DEPARTMENTS and _stands_bare(words, i, i):
        return DEPARTMENT, i
    return "", i


def _is_role(words: Words, i: int) -> bool:
    low = words[i].low
    if low not in ROLES:
        return False
    before = words[i - 1].low if i else ""
    if low == "management" and before not in _MANAGED and before.isalpha():
        return False  # "configuration management"
    return before not in NOT_ROLES.get(low, ()) and not words[i].text.startswith(".")


def _stands_bare(words: Words, first: int, last: int) -> bool:
    """Tell a department from the noun: it opens its clause or is written with a capital, without article."""
    before = words[first - 1] if first else None
    opens = before is None or before.low in v.SUBORDINATORS | v.CONJUNCTIONS | {",", ";", ":", "by", "—", "("}
    opens = opens or is_adverb(before.low if before else "")
    if words[first].low in _CAPITALS and not words[first].text.isupper():
        return False
    if not (opens or (words[first].text[0].isupper() and before and before.low not in v.DETERMINERS)):
        return False
    after = last + 1
    while after < len(words) and is_adverb(words[after].low):
        after += 1
    return after >= len(words) or _may_follow(words[after].low)


def _may_follow(word: str) -> bool:
    return word in v.AUXILIARIES | v.IRREGULAR | v.HARM or not word[0].isalnum() or _verbal(word)


def _verbal(word: str) -> bool:
    return (len(word) > 3 and word.endswith("ed")) or word in _PASTS or word in ("never", "always", "not")


_PASTS = v.IRREGULAR | v.HARM | v.word_set(
    """
    forgot chose knew went gave took wrote drove drew spoke woke fell flew grew ate hid rode rose sank
    sang shook slept swore tore threw wore blew began broke froze stole let keeps keep cared never sat
    """
)  # fmt: skip


def _take_modifiers(words: Words, out: list[str], spans: list[tuple[int, int]], i: int) -> int:
    """Take back what stands before a head: article, adjectives, the owner ("the vendor's")."""
    begin, taken = i, 0
    while out and taken < _LONGEST and (_modifies(out[-1]) or _between_article_and_head(out)):
        article = out[-1] in v.DETERMINERS
        if out[-1] in (OTHERS, "ħ") and words[begin].low != "'s":
            break
        begin = spans[-1][0]
        out.pop()
        spans.pop()
        taken += 1
        if article:
            break
    if len(out) > 1 and out[-1] == "of" and out[-2] in v.TRANSPARENT:
        del out[-2:]
        begin = spans[-2][0]
        del spans[-2:]
    return begin


def _between_article_and_head(out: list[str]) -> bool:
    """Know "a tired administrator" from "restarted administrators"."""
    return len(out) > 1 and _verbal(out[-1]) and out[-2] in v.DETERMINERS


def _modifies(word: str) -> bool:
    if word in v.DETERMINERS or word in ("'s", "s'", OTHERS, "ħ"):
        return True
    closed = word in v.PREPOSITIONS or word in v.AUXILIARIES or word in v.CONJUNCTIONS
    closed = closed or word in v.SUBORDINATORS or word in _KEPT or word in AFTER_PREPOSITION
    closed = closed or word in ("whichever", "whatever", "instead")
    return not closed and not _verbal(word) and (word[0].isalnum()) and len(word) > 1


def _with_complement(words: Words, i: int) -> int:
    """Go on over "of the supplier", "on duty" when a verb follows; else the head stands alone."""
    if i + 1 >= len(words) or words[i + 1].low not in _POSTPOSED:
        return i
    for j in range(i + 2, min(i + 8, len(words))):
        low = words[j].low
        if low in v.AUXILIARIES or _verbal(low) or is_adverb(low) or low in ("who", "that"):
            return j - 1 if j > i + 2 else i
        if low == "," or not (low[0].isalnum() or low == "'s") or low in v.CONJUNCTIONS:
            return i
    return i
