"""Cuts a passage into sentences and sentences into words that know their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from amends.reviews.language.markup import CODE, Plain, strip_marks
from amends.reviews.language.passages import Kind, Passage

LONGEST = 400  # words; what is longer is a list or a dump, and is judged piece by piece

_WORD = re.compile(
    r"[A-Za-z]+(?=n['’]t\b)|n['’]t\b|['’](?:ve|re|ll|d|s|m)\b"
    r"|@?\w[\w./:@+-]*\w|@?\w|[^\w\s]"
)
_SPOKEN = {
    "n't": "not", "'ve": "have", "'re": "are", "'ll": "will", "'m": "am", "ca": "can", "wo": "will",
    "cannot": "can", "whilst": "while", "of": "of",
}  # fmt: skip
_STAMP = r"[\[(*_]{0,3}(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}[:.]\d\d\b"
_END = re.compile(
    rf"(?P<stop>[.!?…]+[\"'”’)\]]*)\s+(?=[A-Z0-9\"“'‘(\[@{CODE}])"
    rf"|(?:  +|\\)\n|\n(?=[ \t]*{_STAMP})|\n[ \t]*\n"
)
_SHORTENED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|resp|mr|mrs|ms|dr|st|no|fig|inc|ltd)|\b[A-Z])\.$", re.I
)
_QUOTED = re.compile(r"\"[^\"\n]{1,400}\"|“[^“”\n]{1,400}”|«[^«»\n]{1,400}»")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark. ``low`` is in lower case, with contractions spoken out."""

    text: str
    low: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; ``tokens`` have offsets in the passage's text, marks and all.

    ``words`` are the tokens in lower case.
    """

    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    kind: Kind
    section: str
    quoted: frozenset[int]  # tokens between quotation marks, where those are not around the whole

    def shown(self, first: int, last: int) -> str:
        """Return tokens as a reader sees them."""
        parts = []
        for i in range(max(first, 0), min(last + 1, len(self.tokens))):
            token = self.tokens[i]
            glued = i > first and token.start == self.tokens[i - 1].end
            parts.append(("" if glued or i == first else " ") + ("…" if token.text == CODE else token.text))
        return "".join(parts)


def sentences(passage: Passage) -> Iterator[Sentence]:
    """Yield the sentences of a passage that hold a word."""
    plain = strip_marks(passage.text)
    for start, end in _cuts(plain.text):
        tokens = tuple(_tokens(plain, start, end))
        for piece in (tokens[i : i + LONGEST] for i in range(0, len(tokens), LONGEST)):
            if any(token.low[0].isalpha() or token.low[0] == "@" for token in piece):
                words = tuple(token.low for token in piece)
                yield Sentence(
                    piece, words, passage.kind, passage.section, _inside_quotes(plain, piece, start, end)
                )


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for found in _END.finditer(text):
        stop = found.end("stop") if found["stop"] else found.start()
        if found["stop"] and _SHORTENED.search(text, max(begin, stop - 12), stop):
            continue
        yield begin, stop
        begin = found.end()
    yield begin, len(text)


def _tokens(plain: Plain, start: int, end: int) -> Iterator[Token]:
    for found in _WORD.finditer(plain.text, start, end):
        low = found[0].lower().replace("’", "'")
        yield Token(found[0], _SPOKEN.get(low, low), plain.at[found.start()], plain.at[found.end() - 1] + 1)


def _inside_quotes(plain: Plain, tokens: tuple[Token, ...], start: int, end: int) -> frozenset[int]:
    spans = []
    whole = end - start
    for found in _QUOTED.finditer(plain.text, start, end):
        if len(found[0]) < 0.8 * whole:
            spans.append((plain.at[found.start()], plain.at[found.end() - 1]))
    return frozenset(
        i for i, token in enumerate(tokens) if any(low <= token.start < high for low, high in spans)
    )
