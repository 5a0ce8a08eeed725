"""Vocabularies: numbers are those of the definition, are equal where tokens are, and do not depend on the threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.hashing import vocabulary
from dedup.hashing.vocabulary import Vocabulary
from dedup.runtime.threads import map_blocks

LAST = (1 << 32) - 1
halves = st.sampled_from([0, 1, 2, LAST - 1, LAST]) | st.integers(0, LAST)
hashes = st.builds(lambda high, low: high << 32 | low, halves, halves)


@given(st.lists(st.lists(hashes, max_size=40), max_size=5), st.sampled_from([1, 2, 16, 4096]))
def test_numbers_of_the_definition(blocks: list[list[int]], rows: int) -> None:
    """Whatever halves of hashes are equal, and however small the table is at first."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vocabulary, "VOCABULARY_ROWS", rows)
        patched.setattr(vocabulary, "MOVED_ROWS", rows)
        known = Vocabulary()
        found = [known.number(np.array(block, dtype=np.uint64)).tolist() for block in blocks]
    number_of: dict[int, int] = {}
    moved = 0
    for token in (token for block in blocks for token in block):
        if token not in number_of:
            number = token >> 33
            if token == 0 or number in number_of.values():
                number, moved = (1 << 31) + moved, moved + 1
            number_of[token] = number
    assert found == [[number_of[token] for token in block] for block in blocks]


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_equal_tokens_in_several_threads(threads: int) -> None:
    """Tokens of 16 values of the upper half are told apart, by whatever thread they are numbered."""
    chance = np.random.default_rng(3)
    tokens = chance.integers(0, 16, 40_000, dtype=np.uint64) << np.uint64(32)
    tokens |= chance.integers(0, 300, 40_000, dtype=np.uint64)
    known = Vocabulary()
    numbers = np.concatenate(list(map_blocks(known.number, np.split(tokens, 40), threads)))
    pairs = np.unique(np.column_stack((tokens, numbers)), axis=0)
    assert len(pairs) == len(np.unique(tokens)) == len(np.unique(numbers))
    assert known.bytes >= 8 * len(pairs)
