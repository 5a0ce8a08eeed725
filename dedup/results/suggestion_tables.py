"""The tables of a suggestion: what was seen and expected at each level of similarity, and pairs to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.sampling.parting import Parting
from dedup.sampling.sampled import BINS, Similarities
from dedup.sources.texts import Texts
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Sample", "histogram", "samples_of"]

SAMPLES_LEVEL, SAMPLES_EACH, SAMPLE_SHOWN = BINS // 10, 3, 80
"""Bins of a level of `samples`; pairs shown of each; characters shown of a text."""

ROW_BINS = BINS // 20
"""Bins of a row of the histogram."""

BEGINNING = 4000
"""Characters of a text that are kept for the page."""

Sample = tuple[str, str]
"""The beginnings of the two texts of a pair."""


def histogram(
    compared: list[tuple[str, npt.NDArray[np.int64]]], every: list[list[Parting]], best: Parting | None
) -> pa.Table:
    """Return the table of what was seen and what is expected of unrelated texts, a row for each twentieth.

    `compared` has each kind of shingle with its counts (`dedup.sampling.sampled.Similarities`), `every` what was found
    for it. Columns: see `dedup.results.suggestion.Suggestion`.
    """
    import pyarrow as pa

    rows: dict[str, list[Any]] = {name: [] for name in ("shingle", "similarity_from", "similarity_to", "seen")}
    unrelated: list[float | None] = []
    for number, (shingle, each_counts) in enumerate(compared):
        chosen = best if best is not None and best.kind == number else None
        if chosen is None and every[number]:
            chosen = max(every[number], key=lambda each: each.estimate)
        counts = each_counts.sum(axis=0)
        for low in range(0, BINS, ROW_BINS):
            high = BINS + 1 if low + ROW_BINS == BINS else low + ROW_BINS
            rows["shingle"].append(shingle)
            rows["similarity_from"].append(low / BINS)
            rows["similarity_to"].append((low + ROW_BINS) / BINS)
            rows["seen"].append(int(counts[low:high].sum()))
            above = None if chosen is None else chosen.unrelated
            rest = 0.0 if above is None or high > BINS else float(above[high])
            expected = float(counts[low:high].sum()) if above is None else max(float(above[low]) - rest, 0.0)
            unrelated.append(round(expected, 3))
    return pa.table(
        {
            "shingle": pa.array(rows["shingle"], type=pa.string()),
            "similarity_from": pa.array(rows["similarity_from"], type=pa.float64()),
            "similarity_to": pa.array(rows["similarity_to"], type=pa.float64()),
            "seen": pa.array(rows["seen"], type=pa.int64()),
            "unrelated": pa.array(unrelated, type=pa.float64()),
        }
    )


def samples_of(
    texts: Texts,
    unit: Unit,
    places: npt.NDArray[np.int64],
    sample: npt.NDArray[np.int64],
    seen: Similarities,
    threshold: float,
) -> tuple[pa.Table, tuple[Sample, ...]]:
    """Return the table of pairs at several levels: each sampled unit with the one that is most similar to it.

    `places` are those of all units, `sample` the numbers of the sampled ones. Also returned, by row: the beginnings of
    both texts, longer than the table has them.
    """
    import pyarrow as pa

    order = np.lexsort((sample[: len(seen.best)], -seen.best))
    order = order[seen.partner[order] >= 0]
    pairs: dict[tuple[int, int], int] = {}
    for number in order.tolist():
        left, right = int(sample[number]), int(seen.partner[number])
        if (right, left) not in pairs:
            pairs[left, right] = number
    every = [(number, *pair) for pair, number in pairs.items()]
    picked = [every[at] for at in _picked([float(seen.best[number]) for number, _, _ in every], threshold)]
    columns: dict[str, Any] = {"similarity": pa.array([float(seen.best[n]) for n, _, _ in picked], type=pa.float64())}
    for side, place in (("left", 1), ("right", 2)):
        rows = np.array([pair[place] for pair in picked], dtype=np.int64)
        columns[side] = texts.ids_at(places[rows, 0])
        if not unit.whole:
            columns[f"{side}_{unit}"] = places[rows, 1]
    beginnings: list[list[str]] = []
    for side, place in (("left", 1), ("right", 2)):
        beginnings.append([_beginning(texts, unit, places[pair[place]].tolist()) for pair in picked])
        columns[f"{side}_text"] = pa.array([_start(text) for text in beginnings[-1]], type=pa.string())
    return pa.table(columns), tuple(zip(*beginnings, strict=True))


def _picked(values: list[float], threshold: float) -> list[int]:
    """Return the places of the pairs that are shown, of similarities in descending order."""
    levels: dict[int, list[int]] = {}
    for at, value in enumerate(values):
        levels.setdefault(int(value * BINS) // SAMPLES_LEVEL, []).append(at)
    chosen: set[int] = set()
    for own in levels.values():  # the most and the least similar ones, and those between
        chosen.update(own[round(i * (len(own) - 1) / (SAMPLES_EACH - 1))] for i in range(SAMPLES_EACH))
    border = sum(value >= threshold for value in values)
    chosen.update(range(max(border - SAMPLES_EACH, 0), min(border + SAMPLES_EACH, len(values))))
    return sorted(chosen)


def _beginning(texts: Texts, unit: Unit, place: list[int]) -> str:
    """Return the beginning of a unit's text."""
    text = texts[place[0]]
    start, end = (0, len(text)) if unit.whole else (place[2], place[3])
    return text[start : min(end, start + BEGINNING)]


def _start(text: str) -> str:
    """Return the start of a text, on one line."""
    line = " ".join(text[: 4 * SAMPLE_SHOWN].encode("utf-8", "replace").decode().split())
    return line if len(line) <= SAMPLE_SHOWN else line[: SAMPLE_SHOWN - 3] + "..."
