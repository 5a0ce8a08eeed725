"""The column `difference`, and `distinct`: pairs that differ in numbers or symbols alone are none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.pairs import block_join
from dedup.pairs.self_join import JoinLimits
from dedup.pipelines.find import find_in
from dedup.pipelines.find_files import find_in_files
from dedup.pipelines.match import match_in
from dedup.pipelines.order import Limits
from dedup.results.listed_pairs import ListingLimits
from tests import corpora, corpus_files, oracles, strategies, table_rows
from tests.plans import OnDisk, passes

DISTINCT = [(), ("numbers",), ("symbols",), ("numbers", "symbols")]

NUMBERS = ["7", "2024", "3.14", "٣٤", "४५", "１２", "x²", "½", "v1", "no9b8", "๕", "𝟗", "12345678901234567890"]
OTHER = {"7": "8", "2024": "1999", "3.14": "2.71", "٣٤": "34", "४५": "٤٥", "１２": "99", "x²": "x3", "v1": "v٢"}
SYMBOLS = ["++", "#", "...", "…", "!", " — ", "😀", "≠", "=\u0338", "€", "，", ","]


@st.composite
def versions(draw: st.DrawFn, max_texts: int = 7) -> list[str]:
    """Give texts that are copies of one or two up to numbers, symbols, case and words."""
    words = st.one_of(strategies.words(), strategies.words(), st.sampled_from(NUMBERS))
    bases = draw(st.lists(st.lists(words, min_size=3, max_size=14), min_size=1, max_size=2))
    texts = []
    for _ in range(draw(st.integers(2, max_texts))):
        parts = list(draw(st.sampled_from(bases)))
        for at, part in enumerate(parts):
            change = draw(st.integers(0, 9))
            if change == 0:
                parts[at] = OTHER.get(part, part)
            elif change == 1:
                parts[at] = part + draw(st.sampled_from(SYMBOLS))
            elif change == 2:
                parts[at] = part.upper()
        if draw(st.integers(0, 5)) == 0:
            parts[draw(st.integers(0, len(parts) - 1))] = draw(words)
        texts.append(" ".join(parts))
    return texts


def expected(texts: Sequence[str], threshold: float, shingle: str, distinct: Sequence[str]) -> dict[Any, float]:
    """Give the pairs with their similarity, by brute force."""
    sets = [oracles.shingles(text, shingle) for text in texts]
    return {
        (i, j): oracles.jaccard(sets[i], sets[j])
        for i, j in combinations(range(len(texts)), 2)
        if oracles.jaccard(sets[i], sets[j]) >= threshold and not oracles.apart(texts[i], texts[j], distinct)
    }


def left_out(texts: Sequence[str], threshold: float, shingle: str) -> int:
    """Give how many pairs differ in numbers alone."""
    pairs = expected(texts, threshold, shingle, ())
    return sum(oracles.difference(texts[i], texts[j]) == "numbers" for i, j in pairs)


@given(
    versions(),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.sampled_from(["words:1", "words:2", "chars:4"]),
    st.sampled_from(DISTINCT),
    st.sampled_from(["exact", "lsh"]),
)
def test_what_is_distinct_is_no_pair(
    texts: list[str], threshold: float, shingle: str, distinct: tuple[str, ...], method: str
) -> None:
    """All other pairs are found; stars and copies keep to them; the column says what each pair differs in."""
    options: dict[str, Any] = {"threshold": threshold, "shingle": shingle, "method": method}
    result = dedup.find_duplicates(texts, distinct=list(distinct), **options)
    pairs = expected(texts, threshold, shingle, distinct)
    found = table_rows.differences(result)
    assert set(found) <= set(pairs)
    assert {pair: oracles.difference(texts[pair[0]], texts[pair[1]]) for pair in found} == found
    if method == "lsh":
        return
    assert set(pairs) == set(found)
    assert left_out(texts, threshold, shingle) == result.summary.numbers_only
    copies = [_label(text, distinct) for text in texts]
    kept = oracles.stars(len(texts), pairs, range(len(texts)), copies)
    assert kept == table_rows.kept_for(result, range(len(texts)))
    for row in table_rows.cluster_rows(result):
        assert row["difference"] == (
            None if row["kept"] else oracles.difference(texts[row["kept_id"]], texts[row["id"]])
        )
    counts = [oracles.difference(texts[i], texts[k]) for i, k in enumerate(kept) if i != k]
    assert {word: counts.count(word) for word in result.summary.differences} == result.summary.differences


def _label(text: str, distinct: Sequence[str]) -> Any:
    """Give what exact copies have in common; None for a text without words."""
    words = tuple(oracles.tokens(text))
    return (words, tuple(oracles.symbols(text)) if "symbols" in distinct else ()) if words else None


@given(versions(), versions(4), st.sampled_from(DISTINCT), st.sampled_from([0.3, 0.8]))
def test_match(left: list[str], right: list[str], distinct: tuple[str, ...], threshold: float) -> None:
    """The same across two collections."""
    options: dict[str, Any] = {"threshold": threshold, "shingle": "words:2", "min_words": None}
    result = dedup.match(left, right, distinct=distinct, **options)
    texts = left + right
    across = {
        (i, j - len(left)): oracles.difference(texts[i], texts[j])
        for i, j in expected(texts, threshold, "words:2", distinct)
        if i < len(left) <= j
    }
    assert across == table_rows.differences(result)
    every = expected(texts, threshold, "words:2", ())
    numbers = [oracles.difference(texts[i], texts[j]) == "numbers" for i, j in every if i < len(left) <= j]
    assert sum(numbers) == result.summary.numbers_only


@given(versions(6), st.sampled_from(DISTINCT), st.sampled_from(["paragraph", "line"]))
def test_parts_of_texts(texts: list[str], distinct: tuple[str, ...], unit: str) -> None:
    """Paragraphs and lines are told apart as documents are, within and across texts."""
    lines = [" ".join(text.split()) or "x" for text in texts]
    joined = ["\n\n".join(lines[:3]), "\n\n".join(lines[3:])]
    options: dict[str, Any] = {"threshold": 0.5, "shingle": "words:2", "distinct": distinct}
    parts = dedup.find_duplicates([text for text in joined if text], unit=unit, **options)
    whole = dedup.find_duplicates(lines, **options)
    drop = [name for name in parts.pairs.column_names if name.startswith(("left_p", "left_l", "right_p", "right_l"))]
    drop += ["left", "right", "left_start", "left_end", "right_start", "right_end"]
    parts_pairs = parts.pairs.drop_columns([name for name in drop if name in parts.pairs.column_names])
    assert parts_pairs.to_pylist() == whole.pairs.drop_columns(["left", "right"]).to_pylist()
    assert parts.summary.numbers_only == whole.summary.numbers_only


def numbered(count: int = 60) -> list[str]:
    """Give texts of a few templates whose numbers differ, and some of other words and symbols."""
    bodies = [" ".join(corpora.body(seed, 3)) for seed in range(count // 12)]
    texts = []
    for number in range(count):
        body = bodies[number % len(bodies)]
        text = f"{body} Report {number % 7} of {1990 + number % 5}. {body[::-1]}"
        texts.append(text + "!" * (number % 3 == 0) + " more words" * (number % 11 == 0))
    return texts


def check_alike(one: dedup.Duplicates, other: dedup.Duplicates) -> None:
    """Compare the tables but for ids, and the numbers of two results."""
    for table in ("pairs", "clusters"):
        these, those = (getattr(result, table).to_pydict() for result in (one, other))
        for name in these:
            if name not in ("left", "right", "id", "kept_id"):
                assert these[name] == those[name], name
    assert one.summary.numbers_only == other.summary.numbers_only
    assert one.summary.differences == other.summary.differences
    assert one.summary.warnings == other.summary.warnings


@pytest.mark.parametrize("distinct", DISTINCT)
@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_every_engine_gives_the_same(
    distinct: tuple[str, ...], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, in passes, from files without a bound and with one, from a work directory, in blocks."""
    texts = numbered()
    corpus = corpus_files.json_lines(tmp_path, [texts[:30], texts[30:]])
    options: dict[str, Any] = {"threshold": 0.7, "distinct": distinct, "method": method, "threads": 1}
    plain = dedup.find_duplicates(texts, ids=[f"{i}" for i in range(len(texts))], **options)
    paths = [file.path for file in corpus.listing]
    for memory in (None, "1GB"):
        check_alike(plain, dedup.find_duplicates(dedup.files(paths), memory=memory, **options))
    blocks = []
    join = block_join.join
    monkeypatch.setattr(block_join, "join", lambda *given, **how: blocks.append(1) or join(*given, **how))
    if method == "exact":
        check_alike(plain, find_in(texts, memory="1GB", planned=passes(table_bytes=1 << 12), **options))
    for how in ({}, {"at_once": False, "block_shingles": 0}) if method == "exact" else ({},):
        planned = partial(OnDisk, shard_bytes=1 << 12, **how)
        check_alike(plain, find_in_files(paths, memory="1GB", planned=planned, **options).duplicates)
    assert method == "lsh" or len(blocks) > 1


def test_a_family_that_differs_in_numbers() -> None:
    """Large clusters keep to it too, and a group of many is counted with its first only."""
    body = " ".join(corpora.body(5, 2)).split()
    texts = [" ".join([*body[:i], f"number {i}", *body[i:]]) for i in range(8)]
    texts = [text.replace(f"number {i}", f"number {n}") for i, text in enumerate(texts) for n in range(10, 40)]
    plain = dedup.find_duplicates(texts, threshold=0.7, distinct="numbers", pairs="all")
    limits = Limits(join=JoinLimits(family_lists=0.0), listing=ListingLimits(big_cluster=5))
    crowded = find_in(texts, threshold=0.7, distinct="numbers", limits=limits)
    assert plain.kept.equals(crowded.kept)
    assert plain.clusters.equals(crowded.clusters)
    assert crowded.summary.large_clusters
    assert plain.summary.numbers_only == 8 * 30 * 29 // 2
    assert crowded.summary.numbers_only == 8 * 29


def test_a_higher_threshold_counts_what_it_leaves_out() -> None:
    """`rethreshold` gives what a new run gives, the pairs that are kept apart included."""
    texts = numbered(24)
    result = dedup.find_duplicates(texts, threshold=0.5, distinct="numbers", pairs="all")
    for threshold in (0.9, 0.97, 1.0):
        again = dedup.find_duplicates(texts, threshold=threshold, distinct="numbers", pairs="all")
        assert again.summary.to_dict() == result.rethreshold(threshold).summary.to_dict()


def test_doubtful_removals_are_warned_of() -> None:
    """More than one in twenty that differs in numbers alone, or in symbols alone, is said."""
    body = " ".join(corpora.body(1, 4))
    numbers = dedup.find_duplicates([f"{body} in {year} {body[::-1]}" for year in range(1990, 2000)])
    assert "9 of 9 documents removed as near duplicates differ from the kept one in numbers alone" in str(
        numbers.summary
    )
    symbols = dedup.find_duplicates(["a book on C", "A book on C++", "a book on C#", "a book  on c"])
    assert "2 of 3 documents removed as exact copies differ from the kept one in symbols" in str(symbols.summary)
    assert not dedup.find_duplicates(["a book on C", "A  book on C"]).summary.warnings
    assert dedup.find_duplicates(["C", "C++", "C#"], distinct="symbols").removed.to_pylist() == []


def test_doubtful_pairs_of_a_match_are_warned_of() -> None:
    """The same of pairs, whatever parts they are listed in; what is distinct is no pair, and not warned of."""
    body = " ".join(corpora.body(1, 4))
    left, right = ([f"{body} in {year} {body[::-1]}" for year in years] for years in (range(10, 19), range(19, 22)))
    (warning,) = dedup.match(left, right, min_words=None).summary.warnings
    assert warning.startswith('27 of 27 near pairs differ in numbers alone; distinct="numbers" (--distinct numbers)')
    assert not dedup.match(left, right, min_words=None, distinct="numbers").summary.warnings
    symbols = dedup.match(["a book on C", "A book on C++"], ["a book on C#", "a book  on c"], min_words=None)
    (warning,) = symbols.summary.warnings
    assert warning.startswith("3 of 4 pairs of exact copies differ in symbols or punctuation; ")
    assert warning in str(symbols)
    assert not dedup.match(["a book on C"], ["A  book on C"]).summary.warnings


@pytest.mark.parametrize("part", [1, 7, 100, 1 << 20])
def test_many_exact_pairs_are_sampled(part: int) -> None:
    """Of many exact pairs some are looked at, the same ones in parts of any size."""
    left = [f"number {i} of these words" for i in range(2500)]
    right = [text.upper() if i % 7 else f"{text}!" for i, text in enumerate(left)]
    limits = Limits(listing=ListingLimits(part=part))
    (warning,) = [
        warning
        for warning in match_in(left, right, min_words=None, limits=limits).summary.warnings
        if "symbols" in warning
    ]
    assert warning == dedup.match(left, right, min_words=None).summary.warnings[-1]
    count = int(warning.removeprefix("about ").split()[0].replace(",", ""))
    assert abs(count - 2500 / 7) < 50
