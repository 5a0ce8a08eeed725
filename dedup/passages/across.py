"""Stretches: what a text of the left side has word for word from the right side.

In naive Python, for each text x of the left side, with the right side's texts in their order::

    stands(i, j) = any(x[i:j] == y[k : k + j - i] for y in right for k in range(len(y)))          # tokens
    found = [(i, j) for all j - i >= size if stands(i, j) and not stands(i - 1, j) and not stands(i, j + 1)]

each with the first place (text, then place in it) where it occurs. They may overlap.

The right texts come first, in one row with the left ones. As for repeats (`dedup.passages.maximal`), windows of `size`
tokens become blocks, here only of windows that occur on both sides; the suffix automaton of the right rows of
blocks then gives, for each place of the left rows, the longest row that ends there and occurs on the right, and where
it first ended: the matching statistics of [1].

Arrays: tokens are numbers, uint32, text t has ``tokens[offsets[t]:offsets[t + 1]]``, the first `against` texts are the
right side. Guarantee: exactly these passages are found (docs/explanation/repeats.md).
Cost: linear in the tokens of both sides and in what is found, whatever repeats in them.

References: [1] Chang, Lawler, "Sublinear approximate string matching and biological applications", 1994.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.pairs.cross_join import side_table
from dedup.passages.maximal import BLOCK_BYTES, LINK_BYTES, Places, Stretches, find_blocks, find_windows, longest_rows
from dedup.runtime.memory import Afford, unbounded

__all__ = ["find_across", "stand_on_both"]


def find_across(
    tokens: npt.NDArray[np.uint32], offsets: Places, against: int, size: int, afford: Afford = unbounded
) -> Stretches:
    """Return the maximal stretches of `size` tokens or more that the texts from `against` on have from those before.

    By place; the source is the first place.
    """
    from dedup.kernels.windows import OPENS, REPEATED

    border = offsets[against]

    def choose(hashes: npt.NDArray[np.uint64], since: Places) -> npt.NDArray[np.bool_]:
        return stand_on_both(hashes, int(np.searchsorted(since, border)))

    place, first, flags = find_windows(tokens, offsets, size, choose, afford)
    split = int(np.searchsorted(place, border))  # windows of the right side
    flags &= np.uint8(OPENS)
    shared = first[split:]
    flags[shared[shared < split]] |= np.uint8(REPEATED)
    symbols, at_window = find_blocks(first, flags)
    del first, flags
    afford(tokens.nbytes + place.nbytes + (BLOCK_BYTES + LINK_BYTES) * len(symbols))
    grown = int(np.searchsorted(at_window, split))
    return longest_rows(symbols, grown, at_window, place, size)


def stand_on_both(hashes: npt.NDArray[np.uint64], cut: int) -> npt.NDArray[np.bool_]:
    """Return which of ``hashes[:cut]`` and ``hashes[cut:]`` may occur among the others: all that do are included.

    The smallest hashes of windows crowd at zero, so a multiplication spreads them over the tables first (written).
    """
    from dedup.kernels.cross_join import stand
    from dedup.kernels.windows import BASE

    hashes *= BASE
    both = np.zeros(len(hashes), dtype=np.bool_)
    left = stand(hashes, cut, len(hashes), *_table(hashes[:cut]))
    both[left] = True
    both[stand(hashes, 0, cut, *_table(hashes[left]))] = True
    return both


def _table(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], int]:
    return side_table(hashes, np.array([0, len(hashes)]), np.zeros(1, dtype=np.int64))
