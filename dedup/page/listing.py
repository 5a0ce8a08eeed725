"""The list of groups as a page has it: its first rows to read at once, its numbers as arrays, its names in blocks.

A page of many groups shows its first rows before it reads anything else. Numbers are arrays of a fixed width, packed;
names and starts of texts are lines, packed in blocks, each of which the script unpacks by itself:

    first     JSON: the rows at the top of the first order (largest first)
    numbers   float64 `number` and `similarity` (NaN where there is none), then int32 `size`, `source` and `reason` (an
              index of the head's `reasons`), each of one value a group; little endian
    places    int32: where the text of a group is (chunk * GROUPS_PACKED + place in the chunk), -1 if it is not there
    names-0   UTF-8, for ROWS_PACKED groups: the start of its text and its name, a line each
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.page.escaping import packed_bytes, readable
from dedup.page.view import Rows, View

__all__ = ["FIRST_ROWS", "ROWS_PACKED", "Listing", "largest_first", "listed_row", "one_line", "reasons_of"]

FIRST_ROWS = 60
"""Rows that are shown before the list is unpacked: as many as fit into a high window."""

ROWS_PACKED = 2000
"""Groups whose names and starts are packed together: a block of about 200 kB takes a few milliseconds to unpack."""


def largest_first(view: View, rows: Rows) -> Rows:
    """Return some groups in the first order: the largest first, then as found."""
    order: Rows = rows[np.argsort(-view.size[rows], kind="stable")]
    return order


def one_line(text: str) -> str:
    """Return a name or the start of a text so that it can be a line of a block."""
    return readable(text).replace("\n", "\\n")


def reasons_of(view: View) -> list[str]:
    """Return the reasons of all groups, each once, in alphabetical order."""
    return sorted(set(view.reason.tolist()))


def listed_row(view: View, at: int, row: int, name: str, title: str | None, place: int = 0) -> dict[str, Any]:
    """Return a row of the list as JSON: group `at` of the view, which the page knows as `row`.

    A `title` that has not been read is None; a `place` below 0 means that the page does not have the text.
    """
    like = float(view.similarity[at])
    return {
        "row": row,
        "number": int(view.number[at]),
        "name": name,
        "title": title,
        "size": int(view.size[at]),
        "similarity": None if np.isnan(like) else round(like, 6),
        "reason": str(view.reason[at]),
        "place": place,
    }


@dataclass(frozen=True)
class Listing:
    """Some groups of a view, ascending, with their names and the starts of their texts."""

    view: View
    rows: Rows
    names: list[str]
    starts: list[str]

    @classmethod
    def of(cls, view: View, rows: Rows) -> Listing:
        """Return the list of some groups."""
        return cls(view, rows, list(map(one_line, view.names(rows))), list(map(one_line, view.starts(rows))))

    def first(self, places: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return the rows at the top; `places` by group of the list."""
        top = largest_first(self.view, self.rows)[:FIRST_ROWS]
        shown = zip(top.tolist(), np.searchsorted(self.rows, top).tolist(), strict=True)
        return [
            listed_row(self.view, at, row, self.names[row], self.starts[row], int(places[row])) for at, row in shown
        ]

    def numbers(self) -> str:
        """Return the packed arrays."""
        view, rows = self.view, self.rows
        source = np.zeros(len(rows), dtype=np.int64) if view.source is None else view.source[rows]
        reason = np.searchsorted(np.array(reasons_of(view), dtype=np.str_), view.reason[rows])
        wide = [view.number[rows], np.round(view.similarity[rows], 6)]
        narrow = [view.size[rows], source, reason]
        parts = [each.astype("<f8").tobytes() for each in wide] + [each.astype("<i4").tobytes() for each in narrow]
        return packed_bytes(b"".join(parts))

    def blocks(self) -> list[str]:
        """Return the packed lines."""
        found = []
        for first in range(0, len(self.rows), ROWS_PACKED):
            some = slice(first, first + ROWS_PACKED)
            lines = [line for both in zip(self.starts[some], self.names[some], strict=True) for line in both]
            found.append(packed_bytes("\n".join(lines).encode()))
        return found
