"""Texts of a batch whose ids are in the index already: seen again, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.index.log.rows import MarkedSets, refuse_id, sizes_of
from dedup.index.view import View

__all__ = ["new_by_id"]

Numbers = npt.NDArray[np.int64]


def new_by_id(view: View, sets: MarkedSets, rest: Numbers, ids: list[Any], place_of: Callable[[int], str]) -> Numbers:
    """Return the rows `rest` without those that have no token, as the document in the index that has their id.

    Such a text reaches the threshold with nothing, so only its id says that it was seen. Raises `InputError` if a text
    has the id of a document that it does not reach the threshold with; `place_of` says where it is.
    """
    numbers = view.find_ids([ids[row] for row in rest.tolist()])
    known = rest[numbers >= 0]
    if not len(known):
        return rest
    blank = (sets.sizes[known] == 0) & (sizes_of(view.read(numbers[numbers >= 0])[0]) == 0)
    seen = view.probe(sets, known, view.settings.threshold, most=1)
    other = np.setdiff1d(known[~blank], seen[:, 0])
    if len(other):
        row = int(other[0])
        refuse_id(ids[row], "remove that text, or give this one another id", place_of(row))
    return np.setdiff1d(rest, known[blank])
