"""Levenshtein distances, by `rapidfuzz`: the extra ``dedup-text[edit]``.

In naive Python::

    row = list(range(len(right) + 1))
    for x in left:
        above, row = row, [row[0] + 1]
        for j, y in enumerate(right):
            row.append(min(above[j] + (x != y), above[j + 1] + 1, row[j] + 1))
    distance = row[-1]
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import ParameterError

__all__ = ["check_installed", "distances", "distances_across"]


def check_installed() -> None:
    """Raise `ParameterError` if `rapidfuzz` is not installed."""
    _rapidfuzz()


def _rapidfuzz() -> tuple[Any, Any]:
    try:
        process = importlib.import_module("rapidfuzz.process")
        return process, importlib.import_module("rapidfuzz.distance").Levenshtein.distance
    except ImportError as error:
        raise ParameterError(
            'metric: expected rapidfuzz for metric="edit", found no such package; install it: '
            "pip install 'rapidfuzz>=3.9'"
        ) from error


def distances(left: Sequence[str], right: Sequence[str], most: int) -> npt.NDArray[np.int32]:
    """Return the distance of each text of `left` to the one of `right` at the same place; above `most`: any such."""
    process, scorer = _rapidfuzz()
    found = process.cpdist(left, right, scorer=scorer, score_cutoff=most, dtype=np.int32)
    return np.asarray(found, dtype=np.int32)


def distances_across(left: Sequence[str], right: Sequence[str], most: int) -> npt.NDArray[np.int32]:
    """Return the distances of all texts of `left` (rows) to all of `right`; above `most`: any such number."""
    process, scorer = _rapidfuzz()
    found = process.cdist(left, right, scorer=scorer, score_cutoff=most, dtype=np.int32)
    return np.asarray(found, dtype=np.int32)
