"""Results as plain Python: the one place that knows how the public tables are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import dedup
    from tests import oracles

PAIR_COLUMNS = [
    "left",
    "right",
    "left_size",
    "right_size",
    "shared",
    "jaccard",
    "left_in_right",
    "right_in_left",
    "difference",
]
CLUSTER_COLUMNS = ["id", "cluster", "kept", "kept_id", "similarity", "reason", "difference"]

Row = dict[str, Any]


def pair_rows(result: dedup.Duplicates) -> list[Row]:
    """Give the pairs as dictionaries, in their order, without what the two differ in (`differences` gives that)."""
    rows: list[Row] = result.pairs.drop_columns(["difference"]).to_pylist()
    return rows


def differences(result: dedup.Duplicates | dedup.Matches) -> dict[tuple[Any, Any], str]:
    """Give what the two of each pair of documents differ in."""
    return {(row["left"], row["right"]): row["difference"] for row in result.pairs.to_pylist()}


def expected_rows(pairs: Iterable[oracles.Pair]) -> list[Row]:
    """Give the pairs of the oracle as the table has to say them."""
    return [
        {
            **pair._asdict(),
            "jaccard": pair.jaccard,
            "left_in_right": pair.shared / pair.left_size,
            "right_in_left": pair.shared / pair.right_size,
        }
        for pair in pairs
    ]


def ends(result: dedup.Duplicates) -> list[tuple[Any, Any]]:
    """Give left and right of each pair."""
    return [(row["left"], row["right"]) for row in pair_rows(result)]


def cluster_rows(result: dedup.Duplicates) -> list[Row]:
    """Give the members of the clusters as dictionaries, in their order."""
    rows: list[Row] = result.clusters.to_pylist()
    return rows


def kept_for(result: dedup.Duplicates, ids: Sequence[Any]) -> list[Any]:
    """Give for each id the one that is kept for it: itself, outside the clusters."""
    known = {row["id"]: row["kept_id"] for row in cluster_rows(result)}
    return [known.get(each, each) for each in ids]


def tables(result: dedup.Duplicates) -> tuple[Any, ...]:
    """Give all that two equal runs must agree on."""
    return (
        result.pairs.to_pylist(),
        result.clusters.to_pylist(),
        result.kept.to_pylist(),
        result.removed.to_pylist(),
        result.repeated.to_pylist(),
        result.summary.to_dict(),
    )


def component_sets(result: dedup.Duplicates) -> set[frozenset[Any]]:
    """Give the connected components as sets of ids."""
    groups: dict[Any, set[Any]] = {}
    for row in result.components().to_pylist():
        groups.setdefault(row["component"], set()).add(row["id"])
    return {frozenset(group) for group in groups.values()}


def repeat_keys(repeats: dedup.Repeats) -> list[tuple[Any, ...]]:
    """Give the places of each repeat and its source, and its words, in order."""
    return sorted(
        (
            repeat.document,
            repeat.start,
            repeat.end,
            repeat.source_document,
            repeat.source_start,
            repeat.source_end,
            repeat.words,
        )
        for repeat in repeats
    )


def aligned(comparison: dedup.Comparison) -> list[tuple[int, int, int, int]]:
    """Give the aligned spans: left start, left end, right start, right end."""
    return [(span.left_start, span.left_end, span.right_start, span.right_end) for span in comparison.spans]
