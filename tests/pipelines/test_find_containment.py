"""`find_duplicates(metric="containment")`: a text that is, completely or nearly, within another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError
from tests import corpora, oracles, strategies, table_rows


def expected_stars(sets: list[frozenset[Any]], copies: list[Any], threshold: float, *, last: bool) -> list[int]:
    """Give the kept text of each: larger texts first, and a text joins the one that contains most of it."""
    n = len(sets)
    shares = {
        pair: share for pair in combinations(range(n), 2) if (share := share_of_smaller(sets, *pair)) >= threshold
    }
    order = sorted(range(n), key=lambda i: (-len(sets[i]), -i if last else i))
    return oracles.stars(n, shares, order, copies)


def share_of_smaller(sets: list[frozenset[Any]], i: int, j: int) -> float:
    """Give the share of the smaller set that is in the larger."""
    small, large = sorted((sets[i], sets[j]), key=len)
    return oracles.containment(small, large)


@given(
    strategies.corpora(),
    st.sampled_from([0.5, 0.8, 1.0]),
    st.sampled_from(["words:5", "words:2", "chars:8"]),
    st.sampled_from(["first", "last"]),
)
def test_containment(texts: list[str], threshold: float, shingle: str, keep: str) -> None:
    """All pairs whose smaller text is in the larger are found; the larger is kept."""
    options: dict[str, Any] = {"threshold": threshold, "shingle": shingle, "keep": keep}
    result = dedup.find_duplicates(texts, metric="containment", **options)
    sets = [oracles.shingles(text, shingle) for text in texts]
    expected = [
        oracles.Pair(i, j, len(sets[i]), len(sets[j]), len(sets[i] & sets[j]))
        for i, j in combinations(range(len(texts)), 2)
        if share_of_smaller(sets, i, j) >= threshold
    ]
    assert table_rows.expected_rows(expected) == table_rows.pair_rows(result)

    copies = [tuple(oracles.tokens(text)) or None for text in texts]
    kept = expected_stars(sets, copies, threshold, last=keep == "last")
    assert kept == table_rows.kept_for(result, range(len(texts)))
    for row in table_rows.cluster_rows(result):
        if not row["kept"]:
            own, other = sets[row["id"]], sets[row["kept_id"]]
            assert len(own) <= len(other), "a text is removed only for one that is not smaller"
            assert oracles.containment(own, other) == row["similarity"] >= threshold


@given(strategies.corpora())
def test_removing_and_running_again_finds_nothing(texts: list[str]) -> None:
    """No kept text is inside another."""
    options: dict[str, Any] = {"metric": "containment", "threshold": 0.7}
    kept = dedup.find_duplicates(texts, **options).filter(texts)
    assert [] == table_rows.ends(dedup.find_duplicates(kept, **options))


def test_an_excerpt() -> None:
    """A tenth of a text is found in it, whatever the order, and the whole is kept."""
    whole = corpora.planted().texts[0].split(" ")
    excerpt = " ".join(whole[len(whole) // 2 :][: max(8, len(whole) // 10)])
    for texts in ([" ".join(whole), excerpt], [excerpt, " ".join(whole)]):
        result = dedup.find_duplicates(texts, metric="containment")
        assert [(0, 1)] == table_rows.ends(result)
        assert [" ".join(whole)] == result.filter(texts)
        assert [] == table_rows.ends(dedup.find_duplicates(texts))


def test_bands_are_for_jaccard() -> None:
    """LSH makes no promise about containment, so it refuses."""
    with pytest.raises(ParameterError, match=r"(?s)containment.*exact"):
        dedup.find_duplicates(["a", "b"], metric="containment", method="lsh")
