"""`find_duplicates` on documents, held against the oracle."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import DedupError
from tests import corpora, oracles, strategies, table_rows

CLOSE = [(1, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 7), (7, 10), (29, 37), (41, 50), (11, 13)]


METHODS = st.sampled_from(["exact", "lsh"])
POLICIES = ["first", "last", "longest", "shortest", "callable"]


@given(
    strategies.corpora(),
    st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]),
    st.sampled_from(["words:5", "words:2", "chars:8"]),
    METHODS,
)
def test_pairs_are_those_of_the_oracle(texts: list[str], threshold: float, shingle: str, method: str) -> None:
    """Exact: all pairs, no other. LSH: no pair below the threshold, true evidence, all copies."""
    result = dedup.find_duplicates(texts, threshold=threshold, shingle=shingle, method=method)
    found = table_rows.pair_rows(result)
    expected = table_rows.expected_rows(oracles.pairs(texts, threshold, shingle))
    assert table_rows.PAIR_COLUMNS == result.pairs.column_names
    if method == "exact":
        assert expected == found
    assert [row for row in expected if row in found] == found, "sorted, and all of them true"
    assert [row for row in expected if row["jaccard"] == 1.0 and row not in found] == []


@given(strategies.corpora(), st.sampled_from(POLICIES), METHODS)
def test_clusters_are_stars(texts: list[str], keep: str, method: str) -> None:
    """Each text joins the most similar kept text, in the order of priority, or is kept itself."""
    policies: dict[str, Any] = {
        "first": lambda i: i,
        "last": lambda i: -i,
        "longest": lambda i: (-len(texts[i]), i),
        "shortest": lambda i: (len(texts[i]), i),
        "callable": lambda i: (texts[i][::-1], i),
    }
    policy: Any = (lambda _, text: text[::-1]) if keep == "callable" else keep
    options: dict[str, Any] = {"threshold": 0.6, "shingle": "words:2", "method": method}
    result = dedup.find_duplicates(texts, keep=policy, **options)

    near = {(row["left"], row["right"]): row["jaccard"] for row in table_rows.pair_rows(result)}
    n = len(texts)
    copies = [tuple(oracles.tokens(text)) or None for text in texts]
    expected = oracles.stars(n, near, sorted(range(n), key=policies[keep]), copies)
    assert expected == table_rows.kept_for(result, range(n))
    assert [i for i in range(n) if expected[i] == i] == result.kept.to_pylist()
    assert [i for i in range(n) if expected[i] != i] == result.removed.to_pylist()
    check_clusters(result, texts, near)


def check_clusters(result: dedup.Duplicates, texts: list[str], near: dict[tuple[int, int], float]) -> None:
    """Check what holds of every table of clusters, whatever was found."""
    rows = table_rows.cluster_rows(result)
    assert table_rows.CLUSTER_COLUMNS == result.clusters.column_names
    kept = {row["id"]: row["cluster"] for row in rows if row["kept"]}
    removed = [row for row in rows if not row["kept"]]
    assert result.removed.to_pylist() == sorted(row["id"] for row in removed)
    assert set(kept) == {row["kept_id"] for row in removed}, "two members or more"
    assert sorted(kept.values()) == [kept[i] for i in sorted(kept)], "numbered by position"
    assert len(kept) == len(set(kept.values()))
    for row in rows:
        assert row["cluster"] == kept[row["kept_id"]]
        if row["kept"]:
            assert row["id"] == row["kept_id"]
            assert row["reason"] is None
            continue
        pair = min(row["id"], row["kept_id"]), max(row["id"], row["kept_id"])
        assert row["similarity"] == near[pair]
        if row["similarity"] < 1.0:
            assert row["reason"] == "near"
        elif texts[row["id"]] == texts[row["kept_id"]]:
            assert row["reason"] == "exact"
        assert row["reason"] in {"exact", "near"}
    assert not set(near) & set(combinations(sorted(result.kept.to_pylist()), 2))


@pytest.mark.parametrize("method", ["exact", "lsh"])
@pytest.mark.parametrize(("shared", "union"), CLOSE)
def test_the_border(shared: int, union: int, method: str) -> None:
    """A pair is found at its own similarity and not at the next float above it."""
    for size in sorted({shared, union, (shared + union) // 2}):
        left = [f"a{i}" for i in range(size)]
        right = left[:shared] + [f"b{i}" for i in range(union - size)]
        texts = [" ".join(left), " ".join(right)]
        expected = shared / union

        options: dict[str, Any] = {"shingle": "words:1", "method": method, "recall": 0.99999}
        found = dedup.find_duplicates(texts, threshold=expected, **options)
        assert [expected] == [row["jaccard"] for row in table_rows.pair_rows(found)]
        if expected < 1.0:
            above = math.nextafter(expected, 1.0)
            assert [] == table_rows.ends(dedup.find_duplicates(texts, threshold=above, **options))


@pytest.mark.parametrize("recall", [0.9, 0.99, 0.999])
def test_recall_is_what_was_promised(recall: float) -> None:
    """Of pairs at the threshold, pooled over seeds, no more are missed than the promise allows.

    Four standard deviations of a binomial are allowed, of the pairs with J in [0.8, 0.82].
    """
    pool = missed = 0
    for seed in range(4):
        texts = corpora.families(seed=100 + seed, count=150, size=8, edits=1, words=95)
        sets = [oracles.shingles(text) for text in texts]
        border = {(p.left, p.right) for p in oracles.joined(sets, 0.8) if p.jaccard <= 0.82}
        found = set(table_rows.ends(dedup.find_duplicates(texts, recall=recall, seed=seed, method="lsh")))
        pool += len(border)
        missed += len(border - found)
    expected = (1 - recall) * pool
    assert pool > 3000
    assert missed <= expected + 4 * math.sqrt(expected)


def test_planted_copies() -> None:
    """Every planted copy is found, with a similarity of 1, and nothing else is."""
    texts, groups = corpora.planted()
    result = dedup.find_duplicates(texts)
    assert sorted(p for group in groups for p in combinations(group, 2)) == table_rows.ends(result)
    assert {1.0} == {row["jaccard"] for row in table_rows.pair_rows(result)}
    assert sorted(i for group in groups for i in group[1:]) == result.removed.to_pylist()
    assert {None, "exact"} == {row["reason"] for row in table_rows.cluster_rows(result)}


def test_a_chain_is_cut() -> None:
    """No removed text is below the threshold to the one kept for it."""
    texts = corpora.chain()
    result = dedup.find_duplicates(texts)
    assert [(i, i + 1) for i in range(11)] == table_rows.ends(result)
    assert list(range(0, 12, 2)) == result.kept.to_pylist()
    assert [i - i % 2 for i in range(12)] == table_rows.kept_for(result, range(12))
    assert {frozenset(range(12))} == table_rows.component_sets(result)


def test_all_scripts() -> None:
    """The same duplicate in every script is found with no setting."""
    texts, copies = corpora.in_all_scripts()
    assert copies == table_rows.ends(dedup.find_duplicates(texts))


@given(strategies.corpora())
def test_thresholds_are_monotone(texts: list[str]) -> None:
    """What is found at a threshold is found at a lower one."""
    at = [
        {tuple(row.values()) for row in table_rows.pair_rows(dedup.find_duplicates(texts, threshold=t))}
        for t in (0.5, 0.7, 0.9, 1.0)
    ]
    assert all(high <= low for low, high in pairwise(at))


@given(strategies.corpora(), st.randoms(use_true_random=False), METHODS)
def test_the_order_of_the_input(texts: list[str], random: Random, method: str) -> None:
    """A shuffled input gives the same unordered pairs with the same evidence."""

    def facts(result: dedup.Duplicates) -> set[tuple[frozenset[tuple[str, int]], int, float]]:
        return {
            (
                frozenset({(row["left"], row["left_size"]), (row["right"], row["right_size"])}),
                row["shared"],
                row["jaccard"],
            )
            for row in table_rows.pair_rows(result)
        }

    named = {f"t{i}": text for i, text in enumerate(texts)}
    names = list(named)
    random.shuffle(names)
    shuffled = {name: named[name] for name in names}
    before = dedup.find_duplicates(named, method=method)
    after = dedup.find_duplicates(shuffled, method=method)
    assert facts(before) == facts(after)
    assert table_rows.component_sets(before) == table_rows.component_sets(after)


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_threads_and_repetition_change_nothing(method: str) -> None:
    """The same input and options give the same tables, for any number of threads."""
    texts = corpora.families(count=60) + corpora.in_all_scripts()[0] + corpora.planted().texts
    one = table_rows.tables(dedup.find_duplicates(texts, threads=1, method=method))
    dedup.find_duplicates(texts[::-1], threshold=0.5, seed=9)
    for threads in (1, 2, 8, None):
        again = dedup.find_duplicates(texts, threads=threads, method=method)
        assert one == table_rows.tables(again)


@given(strategies.corpora())
def test_removing_and_running_again_finds_nothing(texts: list[str]) -> None:
    """The kept texts hold no pair among themselves."""
    kept = dedup.find_duplicates(texts, threshold=0.6).filter(texts)
    assert [] == table_rows.pair_rows(dedup.find_duplicates(kept, threshold=0.6))


@given(strategies.corpora(), st.sampled_from([0.6, 0.75, 0.9, 1.0]))
def test_rethreshold(texts: list[str], threshold: float) -> None:
    """A higher threshold needs no new run: the listed pairs suffice."""
    result = dedup.find_duplicates(texts, threshold=0.6, shingle="words:2")
    fresh = dedup.find_duplicates(texts, threshold=threshold, shingle="words:2")
    again = result.rethreshold(threshold)
    assert table_rows.pair_rows(fresh) == table_rows.pair_rows(again)
    assert table_rows.cluster_rows(fresh) == table_rows.cluster_rows(again)
    assert fresh.kept.to_pylist() == again.kept.to_pylist()
    assert fresh.filter(texts) == again.filter(texts)
    assert fresh.repeated.to_pylist() == again.repeated.to_pylist()


def test_rethreshold_cannot_go_down() -> None:
    """A lower threshold is an error that names both."""
    result = dedup.find_duplicates(corpora.chain(), threshold=0.8)
    with pytest.raises(DedupError, match=r"(?s)0\.7.*0\.8|0\.8.*0\.7"):
        result.rethreshold(0.7)


@given(strategies.corpora())
def test_components(texts: list[str]) -> None:
    """Components are what chaining would give; they remove nothing."""
    result = dedup.find_duplicates(texts, threshold=0.6, shingle="words:2")
    assert oracles.components(len(texts), table_rows.ends(result)) == table_rows.component_sets(result)


@given(strategies.corpora())
def test_the_summary_counts(texts: list[str]) -> None:
    """The summary says how many of what there were, and says nothing of the machine."""
    result = dedup.find_duplicates(texts)
    summary = result.summary
    assert len(texts) == summary.texts
    assert sum(not oracles.tokens(text) for text in texts) == summary.empty
    assert result.pairs.num_rows == summary.pairs
    assert len({row["cluster"] for row in table_rows.cluster_rows(result)}) == summary.clusters
    assert len(result.removed) == summary.removed == len(texts) - len(result.kept)
    assert summary.shingle == "words:5"
    assert str(summary.pairs) in repr(summary)
    assert summary.to_dict()["texts"] == len(texts)
    assert not {"seconds", "timings", "version"} & set(summary.to_dict())


def test_the_table_for_people() -> None:
    """The repeated texts come with their copies, most copies first."""
    short, long = "one two three four five six", "a b c d e f g h"
    rows = dedup.find_duplicates([short, long, short, "x", long, long]).repeated.to_pylist()
    assert [3, 2] == [row["copies"] for row in rows]
    assert [3, 2] == [row["documents"] for row in rows]
    assert [True, True] == [long in rows[0]["text"], short in rows[1]["text"]]


def test_a_large_cluster_lists_the_kept_only() -> None:
    """With 1,001 copies, "auto" lists a removed text with its kept text only, "all" all pairs."""
    texts = [
        "the same five words again and again",
        "x y z",
        *["the same five words again and again"] * 1000,
    ]
    auto = dedup.find_duplicates(texts)
    assert [(0, i) for i in range(2, 1002)] == table_rows.ends(auto)
    assert [0, 1] == auto.kept.to_pylist()
    every = dedup.find_duplicates(texts, pairs="all")
    assert 1001 * 1000 // 2 == every.pairs.num_rows
    assert table_rows.cluster_rows(auto) == table_rows.cluster_rows(every)
    fewer = dedup.find_duplicates(texts[:1001])
    assert 1000 * 999 // 2 == fewer.pairs.num_rows
    assert [(0, i) for i in range(2, 1002)] == table_rows.ends(every.rethreshold(0.9))[:1000]
    with pytest.raises(DedupError, match="pairs"):
        auto.rethreshold(0.9)


@pytest.mark.parametrize("method", ["exact", "lsh"])
def test_a_large_family(method: str) -> None:
    """If buckets overflow, removed texts are still near to their kept texts."""
    texts = corpora.families(count=1, size=300, edits=6)
    result = dedup.find_duplicates(texts, method=method, pairs="all")
    sets = [oracles.shingles(text) for text in texts]
    expected = oracles.joined(sets, 0.8)
    found = table_rows.pair_rows(result)
    rows = table_rows.expected_rows(expected)
    assert (rows if method == "exact" else [row for row in rows if row in found]) == found
    for i, kept in enumerate(table_rows.kept_for(result, range(len(texts)))):
        assert oracles.jaccard(sets[i], sets[kept]) >= 0.8


def test_progress() -> None:
    """A callable hears of each stage, how much is done and how much there is."""
    heard: list[tuple[str, int, int]] = []
    texts = corpora.families(count=20)
    result = dedup.find_duplicates(texts, progress=lambda *step: heard.append(step))
    assert heard
    assert all(isinstance(stage, str) and 0 <= done <= total for stage, done, total in heard)
    assert table_rows.tables(dedup.find_duplicates(texts)) == table_rows.tables(result)
