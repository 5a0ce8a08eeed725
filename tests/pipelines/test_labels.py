"""`within` and `across`: texts of one label only, or never two of one label."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.hash_key import PUBLIC
from dedup.hashing.labels import keys_of_column, keys_of_values
from dedup.pairs import block_join
from dedup.pairs.self_join import JoinLimits
from dedup.pipelines.find import find_in
from dedup.pipelines.find_files import find_in_files
from dedup.pipelines.order import Limits
from dedup.results.listed_pairs import ListingLimits
from tests import corpora, oracles, strategies, table_rows
from tests.plans import OnDisk, passes

Labels = Sequence[Hashable] | None

LABELS = st.sampled_from([None, 1, 2, "1", "a", ""])
TEXTS = st.sampled_from([None, "1", "a", ""])
"""Labels of a column of a file, which has one type."""

ENGINE_LABELS = [("within",), ("across",), ("within", "across")]


@st.composite
def labelled(draw: st.DrawFn, labels: st.SearchStrategy[Any] = LABELS) -> tuple[list[str], Labels, Labels]:
    """Give texts with their labels: within, across, or both."""
    texts = draw(strategies.corpora())
    some = st.lists(labels, min_size=len(texts), max_size=len(texts))
    options = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    return texts, draw(some) if options[0] else None, draw(some) if options[1] else None


def expected(texts: list[str], within: Labels, across: Labels, rank: Sequence[int], **how: Any) -> oracles.Search:
    """Give the answer by brute force."""
    if within is None:
        return oracles.search(texts, rank, across=across, **how)
    return oracles.search_within(texts, within, rank, across=across, **how)


def rank_of(keep: str, texts: Sequence[str]) -> list[int]:
    """Give the priority of each text."""
    n = len(texts)
    order = sorted(range(n), key=lambda i: {"first": i, "last": -i, "longest": -len(texts[i])}[keep])
    return [order.index(i) for i in range(n)]


@given(
    labelled(),
    st.sampled_from([0.3, 0.8, 1.0]),
    st.sampled_from(["words:5", "words:1", "chars:6"]),
    st.sampled_from(["first", "last", "longest"]),
    st.sampled_from(["jaccard", "containment"]),
    st.sampled_from([(), ("numbers",), ("numbers", "symbols")]),
)
def test_labels(
    given: tuple[list[str], Labels, Labels],
    threshold: float,
    shingle: str,
    keep: str,
    metric: str,
    distinct: tuple[str, ...],
) -> None:
    """The answer is that of one search per label, put together; two of one label of `across` are never a pair."""
    texts, within, across = given
    options: dict[str, Any] = {"threshold": threshold, "shingle": shingle, "metric": metric, "distinct": distinct}
    found = dedup.find_duplicates(texts, within=within, across=across, keep=keep, pairs="all", **options)
    answer = expected(texts, within, across, rank_of(keep, texts), **options)
    check(found, answer, texts, metric)
    again = found.rethreshold((threshold + 1) / 2)
    options["threshold"] = (threshold + 1) / 2
    check(again, expected(texts, within, across, rank_of(keep, texts), **options), texts, metric)


def check(found: dedup.Duplicates, answer: oracles.Search, texts: Sequence[str], metric: str) -> None:
    """Compare pairs, clusters and what is said of them with the answer."""
    assert table_rows.expected_rows(answer.pairs) == table_rows.pair_rows(found)
    assert answer.kept_for == table_rows.kept_for(found, range(len(texts)))
    similarity = {(pair.left, pair.right): oracles.similar(pair, metric) for pair in answer.pairs}
    for row in table_rows.cluster_rows(found):
        if row["kept"]:
            continue
        ends = sorted((row["id"], row["kept_id"]))
        assert row["similarity"] == similarity[ends[0], ends[1]]
        differ = oracles.difference(texts[row["kept_id"]], texts[row["id"]])
        assert row["difference"] == differ
        assert row["reason"] == ("exact" if differ in ("identical", "format") else "near")


@given(labelled(TEXTS), st.sampled_from([0.3, 0.8]), st.sampled_from(["jaccard", "containment"]))
def test_labels_of_files(
    tmp_path_factory: pytest.TempPathFactory, given: tuple[list[str], Labels, Labels], threshold: float, metric: str
) -> None:
    """A column of a table or of files gives what a list of the same labels gives."""
    texts, within, across = given
    texts = [text if "\ud800" not in text else "?" for text in texts] + ["the last"]
    options: dict[str, Any] = {"threshold": threshold, "metric": metric, "pairs": "all"}
    rows = [{"text": text} for text in texts]
    for name, labels in (("within", within), ("across", across)):
        if labels is not None:
            options[name] = name
            for row, label in zip(rows, [*labels, None], strict=True):
                row[name] = label
    how = {"threshold": threshold, "shingle": "words:5", "metric": metric}
    ends = [None if labels is None else [*labels, None] for labels in (within, across)]
    answer = expected(texts, *ends, range(len(texts)), **how)
    check(dedup.find_duplicates(rows, **options), answer, texts, metric)
    path = tmp_path_factory.mktemp("labels") / "a.jsonl"
    path.write_text("".join(json.dumps({**row, "n": i}) + "\n" for i, row in enumerate(rows)))
    for memory in (None, "1GB"):
        check(dedup.find_duplicates(path, id="n", memory=memory, **options), answer, texts, metric)


def versions() -> tuple[list[str], list[int | None], list[str]]:
    """Give texts of a few templates, with copies, and labels of each."""
    texts = [f"{' '.join(corpora.body(i % 5, 3))} the {i % 7} of {i // 20}" for i in range(60)]
    texts += texts[::3]
    return (
        texts,
        [None if i % 4 == 0 else i % 3 for i in range(len(texts))],
        [f"s{i * 7 % 4}" for i in range(len(texts))],
    )


@pytest.mark.parametrize("names", ENGINE_LABELS)
@pytest.mark.parametrize("method", ["exact", "lsh"])
@pytest.mark.parametrize("distinct", [(), ("numbers",)])
def test_every_engine_gives_the_same(
    names: tuple[str, ...], method: str, distinct: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, in passes, from files without a bound and with one, from a work directory, in blocks."""
    texts, *both = versions()
    labels = dict(zip(("within", "across"), both, strict=True))
    given: dict[str, Any] = {name: labels[name] for name in names}
    options: dict[str, Any] = {"threshold": 0.6, "method": method, "threads": 1, "distinct": distinct}
    plain = dedup.find_duplicates(texts, **given, **options)
    answer = expected(
        texts,
        *(given.get(name) for name in labels),
        range(len(texts)),
        shingle="words:5",
        threshold=0.6,
        distinct=distinct,
    )
    if method == "exact":
        check(plain, answer, texts, "jaccard")
    rows = [
        {"text": text, "n": i, "within": one, "across": two}
        for i, (text, one, two) in enumerate(zip(texts, *both, strict=True))
    ]
    paths = []
    for number, some in enumerate((rows[:30], rows[30:50], rows[50:])):
        paths.append(tmp_path / f"{number}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in some))
    by_column = options | {name: name for name in names}
    for memory in (None, "1GB"):
        alike(plain, dedup.find_duplicates(dedup.files(paths), id="n", memory=memory, **by_column))
    blocks = []
    join = block_join.join
    monkeypatch.setattr(block_join, "join", lambda *given, **how: blocks.append(1) or join(*given, **how))
    if method == "exact":
        alike(plain, find_in(texts, memory="1GB", planned=passes(table_bytes=1 << 12), **given, **options))
    for how in ({}, {"at_once": False, "block_shingles": 0}) if method == "exact" else ({},):
        planned = partial(OnDisk, shard_bytes=1 << 12, **how)
        alike(plain, find_in_files(paths, id="n", memory="1GB", planned=planned, **by_column).duplicates)
    assert method == "lsh" or len(blocks) > 1


def alike(one: dedup.Duplicates, other: dedup.Duplicates) -> None:
    """Compare the tables and the summary of two results."""
    assert one.pairs.equals(other.pairs)
    assert one.clusters.equals(other.clusters)
    assert one.summary.numbers_only == other.summary.numbers_only
    assert one.summary.removed == other.summary.removed


@pytest.mark.parametrize("names", ENGINE_LABELS)
def test_a_family_in_all_labels(names: tuple[str, ...]) -> None:
    """Large clusters give the same clusters, and each removed text is listed with its kept one."""
    texts, *both = versions()
    given: dict[str, Any] = {
        name: labels for name, labels in zip(("within", "across"), both, strict=True) if name in names
    }
    plain = dedup.find_duplicates(texts, threshold=0.6, pairs="all", **given)
    limits = Limits(join=JoinLimits(family_lists=0.0), listing=ListingLimits(big_cluster=3))
    crowded = find_in(texts, threshold=0.6, limits=limits, **given)
    assert plain.clusters.equals(crowded.clusters)
    assert crowded.summary.large_clusters
    every = set(table_rows.ends(plain))
    listed = set(table_rows.ends(crowded))
    assert listed < every
    assert {
        tuple(sorted((row["id"], row["kept_id"]))) for row in table_rows.cluster_rows(plain) if not row["kept"]
    } <= listed


@pytest.mark.parametrize("option", ["within", "across"])
def test_bad_labels(option: str, tmp_path: Path) -> None:
    """An error says which option it was, what was found, and what to do."""
    texts = ["one two three", "four five six"]
    table = [{"text": text, "lang": "en"} for text in texts]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    for call in (dedup.find_duplicates, dedup.estimate):
        for data, labels, said in (
            (texts, ["a"], f"{option}: expected one label per text, found 1 for 2 texts"),
            (texts, [["a"], ["b"]], rf"{option}: expected labels that are texts, .* found list \['a'\] at row 0"),
            (
                pa.table({"text": texts, "lang": [[1], [2]]}),
                "lang",
                rf"{option}: expected a column of texts, numbers or dates, found list<.*>; name another column",
            ),
            (texts, "lang", f'{option}: "lang" names a column, but the input is not a table'),
            (table, "Lang", f"{option}: no column \"Lang\"; found 'text', 'lang'"),
            (path, "Lang", f'{option}: "Lang": no such column in the first lines of .*a.jsonl; found .*"?lang'),
            (path, ["a", "b"], f"{option}: expected the name of a column for texts in files, found list"),
        ):
            with pytest.raises(dedup.errors.DedupError, match=said):
                call(data, **{option: labels})
    with pytest.raises(dedup.errors.ParameterError, match=f"{option}: expected None in a match, found 'lang'"):
        dedup.match(table, table, **{option: "lang"})
    with pytest.raises(dedup.errors.ParameterError, match="across: expected another column than within, found 'lang'"):
        dedup.find_duplicates(table, within="lang", across="lang")


def test_labels_are_compared_by_value() -> None:
    """Equal numbers are one label, whatever their type; missing values are one; other types are other labels."""
    texts = ["one two three four five"] * 8
    for labels, kept in (
        ([1, 1.0, np.int8(1), np.float64(1), 2, "1", True, 1.5], [0, 4, 5, 6, 7]),
        ([None, float("nan"), pd.NaT, pd.NA, "", "None", 0, False], [0, 4, 5, 6, 7]),
    ):
        assert dedup.find_duplicates(texts, within=labels).kept.to_pylist() == kept
    days = pd.to_datetime(["2024-01-01", None, "2024-01-01", "2024-01-02", None, "2024-01-02", None, None])
    frame = pd.DataFrame({"text": texts, "day": days, "site": pd.Categorical(list("abcabcab"))})
    assert dedup.find_duplicates(frame, within="day").kept.to_pylist() == [0, 1, 3]
    assert dedup.find_duplicates(frame, within="site").kept.to_pylist() == [0, 1, 2]
    assert dedup.find_duplicates(frame, across="site").kept.to_pylist() == [0, 3, 6]
    many = pa.chunked_array([[f"{i % 70_000}" for i in range(140_000)], [None], ["0"]])
    keys = keys_of_column(many, "within", PUBLIC)
    assert len(np.unique(keys)) == 70_001
    assert np.array_equal(keys, keys_of_values(many.to_pylist(), "within", PUBLIC))
    assert np.array_equal(keys, keys_of_column(many.cast(pa.string_view()), "within", PUBLIC))
    assert np.array_equal(keys, keys_of_column(many.dictionary_encode(), "within", PUBLIC))


def test_a_family_costs_no_square() -> None:
    """Copies in two labels are compared once per label, not with each other."""
    texts = ["the same few words of every page here"] * 40_000
    labels = [i % 2 for i in range(len(texts))]
    for option, removed in (("within", 39_998), ("across", 20_000)):
        start = time.process_time()
        assert dedup.find_duplicates(texts, **{option: labels}).summary.removed == removed
        assert time.process_time() - start < 5
