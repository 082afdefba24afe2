"""How well ``amends lint`` tells blame from fact, against a naive lexicon.

Three questions: on labelled sentences and on paraphrases (``review_language.tsv``, written for this),
precision and recall for each label; on sentences of real post-mortems drawn at random, how many are flagged.
With --show the last prints what was flagged, for a person to judge: only a person can say which flag is
wrong. Intervals are Wilson's, 95%.

    python benchmarks/review_language.py [--data ../shared/data] [--draw 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

from amends.reviews.language.lint import lint_text
from amends.reviews.language.passages import passages
from amends.reviews.language.sentences import sentences

LABELS = ("blame", "counterfactual", "hindsight", "single-cause", "person-named")
# What a first attempt looks for: Dekker's phrases and the words that blame is made of.
LEXICON = {
    "blame": r"\b(fail(?:ed|s|ure) to|forg[eo]t\w*|miss(?:ed|ing)|ignor\w+|broke|mistake\w*|careless\w*|"
    r"fault|blame\w*|human error|accident\w*|overlook\w*|neglect\w*|did ?n[o'’]t|stupid|idiot|sloppy|"
    r"incorrectly|wrong\w*)\b",
    "counterfactual": r"\b((?:should|could|would|might)(?:n[’']t| not)?(?:[’']ve| have|\b)|if only|ought to)",
    "single-cause": r"\b(root cause|caused by|due to|because of)\b",
    "person-named": r"@\w+",
}


def wilson(k: int, n: int, z: float = 1.959964) -> str:
    """Return k/n with Wilson's score interval (1927)."""
    if n == 0:
        return "–"
    p, d = k / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / d
    half = z / d * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return f"{p:.2f} ({max(middle - half, 0):.2f}–{min(middle + half, 1):.2f})"


def linted(sentence: str) -> set[str]:
    return {finding.label.value for finding in lint_text(sentence).findings}


def matched(sentence: str) -> set[str]:
    return {label for label, pattern in LEXICON.items() if re.search(pattern, sentence, re.IGNORECASE)}


def read_labelled(path: Path) -> list[tuple[str, set[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(row["sentence"], {row["label"]} | ({row["also"]} & set(LABELS))) for row in rows]


def read_paraphrases() -> list[tuple[str, set[str]]]:
    with Path(__file__).with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
        return [(row["sentence"], {row["label"]}) for row in csv.DictReader(file, delimiter="\t")]


def score(rows: list[tuple[str, set[str]]], judge: Callable[[str], set[str]]) -> list[str]:
    """Return a table's rows: precision and recall for each label."""
    found = [(judge(sentence), truth) for sentence, truth in rows]
    lines = []
    for label in LABELS:
        hit = sum(label in said and label in truth for said, truth in found)
        said_so, true = sum(label in said for said, _ in found), sum(label in truth for _, truth in found)
        lines.append(f"{label} | {true} | {wilson(hit, said_so)} | {wilson(hit, true)}")
    neutral = [said for said, truth in found if truth == {"neutral"}]
    lines.append(f"neutral, flagged | {len(neutral)} | {wilson(sum(map(bool, neutral)), len(neutral))} | ")
    return lines


def draw_sentences(folder: Path, count: int, seed: int) -> list[str]:
    """Draw sentences of real post-mortems, each as prose without its section."""
    every = [
        " ".join(passage.text[s.tokens[0].start : s.tokens[-1].end].split())
        for path in sorted(folder.glob("*.md"))
        for passage in passages(path.read_text("utf-8", "replace"))
        for s in sentences(passage)
        if len(s.tokens) > 3
    ]
    return random.Random(seed).sample(every, min(count, len(every)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--draw", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", action="store_true", help="print every sentence that is flagged")
    asked = options.parse_args()
    if not (asked.data / "blame_sentences.tsv").exists():
        print(f"no data at {asked.data}; give its folder with --data")
        return
    rows = read_labelled(asked.data / "blame_sentences.tsv")
    drawn = draw_sentences(asked.data / "postmortems", asked.draw, asked.seed)
    for name, judge in (("amends lint", linted), ("lexicon", matched)):
        print(f"\n{name}\n\n| label | n | precision | recall |\n|---|---:|---|---|")
        print("\n".join(f"| {line} |" for line in score(rows, judge)))
        print("\nparaphrases")
        print("\n".join(f"| {line} |" for line in score(read_paraphrases(), judge) if "| 0 |" not in line))
        began = time.perf_counter()
        flagged = [(judge(sentence), sentence) for sentence in drawn]
        spent = time.perf_counter() - began
        hits = [one for one in flagged if one[0]]
        part = wilson(len(hits), len(drawn))
        print(f"\ndrawn at random: {len(hits)} of {len(drawn)} flagged {part}, {spent:.1f} s")
        for said, sentence in hits if asked.show and judge is linted else ():
            print(f"  {', '.join(sorted(said))}: {sentence[:240]}")


if __name__ == "__main__":
    main()
