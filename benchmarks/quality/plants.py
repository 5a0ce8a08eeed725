"""Passages planted with edits, of which it is known where they are and where they are from; and the judge of a search.

Half of the texts are sources, the other half hosts. A passage of some words of a source (what
white space separates, with a letter or digit in it) is edited and put between two words of a host. A passage is chosen
so that no ten words in a row of it occur in another text: else it has several sources. The texts, the edits and the
places depend on the arguments only.

Measures are those of PAN [1], in characters, means over passages and detections. A detection is right where it and its
source overlap a planted passage and where that is from. What is not right, but found in the host without the passage
too (there, or in the same source), is natural and not counted. plagdet = F1 / log2(1 + granularity).

References: [1] Potthast, Stein, Barron-Cedeno, Rosso, "An evaluation framework for plagiarism detection", 2010.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple

from benchmarks import needs
from benchmarks.corpora import named

__all__ = ["CORPORA", "Detection", "Planted", "Score", "digest", "plant", "score"]

GRAM = 10
"""Words. A passage has one source if no sequence of so many of its words occurs in another text."""

MOST_CHARACTERS = 12_000
"""Of a text; of a longer one this many from its middle."""

WORD = re.compile(r"\w+")
SPACED = re.compile(r"\S*\w\S*")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Plant(NamedTuple):
    """A passage, in characters: from `start` to `end` of a source, edited at `place` to `stop` of a page."""

    source: int
    start: int
    end: int
    page: int
    place: int
    stop: int


class Planted(NamedTuple):
    """Sources, hosts, pages (hosts with passages), and what was planted."""

    sources: list[str]
    hosts: list[str]
    pages: list[str]
    plants: list[Plant]


class Detection(NamedTuple):
    """What a search found, in characters: of a page, and of a source."""

    page: int
    start: int
    end: int
    source: int
    source_start: int
    source_end: int


class Score(NamedTuple):
    """What a search is worth. `lost` are the plants of which less than half was found."""

    recall: float
    precision: float
    granularity: float
    plagdet: float
    lost: list[Plant]


def digest(texts: Iterable[str]) -> str:
    """Return a digest of texts and of their borders."""
    made = hashlib.sha256()
    for text in texts:
        data = text.encode()
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.hexdigest()[:16]


# the texts


def middle(text: str) -> str:
    """Return the middle of a long text, in complete words."""
    if len(text) <= MOST_CHARACTERS:
        return text
    begin = (len(text) - MOST_CHARACTERS) // 2
    return text[begin : begin + MOST_CHARACTERS].partition(" ")[2].rpartition(" ")[0]


def policies() -> list[str]:
    """Return policies in English, one a service."""
    path = needs.data("ota_dev/ota_versions.jsonl.zst")
    rows = [json.loads(line) for line in named._content(path).split("\n") if line]
    return list({row["cluster"]: row["text"] for row in rows}.values())


def laws() -> list[str]:
    """Return laws in German, with the formulas of laws."""
    path = needs.data("de_gesetze/de_gesetze.jsonl.zst")
    return [json.loads(line)["text"] for line in named._content(path).split("\n") if line]


def codes() -> list[str]:
    """Return pieces of codes of civil procedure in English, scanned, which copied one another."""
    made = []
    for path in sorted(needs.data("civil_codes_dev").glob("*.txt*")):
        text = named._content(path)
        made += [text[at : at + MOST_CHARACTERS] for at in range(20_000, len(text) - MOST_CHARACTERS, 60_000)]
    return made


def generated() -> list[str]:
    """Return generated news: no data is needed."""
    return named.corpus(800, 4000)


CORPORA: dict[str, Callable[[], list[str]]] = {
    "generated": generated,
    "ota_dev": policies,
    "de_gesetze": laws,
    "civil_codes_dev": codes,
}


@cache
def chosen(corpus: str, most: int) -> tuple[str, ...]:
    """Return the texts of a corpus with 300 words or more, in a mixed order."""
    texts = [text for text in map(middle, CORPORA[corpus]()) if len(SPACED.findall(text)) >= 400]
    Random(corpus).shuffle(texts)
    return tuple(texts[:most])


@cache
def repeated_grams(texts: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Return the ten words in a row that occur in two texts."""
    seen: set[tuple[str, ...]] = set()
    twice: set[tuple[str, ...]] = set()
    for text in texts:
        own = set(grams(text))
        twice |= own & seen
        seen |= own
    return frozenset(twice)


def grams(text: str) -> Iterator[tuple[str, ...]]:
    """Yield all ten words in a row."""
    words = WORD.findall(text.casefold())
    return zip(*(words[i:] for i in range(GRAM)), strict=False)


# the edits: each takes words, a share, words to draw from


def edit_words(words: list[str], share: float, vocabulary: list[str], chance: Random) -> list[str]:
    """Edit a share of the words: substitute, insert, delete in equal parts."""
    made = []
    for word in words:
        kind = chance.randrange(3) if chance.random() < share else -1
        if kind != 2:
            made.append(chance.choice(vocabulary) if kind == 0 else word)
        if kind == 1:
            made.append(chance.choice(vocabulary))
    return made


def delete_words(words: list[str], share: float, vocabulary: list[str], chance: Random) -> list[str]:
    """Delete a share of the words."""
    return [word for word in words if chance.random() >= share]


def edit_characters(words: list[str], share: float, vocabulary: list[str], chance: Random) -> list[str]:
    """Edit a share of the characters of the words: substitute, insert, delete in equal parts."""
    made = []
    for word in words:
        letters = []
        for letter in word:
            kind = chance.randrange(3) if chance.random() < share else -1
            if kind != 2:
                letters.append(chance.choice(LETTERS) if kind == 0 else letter)
            if kind == 1:
                letters.append(chance.choice(LETTERS))
        if letters:
            made.append("".join(letters))
    return made


def leave_out(words: list[str], share: float, vocabulary: list[str], chance: Random) -> list[str]:
    """Leave out one stretch: a share of the words, in the middle."""
    at = len(words) // 2
    return [*words[: at - round(share * len(words) / 2)], *words[at + round(share * len(words) / 2) :]]


EDITS: dict[str, Callable[[list[str], float, list[str], Random], list[str]]] = {
    "words": edit_words,
    "deleted": delete_words,
    "characters": edit_characters,
    "gap": leave_out,
}


def plant(
    corpus: str, size: int, edit: str, share: float, *, most: int = 600, copies: int = 1, seed: int = 1
) -> Planted:
    """Plant passages of `size` words into half of at most so many texts; each into so many pages."""
    texts = chosen(corpus, most)
    twice = repeated_grams(texts)
    chance = Random(f"{corpus}:{size}:{edit}:{share}:{copies}:{seed}")
    vocabulary = [word for text in texts for word in SPACED.findall(text)]
    count = len(texts) // 2
    sources, hosts = list(texts[:count]), list(texts[count : 2 * count])
    inside: list[list[tuple[int, int, int, str]]] = [[] for _ in hosts]
    for number, source in enumerate(sources):
        words = list(SPACED.finditer(source))
        for _ in range(50):
            at = chance.randrange(len(words) - size)
            start, end = words[at].start(), words[at + size - 1].end()
            if twice.isdisjoint(grams(source[start:end])):
                break
        else:
            continue
        for copy in range(copies):
            made = " ".join(EDITS[edit](source[start:end].split(), share, vocabulary, chance))
            inside[(number + 7 * copy) % count].append((number, start, end, made))
    pages, plants = [], []
    for page, (host, some) in enumerate(zip(hosts, inside, strict=True)):
        spaces = [match.start() for match in re.finditer(" ", host)]
        begins = sorted(place + 1 for place in chance.sample(spaces, len(some)))
        text, cut = "", 0
        for place, (number, start, end, made) in zip(begins, some, strict=True):
            text += host[cut:place]
            plants.append(Plant(number, start, end, page, len(text), len(text) + len(made)))
            text += f"{made} "
            cut = place
        pages.append(text + host[cut:])
    return Planted(sources, hosts, pages, plants)


# the judge


def shared(a: int, a_end: int, b: int, b_end: int) -> int:
    """Characters that two spans share."""
    return max(0, min(a_end, b_end) - max(a, b))


def union(spans: Iterable[tuple[int, int]]) -> int:
    """Characters that some spans cover together."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def alike(one: Detection, other: Detection, plants: Iterable[Plant]) -> bool:
    """Whether a detection in a page with plants is of what another is of in the host, or is from where that is from."""
    before = sum(plant.stop - plant.place + 1 for plant in plants if plant.place <= one.start)
    here = shared(one.start - before, one.end - before, other.start, other.end)
    there = shared(one.source_start, one.source_end, other.source_start, other.source_end)
    return here > 0 or (there > 0 and one.source == other.source)


def score(planted: Planted, found: Iterable[Detection], natural: Iterable[Detection]) -> Score:
    """Judge what was found in the pages; `natural` is what was found in the hosts as they were."""
    of_page: dict[int, list[Plant]] = {}
    for plant in planted.plants:
        of_page.setdefault(plant.page, []).append(plant)
    known: dict[int, list[Detection]] = {}
    for one in natural:
        known.setdefault(one.page, []).append(one)
    hits: dict[Plant, list[Detection]] = {plant: [] for plant in planted.plants}
    precisions = []
    for one in found:
        if one.source >= len(planted.sources):
            continue  # what pages repeat of other pages
        touched = [p for p in of_page.get(one.page, ()) if shared(one.start, one.end, p.place, p.stop)]
        right = [
            p
            for p in touched
            if p.source == one.source and shared(one.source_start, one.source_end, p.start, p.end) > 0
        ]
        for plant in right:
            hits[plant].append(one)
        if not right and any(alike(one, other, of_page.get(one.page, ())) for other in known.get(one.page, ())):
            continue
        length = one.end - one.start + one.source_end - one.source_start
        here = union((max(one.start, p.place), min(one.end, p.stop)) for p in right)
        there = union((max(one.source_start, p.start), min(one.source_end, p.end)) for p in right)
        precisions.append((here + there) / length)
    recalls, pieces, lost = [], [], []
    for plant, some in hits.items():
        here = union((max(one.start, plant.place), min(one.end, plant.stop)) for one in some)
        there = union((max(one.source_start, plant.start), min(one.source_end, plant.end)) for one in some)
        recalls.append((here + there) / (plant.stop - plant.place + plant.end - plant.start))
        if some:
            pieces.append(len(some))
        if recalls[-1] < 0.5:
            lost.append(plant)
    recall = sum(recalls) / max(len(recalls), 1)
    precision = sum(precisions) / len(precisions) if precisions else 0.0
    granularity = sum(pieces) / len(pieces) if pieces else 1.0
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return Score(recall, precision, granularity, f1 / math.log2(1 + granularity), lost)
