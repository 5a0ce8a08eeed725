"""Precision and recall on real texts: nothing false, nothing missed, as an independent join in plain Python says.

Every gate is about the file whose digest is next to it: with another file, the floors mean nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import dedup
from tests import oracles, table_rows


class Source(NamedTuple):
    """A file of the real data, the start of its sha256, and how many pairs it has at each threshold."""

    path: str
    digest: str
    pairs: tuple[int, ...]


CORPORA = {
    "ota_dev": Source("ota_dev/ota_versions.jsonl.zst", "f419391e08c82322", (3554, 2701, 2125, 1586)),
    "dc_laws_dev": Source("dc_laws_dev/dc_laws.jsonl.zst", "8fc2cd62b41f09ee", (2413, 890, 554, 196)),
    "licences": Source("licences/scancode_licensedb.jsonl.zst", "bdfd1fa2365eec70", (5474, 1459, 785, 305)),
    "minhash_articles": Source("minhash_articles/articles_2500.train.zst", "c8e8f312dee25352", (20, 20, 20, 20)),
}
THRESHOLDS = [0.5, 0.7, 0.8, 0.9]
THRESHOLD = 0.8
LOWEST = min(THRESHOLDS)
FEW = 0.002  # of the pairs may be missed by one run of LSH, whose promise of 0.999 is an average


def read(path: Path) -> str:
    """Read a text file, compressed or not."""
    if path.suffix != ".zst":
        return path.read_text(encoding="utf-8")
    with pa.OSFile(str(path)) as file, pa.CompressedInputStream(file, "zstd") as stream:
        return bytes(stream.read()).decode("utf-8")


def texts_of(path: Path) -> list[str]:
    """Read the texts of a file: lines of JSON, or lines of an id and a text."""
    lines = [line for line in read(path).split("\n") if line.strip()]
    return [json.loads(line)["text"] if ".jsonl" in path.name else line.partition(" ")[2] for line in lines]


@pytest.mark.parametrize("name", ["articles_100.train", "articles_1000.train.zst", "articles_2500.train.zst"])
def test_all_planted_articles_are_found(data: Path, name: str) -> None:
    """All planted pairs of plagiarism are found by default, and no others."""
    folder = data / "minhash_articles"
    texts = dict(line.split(" ", 1) for line in read(folder / name).splitlines() if line.strip())
    truth = read(folder / name.replace(".train", ".truth").removesuffix(".zst"))
    planted = {frozenset(line.split()) for line in truth.splitlines() if line.strip()}
    found = {frozenset(pair) for pair in table_rows.ends(dedup.find_duplicates(texts))}
    assert planted == found
    assert len(planted) in {5, 10, 20}


class Corpus:
    """A real corpus and what the inverted index finds in it."""

    def __init__(self, path: Path) -> None:
        """Read the texts and join their five-word shingles, by number instead of by word."""
        self.texts = texts_of(path)
        numbers: dict[str, int] = {}
        known: dict[str, list[int]] = {}  # by line: versions of a text share most of theirs
        shingles: dict[tuple[int, ...], int] = {}
        sets: list[frozenset[int]] = []
        self.copies: list[tuple[int, ...] | None] = []  # equal for exact copies
        for text in self.texts:
            ids: list[int] = []
            for line in text.split("\n"):
                if line not in known:
                    known[line] = [numbers.setdefault(w, len(numbers)) for w in oracles.tokens(line)]
                ids += known[line]
            self.copies.append(tuple(ids) or None)
            found: list[tuple[int, ...]] = [*zip(ids, ids[1:], ids[2:], ids[3:], ids[4:], strict=False)] or (
                [tuple(ids)] if ids else []
            )
            sets.append(frozenset([shingles.setdefault(s, len(shingles)) for s in found]))
        self._pairs = oracles.joined(sets, LOWEST)

    def pairs(self, threshold: float) -> list[oracles.Pair]:
        """Give the pairs at a threshold from 0.5 on."""
        return [p for p in self._pairs if oracles.reaches(p.shared, p.left_size + p.right_size - p.shared, threshold)]


@cache
def corpus(folder: Path, name: str) -> Corpus:
    """Read a corpus once, and check that it is the one that the gates are about."""
    source = CORPORA[name]
    path = folder / source.path
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(source.digest), f"{name} is another file"
    return Corpus(path)


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("method", ["exact", "lsh"])
@pytest.mark.parametrize("name", CORPORA)
def test_real_corpora(data: Path, name: str, method: str, threshold: float) -> None:
    """Precision is 1.0 with all the evidence, and so is recall, for the exact method; LSH keeps its promise."""
    real = corpus(data, name)
    result = dedup.find_duplicates(real.texts, threshold=threshold, method=method, pairs="all")
    expected = table_rows.expected_rows(real.pairs(threshold))
    found = table_rows.pair_rows(result)
    wanted = {(row["left"], row["right"]): row for row in expected}
    assert [wanted.get((row["left"], row["right"])) for row in found] == found
    assert dict(zip(THRESHOLDS, CORPORA[name].pairs, strict=True))[threshold] == len(expected)
    assert len(expected) - len(found) <= (0 if method == "exact" else FEW * len(expected))

    near = {(row["left"], row["right"]): row["jaccard"] for row in found}
    stars = oracles.stars(len(real.texts), near, range(len(real.texts)), real.copies)
    assert stars == table_rows.kept_for(result, range(len(real.texts)))
    kept = set(result.kept.to_pylist())
    assert not {pair for pair in wanted if kept.issuperset(pair)} & set(near)


def test_the_order_of_a_real_corpus(data: Path) -> None:
    """Turned round, a real corpus has the same pairs."""
    texts = corpus(data, "dc_laws_dev").texts
    last = len(texts) - 1
    there = set(table_rows.ends(dedup.find_duplicates(texts)))
    back = {(last - j, last - i) for i, j in table_rows.ends(dedup.find_duplicates(texts[::-1]))}
    assert there == back


def test_recall_on_real_corpora(data: Path) -> None:
    """Over some seeds, LSH finds 0.999 of the pairs of a real corpus and more."""
    real = corpus(data, "dc_laws_dev")
    wanted = {(pair.left, pair.right) for pair in real.pairs(THRESHOLD)}
    runs = [dedup.find_duplicates(real.texts, method="lsh", seed=seed) for seed in range(1, 6)]
    found = [len(wanted & set(table_rows.ends(run))) / len(wanted) for run in runs]
    assert sum(found) / len(found) >= 0.999


def test_removal_of_real_duplicates(data: Path) -> None:
    """What is left of a real corpus holds no pair."""
    texts = corpus(data, "dc_laws_dev").texts
    left = dedup.find_duplicates(texts).filter(texts)
    assert [] == table_rows.ends(dedup.find_duplicates(left))


PLANTED_TEXTS = "f2a9779dfc21fb19"
"""The start of the digest of the generated texts into which passages are planted."""


@pytest.mark.parametrize("search", ["match", "find_repeats"])
@pytest.mark.parametrize("row", range(12))
def test_planted_passages_are_found(search: str, row: int) -> None:
    """Edited passages in generated texts: plagdet is not below its floor, and next to nothing else is found."""
    quality = pytest.importorskip("benchmarks.quality.quality_plagdet")
    plants = pytest.importorskip("benchmarks.quality.plants")
    wanted = quality.ROWS[row]
    planted, found = quality.measured("generated", wanted, search, most=300)
    assert plants.digest([*planted.sources, *planted.hosts]).startswith(PLANTED_TEXTS), "these are other texts"
    assert len(planted.plants) > 80
    assert found.plagdet >= quality.floor_of("generated", wanted) - SMALLER
    assert found.precision >= 0.97
    assert len(quality.ROWS) == 12


SMALLER = 0.01
"""The floors are those of twice as many passages."""


SUGGESTED = {"scripts": ("1a77c67348f76753", 0.98), "products": ("2712b5ceca50cc0e", 0.98)}
"""Of kinds that need no data: the start of the digest of the texts, and the floor of F1."""


SUGGESTED_FOR_REAL_TEXTS = {
    "noise": ("6d5e0fee671ee062", 0.99),
    "titles": ("cb8ca814800407dc", 0.93),
    "languages": ("e2cfe3a7986e8699", 0.98),
    "spellings": ("6044dc849e12a30c", 0.99),
    "tang_poetry": ("79cac8d2700d567e", 0.98),
    "versions": ("e62b7a6017726933", 0.99),
    "statutes": ("96c9dfc9cd322f48", 0.99),
    "ocr_dev": ("16b87c0f347991af", 0.89),
    "bible_versions": ("0eafd86b686220fb", 0.95),
    "noisy poems": ("e36640e593031dba", 0.99),
    "noisy laws": ("01be20ae953330a7", 0.98),
    "acts": ("c2e107fa0e5843ae", 0.99),
    "sentences": ("3f402897a25efef6", 0.98),
    "columns": ("992bbae05a271f14", 0.99),
}
"""The same of kinds that are made of the real data."""


@pytest.mark.parametrize("name", SUGGESTED)
def test_suggestions_find_the_copies(name: str) -> None:
    """A search with the suggestion finds the known copies of generated texts: F1 is not below its floor."""
    check_suggestion(name, Path(), *SUGGESTED[name])


@pytest.mark.parametrize("name", SUGGESTED_FOR_REAL_TEXTS)
def test_suggestions_find_the_copies_of_real_texts(data: Path, name: str) -> None:
    """The same of texts of several languages and kinds."""
    check_suggestion(name, data, *SUGGESTED_FOR_REAL_TEXTS[name])


def check_suggestion(name: str, root: Path, digest: str, floor: float) -> None:
    """Search one kind with what is suggested for it."""
    quality = pytest.importorskip("benchmarks.quality.quality_suggest")
    kinds = pytest.importorskip("benchmarks.quality.kinds")
    plants = pytest.importorskip("benchmarks.quality.plants")
    some = kinds.kind(name, root)
    assert plants.digest(some.texts).startswith(digest), "these are other texts"
    options = dedup.suggest(some.texts).options
    assert quality.score(some.texts, np.array(some.groups), **options) >= floor
