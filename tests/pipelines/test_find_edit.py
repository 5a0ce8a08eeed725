"""`metric="edit"`: titles, names and noisy texts, by the edits that part them."""

from __future__ import annotations

import importlib
import pickle
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError
from dedup.pipelines.find_files import find_in_files
from dedup.report.read import Report
from dedup.report.write import write_run_report
from tests import corpus_files, oracles, oracles_edit, strategies, table_rows

TITLES = [
    "The Storm Reached Harbour on Monday",
    "the storm reached harbor on Monday!",
    "The Storm reached Harbour: on Monday",
    "Chapter 11 of the report",
    "Chapter 12 of the report",
    "",
    "...",
    "北京大学今天天气很好",
    "北京大学今天天气真好",
]
NEAR = {(0, 1), (0, 2), (1, 2), (3, 4), (7, 8)}

THRESHOLDS = st.sampled_from([0.51, 0.6, 2 / 3, 0.8, 0.9, 1.0])
COLLECTIONS = st.one_of(
    strategies.corpora(max_texts=8),
    st.lists(strategies.texts(0, 5), max_size=8),
    st.lists(strategies.characters(20), max_size=8),
)


def rows(result: dedup.Duplicates | dedup.Matches) -> dict[tuple[Any, Any], tuple[int, float]]:
    """Give distance and similarity of the pairs."""
    return {(row["left"], row["right"]): (row["distance"], row["similarity"]) for row in result.pairs.to_pylist()}


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="another version of Unicode")
@given(COLLECTIONS, THRESHOLDS, st.sampled_from(["first", "last"]))
def test_pairs_and_clusters(texts: list[str], threshold: float, keep: str) -> None:
    """All pairs of plain Python are found, and the clusters are stars."""
    result = dedup.find_duplicates(texts, metric="edit", threshold=threshold, keep=keep, pairs="all")
    expected = oracles_edit.pairs(texts, threshold)
    assert expected == rows(result)
    assert list(expected) == [(row["left"], row["right"]) for row in result.pairs.to_pylist()]
    copies = [oracles_edit.plain(text) or None for text in texts]
    priority = range(len(texts)) if keep == "first" else range(len(texts) - 1, -1, -1)
    values = {ends: value for ends, (_, value) in expected.items()}
    assert oracles.stars(len(texts), values, priority, copies) == table_rows.kept_for(result, range(len(texts)))
    again = dedup.find_duplicates(result.filter(texts), metric="edit", threshold=threshold)
    assert {} == rows(again)
    for row in table_rows.cluster_rows(result):
        if not row["kept"]:
            ends = (min(row["id"], row["kept_id"]), max(row["id"], row["kept_id"]))
            assert values[ends] == row["similarity"] >= threshold
            assert ("exact" if copies[row["id"]] == copies[row["kept_id"]] else "near") == row["reason"]


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="another version of Unicode")
@given(COLLECTIONS, COLLECTIONS, THRESHOLDS)
def test_two_sides(texts: list[str], against: list[str], threshold: float) -> None:
    """All pairs of a left and a right text are found, exact copies too."""
    result = dedup.match(texts, against, metric="edit", threshold=threshold, min_words=None)
    chosen = [(i, len(texts) + j) for i, j in product(range(len(texts)), range(len(against)))]
    expected = oracles_edit.pairs([*texts, *against], threshold, chosen)
    assert {(i, j - len(texts)): found for (i, j), found in expected.items()} == rows(result)


@pytest.mark.skipif(not oracles.SAME_UNICODE, reason="another version of Unicode")
@given(COLLECTIONS, THRESHOLDS, st.sampled_from([("numbers",), ("symbols",), ("numbers", "symbols")]))
def test_differences_that_count(texts: list[str], threshold: float, distinct: tuple[str, ...]) -> None:
    """Texts that `distinct` keeps apart are no pair, and those that differ in numbers alone are counted."""
    texts = [*texts, "C++ 11", "C 11", "C++ 12"]
    result = dedup.find_duplicates(texts, metric="edit", threshold=threshold, distinct=distinct, pairs="all")
    every = oracles_edit.pairs(texts, threshold)
    expected = {ends: found for ends, found in every.items() if not oracles.apart(*(texts[i] for i in ends), distinct)}
    assert expected == rows(result)
    numbers = [ends for ends in every if oracles.difference(*(texts[i] for i in ends)) == "numbers"]
    assert len(numbers) == result.summary.numbers_only
    matched = dedup.match(texts, texts, metric="edit", threshold=threshold, distinct=distinct, min_words=None)
    assert {(i, j) for i, j in rows(matched) if i < j} == set(expected)


def test_titles() -> None:
    """A title with one letter left out and other punctuation; numbers that differ; a character of ten."""
    result = dedup.find_duplicates(TITLES, metric="edit")
    assert NEAR == set(rows(result))
    assert (1, 34 / 35) == rows(result)[0, 1]
    assert [0, 3, 5, 6, 7] == result.kept.to_pylist()
    columns = ["left", "right", "distance", "similarity", "difference"]
    assert columns == result.pairs.column_names
    assert ["words", "format", "words", "numbers", "words"] == result.pairs.column("difference").to_pylist()
    summary = result.summary
    assert ("edit", 2, 1.0) == (summary.metric, summary.empty, summary.guaranteed_recall)
    assert NEAR - {(3, 4)} == set(rows(dedup.find_duplicates(TITLES, metric="edit", distinct="numbers")))
    assert result.closest is None
    assert result == pickle.loads(pickle.dumps(result))


@pytest.mark.parametrize("unit", ["paragraph", "line"])
def test_units(unit: str) -> None:
    """Paragraphs and lines have places as for every metric."""
    text = "\n\n".join(TITLES)
    result = dedup.find_duplicates(text, unit=unit, metric="edit")
    spans = [
        (row["left_start"], row["left_end"], row["right_start"], row["right_end"]) for row in result.pairs.to_pylist()
    ]
    found = [(text[a:b], text[c:d]) for a, b, c, d in spans]
    assert sorted((TITLES[i], TITLES[j]) for i, j in NEAR) == sorted(found)
    assert TITLES[1] not in result.filter([text])[0]


def test_rethreshold() -> None:
    """A higher threshold is applied to what was found."""
    result = dedup.find_duplicates(TITLES, metric="edit", threshold=0.8)
    assert rows(dedup.find_duplicates(TITLES, metric="edit", threshold=0.95)) == rows(result.rethreshold(0.95))


def test_threads_and_partly_listed_clusters() -> None:
    """Threads change nothing; a large cluster is listed by its kept text."""
    texts = [f"the same title {i % 40:02} {'x' * (i % 7)}" for i in range(1500)]
    results = [dedup.find_duplicates(texts, metric="edit", threshold=0.75, threads=threads) for threads in (1, 2)]
    assert results[0] == results[1]
    assert results[0].summary.large_clusters >= 1
    assert results[0].summary.pairs < 1500
    whole = dedup.find_duplicates(texts, metric="edit", threshold=0.75, pairs="all")
    assert whole.kept == results[0].kept
    assert rows(results[0]).items() <= rows(whole).items()


@pytest.mark.parametrize("options", [{}, {"unit": "line"}, {"distinct": "numbers"}, {"keep": "longest"}], ids=str)
def test_files(options: dict[str, Any], tmp_path: Path) -> None:
    """Files give what memory gives: read as texts, under a bound, and from a report, which can be shown."""
    texts = [*TITLES, "The Storm Reached\nHarbour", "the storm reached\nharbours"]
    corpus = corpus_files.json_lines(tmp_path / "in", [texts[:4], texts[4:]])
    paths = sorted((tmp_path / "in").iterdir())
    files = dedup.files(paths)
    plain = dedup.find_duplicates(corpus.texts, metric="edit", **options)
    assert plain.pairs.num_rows >= 4
    for memory in (None, "1GB"):
        found = dedup.find_duplicates(files, metric="edit", memory=memory, **options)
        assert table_rows.tables(plain)[0] == table_rows.tables(found)[0]
        assert plain.summary.differences == found.summary.differences
    run = find_in_files(paths, metric="edit", work_dir=tmp_path / "work", **options)
    assert plain.pairs.to_pylist() == run.duplicates.pairs.to_pylist()
    write_run_report(tmp_path / "out", plain, listing=corpus.listing)
    report = Report.open(tmp_path / "out")
    assert plain.pairs.to_pylist() == report.pairs.to_pylist()
    page = tmp_path / "page.html"
    report.to_html(page)
    assert "edit" in page.read_text(encoding="utf-8")


def shown(result: dedup.Duplicates | dedup.Matches) -> tuple[str, ...]:
    """Give the evidence of the second text of the first group, as the page shows it."""
    return next(result._view().members(np.array([0]), 5))[1].evidence


def test_the_page_says_how_many_edits() -> None:
    """Its evidence is the distance."""
    said = "1 edit in 35 characters of words: similarity 0.971"
    assert said == shown(dedup.find_duplicates(TITLES[:2], metric="edit"))[0]
    assert said == shown(dedup.match(TITLES[:1], TITLES[1:2], metric="edit", min_words=None))[0]


@given(strategies.texts(0, 8), strategies.texts(0, 8))
def test_two_texts_compared(left: str, right: str) -> None:
    """`compare` says what a search would say; without the metric it says nothing of edits."""
    result = dedup.compare(left, right, metric="edit")
    one, other = oracles_edit.plain(left), oracles_edit.plain(right)
    if oracles.SAME_UNICODE:
        assert oracles_edit.levenshtein(one, other) == result.distance
        assert (oracles_edit.similarity(one, other) if one and other else 0.0) == result.similarity
    assert f"edit distance {result.distance:,}" in repr(result)
    plain = dedup.compare(left, right)
    assert (None, None) == (plain.distance, plain.similarity)
    assert plain.jaccard == result.jaccard


def test_memory() -> None:
    """All texts are held, so a bound that is too small is refused, and a larger one changes nothing."""
    texts = [f"{'some title of many words ' * 40}{i}" for i in range(400)]
    plain = dedup.find_duplicates(texts, metric="edit", threshold=0.9, threads=1)
    assert plain == dedup.find_duplicates(texts, metric="edit", threshold=0.9, threads=1, memory="200MB")
    wanted = r'memory: expected about \d+ MB or more for metric="edit", which holds the characters of all texts'
    for call in (dedup.find_duplicates, dedup.estimate):
        with pytest.raises(ParameterError, match=wanted):
            call(texts, metric="edit", threads=1, memory="45MB")
    with pytest.raises(ParameterError, match="memory: expected about"):
        dedup.match(texts, texts, metric="edit", threads=1, memory="45MB", min_words=None)
    plan = dedup.estimate(texts, metric="edit", threshold=0.9, threads=1)
    assert (1, 0, "exact") == (plan.passes, plan.disk, plan.method)
    assert plan.memory > 64 * plan.characters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0.5}, 'threshold: expected more than 0.5 for metric="edit", found 0.5: .*raise it'),
        ({"threshold": 0.01}, "threshold: expected more than 0.5"),
        ({"shingle": "chars:3"}, "shingle: expected none for metric=\"edit\", .*found 'chars:3'; leave it out"),
        ({"method": "lsh"}, 'metric: edit needs method="exact"'),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    """What does not fit the metric is refused, with what to do."""
    with pytest.raises(ParameterError, match=message):
        dedup.find_duplicates(TITLES, metric="edit", **options)
    with pytest.raises(ParameterError, match=message):
        dedup.estimate(TITLES, metric="edit", **options)
    if "method" not in options:
        with pytest.raises(ParameterError, match=message):
            dedup.match(TITLES, TITLES, metric="edit", **options)


def test_without_rapidfuzz(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with what to install, before a text is read; other metrics do not need it, and pages are shown."""
    result = dedup.find_duplicates(TITLES[:2], metric="edit")
    known = importlib.import_module

    def missing(name: str, *given: Any) -> Any:
        if name.startswith("rapidfuzz"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return known(name, *given)

    monkeypatch.setattr(importlib, "import_module", missing)
    wanted = r"metric: expected rapidfuzz for metric=\"edit\", found no such package; .*: pip install 'rapidfuzz>=3.9'"
    for call in (
        lambda: dedup.find_duplicates(iter([]), metric="edit"),
        lambda: dedup.match(iter([]), [], metric="edit"),
        lambda: dedup.estimate(iter([]), metric="edit"),
        lambda: dedup.compare("a", "b", metric="edit"),
    ):
        with pytest.raises(ParameterError, match=wanted):
            call()
    assert dedup.find_duplicates(TITLES).summary.texts == len(TITLES)
    assert "to see the number of edits, install rapidfuzz" == shown(result)[0]


def test_an_index_has_no_edits(tmp_path: Path) -> None:
    """It holds shingle sets."""
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(TITLES)
        with pytest.raises(ParameterError, match="metric: expected 'jaccard' or 'containment', found 'edit'"):
            index.query(TITLES, metric="edit")
