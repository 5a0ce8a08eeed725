"""Collections of which it is known what belongs together, one a kind of text and of difference.

`Kind.texts` are texts, `Kind.groups` says which are versions of one (an int a text). Half of the kinds (`chosen`) were
looked at when the rule of `dedup.suggest` was made, the others not. Sets of a few hundred to two thousand texts.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import dedup
from benchmarks.corpora import vocabulary
from benchmarks.corpora.named import _content
from benchmarks.quality.quality_noise import noisy

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """Texts, and the number of the group of each."""

    name: str
    texts: list[str]
    groups: list[int]


Groups = list[list[str]]


def articles(root: Path, count: int, skip: int = 0) -> list[str]:
    """Return news articles in English, all different."""
    folder = root / "minhash_articles"
    planted = set(_content(folder / "articles_2500.truth").split())
    rows = [line.partition(" ") for line in _content(folder / "articles_2500.train.zst").split("\n") if line.strip()]
    return [text for name, _, text in rows if name not in planted][skip : skip + count]


def laws(root: Path, count: int) -> list[str]:
    """Return sections of German laws, 300 to 3,000 characters, one a law."""
    made = []
    for line in _content(root / "de_gesetze" / "de_gesetze.jsonl.zst").split("\n"):
        if line.strip():
            parts = [part.strip() for part in re.split(r"\n#+ .*\n", json.loads(line)["text"])]
            made += [part for part in parts if 300 <= len(part) <= 3000][1:2]
    Random(1).shuffle(made)
    return unlike(made)[:count]


def unlike(texts: list[str]) -> list[str]:
    """Return one of each texts that share much: what a law or a poem repeats of another is in nobody's truth."""
    kept: list[str] = dedup.find_duplicates(texts, shingle="words:2", threshold=0.15).filter(texts)
    return kept


def poems(root: Path) -> dict[str, str]:
    """Return the poems of both editions by id."""
    found = {}
    for name in ("quantangshi", "yuding_quantangshi"):
        for line in _content(root / "tang_poetry" / f"{name}.jsonl.zst").split("\n"):
            if line.strip():
                record = json.loads(line)
                found[record["id"]] = record["text"]
    return found


def clusters(path: Path) -> dict[str, list[str]]:
    """Return the texts of each cluster of a file of JSON lines."""
    found: dict[str, list[str]] = {}
    for line in _content(path).split("\n"):
        if line.strip():
            record = json.loads(line)
            found.setdefault(str(record["cluster"]), []).append(record["text"])
    return found


def half(texts: list[str], change: Callable[[str], str]) -> Groups:
    """Return every second text with a changed copy, and the others alone."""
    return [[text, change(text)] if i % 2 else [text] for i, text in enumerate(texts)]


# ------------------------------------------------------------------------------------------- kinds


def noise(rates: tuple[float, ...], kind: str, skip: int) -> Callable[[Path], Groups]:
    """Return a maker of articles with a noisy copy, each with one of these rates."""

    def made(root: Path) -> Groups:
        texts, random = articles(root, 600, skip), Random(2)
        letters = "".join(texts)
        return half(texts, lambda text: noisy(text, random.choice(rates), kind, letters, random))

    return made


def systematic(root: Path) -> Groups:
    """Articles, and the same with long s, rn for m, and half of the blanks of some lost."""
    random = Random(3)

    def change(text: str) -> str:
        text = re.sub(r"s(?=\w)", "ſ", text).replace("m", "rn").replace("ct", "&")
        return "".join(letter for letter in text if letter != " " or random.random() > 0.15).replace("ſ", "f")

    return half(articles(root, 600, 900), change)


WORD: Final = re.compile(r"[a-z]{2,}")


def titles(root: Path) -> Groups:
    """Titles of 3 to 9 words, half with a copy with one edit."""
    random = Random(4)
    words = WORD.findall(" ".join(articles(root, 800)).lower())
    made: dict[str, None] = {}
    while len(made) < 1200:
        start = random.randrange(len(words) - 9)
        made[" ".join(words[start : start + random.randint(3, 9)]).title()] = None

    def change(title: str) -> str:
        parts = title.split()
        at, dice = random.randrange(len(parts)), random.randrange(6)
        word = parts[at]
        letter = random.randrange(len(word))
        if dice == 0:
            parts[at] = word[:letter] + random.choice("etaoinshr") + word[letter + 1 :]
        elif dice == 1:
            parts[at] = word[:letter] + word[letter + 1 :]
        elif dice == 2:
            parts[at] = random.choice(words).title()
        elif dice == 3:
            del parts[at]
        elif dice == 4:
            parts.insert(at, random.choice(words).title())
        else:
            other = (at + 1) % len(parts)
            parts[at], parts[other] = parts[other], parts[at]
        return " ".join(parts)

    return half(list(made), change)


def spellings(root: Path) -> Groups:
    """German sections in two spellings: today's, and one with Theil, seyn, daß, Cultur, and doubled vowels."""
    rules = [
        ("t(?=[aeiou])", "th"),
        ("ei", "ey"),
        ("ss", "ß"),
        ("k(?=[lou])", "c"),
        ("z(?=[eit])", "tz"),
        ("i(?=er)", "j"),
    ]

    def change(text: str) -> str:
        for wanted, given in rules:
            text = re.sub(wanted, given, text)
        return text

    return half(laws(root, 700), change)


def versions(root: Path) -> Groups:
    """Articles over years: up to five versions, each with some sentences of the last one changed, moved, cut or new."""
    random = Random(5)
    stock = re.split(r"(?<=[.!?]) ", " ".join(articles(root, 200, 1900)))

    def later(text: str) -> str:
        sentences = re.split(r"(?<=[.!?]) ", text)
        for _ in range(max(1, len(sentences) // 8)):
            at = random.randrange(len(sentences))
            dice = random.randrange(4)
            if dice == 0 and len(sentences) > 2:
                del sentences[at]
            elif dice == 1:
                sentences.insert(at, random.choice(stock))
            elif dice == 2:
                words = sentences[at].split(" ")
                words[random.randrange(len(words))] = random.choice(stock).split(" ")[0]
                sentences[at] = " ".join(words)
            else:
                sentences.append(sentences.pop(at))
        return " ".join(sentences)

    made = []
    for i, text in enumerate(articles(root, 450, 1200)):
        group = [text]
        for _ in range(i % 5):
            group.append(later(group[-1]))
        made.append(group)
    return made


def statutes(root: Path) -> Groups:
    """Acts of which two thirds are formulas that all share; versions differ in a few words of what is their own."""
    random = Random(6)
    formulas = [text[: text.find(". ", 200) + 1] for text in articles(root, 24, 1700)]
    vocabulary = WORD.findall(" ".join(articles(root, 200, 1750)).lower())

    def change(text: str) -> str:
        words = text.split(" ")
        for _ in range(max(1, len(words) // 50)):
            words[random.randrange(len(words))] = random.choice(vocabulary)
        return " ".join(words)

    made = []
    for i, text in enumerate(articles(root, 500, 1750)):
        own = text[: random.randint(250, 900)].split(". ")
        chosen = sorted(random.sample(range(24), 8))
        parts = own + [formulas[each] for each in chosen]
        whole = " ".join(f"{part}." for part in parts)
        made.append([whole, *(change(whole) for _ in range(i % 3))])
    return made


def languages(root: Path) -> Groups:
    """English, German, Chinese, French, Dutch, Polish: half with a copy in which one word in twenty is another."""
    random = Random(7)
    pages = [text for group in clusters(root / "ocr_dev" / "ocr.jsonl.zst").values() for text in group[:1]]
    verses = list(poems(root).values())
    random.shuffle(verses)
    some = unlike([verse for verse in verses if len(verse) >= 60][:400])
    texts = articles(root, 200, 400) + laws(root, 200) + some[:200] + pages[:200]

    def change(text: str) -> str:
        words = text.split(" ") if text.count(" ") > len(text) / 20 else list(text)
        for _ in range(max(1, len(words) // 20)):
            words[random.randrange(len(words))] = random.choice(words)
        return ("" if len(words) > len(text) / 2 else " ").join(words)

    return half(texts, change)


SCRIPTS: Final = {
    "latin": (0x61, 0x7A), "greek": (0x3B1, 0x3C9), "cyrillic": (0x430, 0x44F), "armenian": (0x561, 0x586),
    "hebrew": (0x5D0, 0x5EA), "arabic": (0x627, 0x63A), "devanagari": (0x905, 0x939), "thai": (0xE01, 0xE2E),
    "hangul": (0xAC00, 0xAE00), "han": (0x4E00, 0x5400),
}  # fmt: skip
"""First and last letter."""


def scripts(_: Path) -> Groups:
    """Texts in ten scripts, of invented words by Zipf's law; half with a copy: one letter in forty is another."""
    random = Random(8)
    made: Groups = []
    for name, (first, last) in SCRIPTS.items():
        letters = [chr(point) for point in range(first, last + 1)]
        longest = {"han": 2, "hangul": 4}.get(name, 9)
        words = ["".join(random.choices(letters, k=random.randint(1, longest))) for _ in range(4000)]
        weights = [1 / (rank + 3) for rank in range(4000)]
        blank = "" if name in ("han", "thai") else " "
        for i in range(80):
            text = blank.join(random.choices(words, weights, k=random.randint(25, 120)))
            copy = "".join(letter if random.random() > 0.025 else random.choice(letters) for letter in text)
            made.append([text, copy] if i % 2 else [text])
    return made


def scans(root: Path) -> Groups:
    """Scanned pages and their corrected text."""
    return list(clusters(root / "ocr_dev" / "ocr.jsonl.zst").values())


def poetry(root: Path) -> Groups:
    """Poems that both editions have, half of them in both."""
    texts = poems(root)
    rows = list(
        csv.reader(io.StringIO(_content(root / "tang_poetry" / "same_title_author_pairs.tsv.zst")), delimiter="\t")
    )
    Random(9).shuffle(rows)
    rows = [row for row in rows if row[0] in texts and row[1] in texts][:1000]
    return [[texts[row[0]], texts[row[1]]] if i % 2 else [texts[row[0]]] for i, row in enumerate(rows)]


def terms(root: Path) -> Groups:
    """Terms of service over years."""
    found = list(clusters(root / "ota_dev" / "ota_versions.jsonl.zst").values())
    Random(10).shuffle(found)
    return found[:300]


def bibles(root: Path) -> Groups:
    """Chapters in up to seventeen translations."""
    found = list(clusters(root / "bible_versions" / "bible_chapters.jsonl.zst").values())
    Random(11).shuffle(found)
    return found[:80]


# kinds that were made after the rule


def texts_of(path: Path) -> list[str]:
    """Return the texts of a file of JSON lines."""
    return [json.loads(line)["text"] for line in _content(path).split("\n") if line.strip()]


def reworded(share: float, random: Random) -> Callable[[str], str]:
    """Return a function that puts other words of the text in the place of a share of its words."""

    def change(text: str) -> str:
        words = text.split(" ")
        for _ in range(max(1, round(len(words) * share))):
            words[random.randrange(len(words))] = random.choice(words)
        return " ".join(words)

    return change


def products(_: Path) -> Groups:
    """Names of products, half of them listed again: a word left out, moved, abbreviated or spelled together."""
    random = Random(13)
    words = vocabulary.words()
    brands, nouns, colours = words[200:320], words[400:900], words[1000:1030]
    made: dict[str, None] = {}
    while len(made) < 1000:
        size = f"{random.randint(2, 90)} {random.choice(('oz', 'ml', 'cm', 'inch', 'pack'))}"
        name = [random.choice(brands).title(), random.choice(nouns), random.choice(nouns), random.choice(colours), size]
        made[" ".join([*name, f"{random.choice('ABKTX')}{random.randint(100, 9999)}"])] = None

    def change(name: str) -> str:
        parts = name.split(" ")
        at, dice = random.randrange(len(parts) - 2), random.randrange(4)
        if dice == 0:
            del parts[at]
        elif dice == 1:
            parts.append(parts.pop(at))
        elif dice == 2:
            parts[at] = parts[at][:4] + "."
        else:
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return " ".join(parts)

    return half(list(made), change)


def noisy_poems(root: Path) -> Groups:
    """Chinese poems, half with a copy in which 5 to 15 % of the characters are others."""
    random = Random(14)
    verses = list(poems(root).values())
    random.shuffle(verses)
    texts = unlike([verse for verse in verses if 40 <= len(verse) <= 200][:1200])[:800]
    letters = "".join(texts)
    return half(texts, lambda text: noisy(text, random.choice((0.05, 0.1, 0.15)), "ocr", letters, random))


def noisy_laws(root: Path) -> Groups:
    """German sections, half with a scanned copy: 2 to 10 % of the characters misread."""
    random = Random(15)
    texts = laws(root, 700)
    letters = "".join(texts)
    return half(texts, lambda text: noisy(text, random.choice((0.02, 0.05, 0.1)), "ocr", letters, random))


def old_english(root: Path) -> Groups:
    """Articles, half with a copy in an old spelling: vp, haue, olde, iudge, shippe, publick."""
    rules = [(r"\bu(?=[nps])", "v"), (r"(?<=[aeo])v(?=e)", "u"), (r"(?<=[lnr]d)\b", "e"), (r"\bj", "i")]
    rules += [(r"ip\b", "ippe"), (r"ic\b", "ick"), (r"y\b", "ie"), (r"(?<=[aeiou])n\b", "nne"), (r"or\b", "our")]

    def change(text: str) -> str:
        for wanted, given in rules:
            text = re.sub(wanted, given, text)
        return text

    return half(articles(root, 600, 300), change)


def templates(root: Path) -> Groups:
    """Reference pages of one template, half with a version in which one word in fifty is another."""
    texts = [text for text in texts_of(root / "win32_docs" / "win32_docs.jsonl.zst") if 400 <= len(text) <= 6000]
    Random(16).shuffle(texts)
    kept: list[str] = dedup.find_duplicates(texts[:1500], shingle="words:3", threshold=0.5).filter(texts[:1500])
    return half(kept[:700], reworded(0.02, Random(16)))


def acts(root: Path) -> Groups:
    """Acts of one council, with their formulas, half with a version in which one word in thirty is another."""
    texts = [text for text in texts_of(root / "dc_laws_dev" / "dc_laws.jsonl.zst") if 400 <= len(text) <= 8000]
    Random(17).shuffle(texts)
    kept: list[str] = dedup.find_duplicates(texts[:2000], shingle="words:3", threshold=0.5).filter(texts[:2000])
    return half(kept[:700], reworded(0.033, Random(17)))


def sentences(root: Path) -> Groups:
    """Sentences of 10 to 25 words, half with a copy in which one to three words are others."""
    random = Random(18)
    found = re.split(r"(?<=[.!?]) ", " ".join(articles(root, 900, 500)))
    texts = unlike(list(dict.fromkeys(text for text in found if 10 <= text.count(" ") + 1 <= 25))[:2500])[:1000]
    return half(texts, lambda text: reworded(random.choice((0.07, 0.12, 0.16)), random)(text))


def cut(root: Path) -> Groups:
    """Articles, half with a copy of which the first or last part, up to 40 %, was cut off."""
    random = Random(19)

    def change(text: str) -> str:
        lost = int(len(text) * random.uniform(0.02, 0.4))
        return text[lost:] if random.random() < 0.5 else text[: len(text) - lost]

    return half(articles(root, 600, 100), change)


def columns(root: Path) -> Groups:
    """Articles, half with a scanned copy in narrow columns: words split at line ends, blanks lost, ligatures lost."""
    random = Random(20)

    def change(text: str) -> str:
        text = text.replace("fi", "").replace("fl", "")
        text = "-\n".join(text[start : start + 38] for start in range(0, len(text), 38))
        return "".join(letter for letter in text if letter != " " or random.random() > 0.08)

    return half(articles(root, 600, 1500), change)


MAKERS: Final[dict[str, tuple[bool, Callable[[Path], Groups]]]] = {
    "noise": (True, noise((0.01, 0.02, 0.05, 0.1), "ocr", 0)),
    "titles": (True, titles),
    "languages": (True, languages),
    "spellings": (True, spellings),
    "tang_poetry": (True, poetry),
    "ota_dev": (True, terms),
    "heavy noise": (True, noise((0.1, 0.15, 0.2), "edit", 600)),
    "systematic": (True, systematic),
    "versions": (True, versions),
    "statutes": (True, statutes),
    "scripts": (True, scripts),
    "ocr_dev": (True, scans),
    "bible_versions": (True, bibles),
    "products": (False, products),
    "noisy poems": (False, noisy_poems),
    "noisy laws": (False, noisy_laws),
    "old English": (False, old_english),
    "templates": (False, templates),
    "acts": (False, acts),
    "sentences": (False, sentences),
    "cut copies": (False, cut),
    "columns": (False, columns),
}
"""By name: whether the rule was chosen on it, and what makes it."""

KINDS: Final = {name: chosen for name, (chosen, _) in MAKERS.items()}


def kind(name: str, root: Path) -> Kind:
    """Return a kind, its texts in a fixed order that has nothing to do with the groups."""
    rows = [(text, number) for number, group in enumerate(MAKERS[name][1](root)) for text in group]
    Random(12).shuffle(rows)
    return Kind(name, [text for text, _ in rows], [number for _, number in rows])
