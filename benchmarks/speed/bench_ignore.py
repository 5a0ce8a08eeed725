"""What `ignore` and `tokens="all"` cost, on texts that have nothing to ignore and on texts that have much.

    python -m benchmarks.speed.bench_ignore --texts 10000 --rounds 7

The texts are invented news (`benchmarks.corpora.news`). `without` are these as they are: some typographic quotes and
numbers, no accents, tags or hyphenated line ends. `with` are the same with much of what is ignored:

    accents        one word in four has accents on its vowels
    markup         each sentence in tags with an attribute, one blank in twenty a reference, a script at the top
    hyphenation    lines of 60 characters; a word that does not fit is divided
    numbers        one word in twelve is a number

A search with the option and one without it, `find_duplicates(texts, threads=1)`, take turns. Seconds are processor
time, the median of all rounds; the ratio is that of the medians. The searches without the option are of the same texts.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

import dedup
from benchmarks.corpora.named import corpus
from benchmarks.publish import report

ACCENTED = str.maketrans("aeiou", "áèîöú")
WIDTH = 60


def accents(text: str, random: Random) -> str:
    """The text, one word in four with accents."""
    words = text.split(" ")
    return " ".join(word.translate(ACCENTED) if random.random() < 0.25 else word for word in words)


def markup(text: str, random: Random) -> str:
    """The text as a page of HTML."""
    sentences = re.split(r"(?<=[.!?]) ", text)
    parts = [f'<p class="c{random.randrange(9)}">{sentence}</p>' for sentence in sentences]
    words = " ".join(parts).split(" ")
    return "<script>var a = 1 < 2;</script>\n" + "".join(
        word + ("&nbsp;" if random.random() < 0.05 else " ") for word in words
    )


def hyphenation(text: str, _: Random) -> str:
    """The text in lines, whose last words are divided where they do not fit."""
    lines, line = [], ""
    for word in text.split():
        room = WIDTH - len(line) - 1
        if len(word) <= room:
            line += f" {word}" if line else word
        elif room > 3 and len(word) > 6 and word.isalpha():
            lines.append(f"{line} {word[: room - 2]}-")
            line = word[room - 2 :]
        else:
            lines.append(line)
            line = word
    return "\n".join([*lines, line])


def numbers(text: str, random: Random) -> str:
    """The text, one word in twelve a number."""
    return " ".join(str(random.randrange(10_000)) if random.random() < 1 / 12 else word for word in text.split(" "))


OPTIONS: dict[str, tuple[dict[str, Any], Callable[[str, Random], str]]] = {
    "accents": ({"ignore": "accents"}, accents),
    "markup": ({"ignore": "markup"}, markup),
    "hyphenation": ({"ignore": "hyphenation"}, hyphenation),
    "numbers": ({"ignore": "numbers"}, numbers),
    "all four": ({"ignore": ("accents", "markup", "hyphenation", "numbers")}, markup),
    'tokens="all"': ({"tokens": "all"}, lambda text, _: text),
}


def measured(texts: list[str], options: dict[str, Any], rounds: int) -> tuple[float, float, float]:
    """The seconds of a search without and with the options, and the ratio of their medians."""
    plain, asked = [], []
    dedup.find_duplicates(texts[:50], threads=1, **options)
    for _ in range(rounds):
        for into, some in ((plain, {}), (asked, options)):
            begun = time.process_time()
            dedup.find_duplicates(texts, threads=1, **some)
            into.append(time.process_time() - begun)
    return median(plain), median(asked), median(asked) / median(plain)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_ignore", description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    print("\n".join(report.machine()))
    news = corpus(given.texts)
    for name, (options, change) in OPTIONS.items():
        random = Random(1)
        for what, texts in (("without", news), ("with", [change(text, random) for text in news])):
            size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6
            plain, asked, ratio = measured(texts, options, given.rounds)
            print(
                f"{name:13} {what:8} {len(texts):,} texts, {size:.1f} MB: {plain:.3f} s, "
                f"with the option {asked:.3f} s, ratio {ratio:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
