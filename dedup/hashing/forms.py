"""Forms of a unit: 64-bit hashes that tell how two units differ. Equal hashes are equal forms, up to chance.

| form | of what | equal for two units if |
|---|---|---|
| `characters` | the bytes of the text | they are the same, character by character |
| `numbers` | the tokens, every decimal digit as 0 | at most their numbers differ, and each has as many digits |
| `symbols` | the code points of S* and P* of the NFKC form, in order | their punctuation and symbols are the same |

`dedup.kernels.forms` has the definitions. Texts that are in memory are read again for the few forms that a result asks
for (`forms_of`); those of files are hashed in the one reading, at about a third of the time of hashing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from dedup.reading import Reading
from dedup.sources.texts import Block
from dedup.text.rewriting import token_table
from dedup.text.tokens import Buffers, Given, run_settled

__all__ = ["CHARACTERS", "DISTINCT", "FORMS", "NUMBERS", "SYMBOLS", "Forms", "hash_forms", "joined"]

FORMS = CHARACTERS, NUMBERS, SYMBOLS = ("characters", "numbers", "symbols")

DISTINCT = (NUMBERS, SYMBOLS)
"""The differences that can be asked for with `distinct`."""

Forms = dict[str, npt.NDArray[np.uint64]]
"""By name of a form: the hash of each unit."""


def hash_forms(block: Block, rewritten: Block, reading: Reading, wanted: Iterable[str]) -> Forms:
    """Return the forms `characters` and `symbols` of the texts of a block, where they are wanted.

    `rewritten` are the texts rewritten for `reading`: what it ignores is not in their symbols.
    """
    from dedup.kernels import forms as kernels

    found: Forms = {}
    words = reading.key.words
    if CHARACTERS in wanted:
        found[CHARACTERS] = np.empty(len(block.starts), dtype=np.uint64)
        kernels.hash_texts(block.values, block.starts, block.ends, words, found[CHARACTERS])
    if SYMBOLS in wanted:
        values, starts, ends = rewritten.values, rewritten.starts, rewritten.ends
        symbols = np.empty(len(starts), dtype=np.uint64)

        def attempt(given: Given, buffers: Buffers) -> tuple[int, npt.NDArray[np.uint64]]:
            return kernels.hash_symbols(*given, *token_table(reading), words, symbols, buffers.unsettled), symbols

        found[SYMBOLS] = run_settled(values, starts, ends, attempt, reading=reading)
    return found


def joined(parts: Sequence[Forms], wanted: Iterable[str]) -> Forms:
    """Return the wanted forms of all parts, one after the other."""
    nothing = np.empty(0, dtype=np.uint64)
    return {name: np.concatenate([nothing, *(part[name] for part in parts)]) for name in wanted}
