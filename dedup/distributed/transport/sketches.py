"""Sketches as rows: what the tasks have taken of their texts, on its way to the driver (`dedup.hashing.sketches`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dedup.distributed.transport.rows import Row
from dedup.hashing.sketches import SKETCH_HASHES, Sketcher, Sketches

__all__ = ["SKETCHED", "joined_sketches", "row_of_sketches", "spread"]

SKETCHED = "sketches"
"""The kind of the rows."""

FORM_NAME = "form "
"""What the names of the arrays of forms begin with."""


def spread(sketches: Sketches, part_bits: int) -> int:
    """Return a part for the sketches of a task: of about the square root of all parts, so none gets very many."""
    return int(sketches.digests[0, 0] & np.uint64((1 << (part_bits // 2)) - 1))


def row_of_sketches(part: int, sketches: Sketches) -> Row:
    """Return sketches as a row."""
    held = np.arange(sketches.hashes.shape[1]) < sketches.counts[:, np.newaxis]
    arrays: dict[str, Any] = {
        **sketches._asdict(),
        "hashes": sketches.hashes[held],
        "digests": sketches.digests.ravel(),
    }
    del arrays["forms"]
    return Row(part, SKETCHED, 0, arrays | {f"{FORM_NAME}{name}": form for name, form in sketches.forms.items()})


def joined_sketches(rows: Iterable[Row]) -> Sketcher:
    """Return a sketcher that has seen what those of the rows have seen."""
    sketcher = Sketcher()
    for row in rows:
        arrays, counts = row.arrays, row["counts"]
        hashes = np.zeros((len(counts), SKETCH_HASHES), dtype=np.uint64)
        hashes[np.arange(SKETCH_HASHES) < counts[:, np.newaxis]] = row["hashes"]
        digests, forms = row["digests"].reshape(-1, 2), {}
        for name, form in arrays.items():
            if name.startswith(FORM_NAME):
                forms[name.removeprefix(FORM_NAME)] = form
        sketcher.add(Sketches(row["keys"], hashes, counts, digests, row["sizes"], row["places"], forms))
    return sketcher
