"""`dedup.pairs.compact_filter.NOTE_PART_BITS`.

In how many parts the notes of the hashes are kept.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.NOTE_PART_BITS",
    [4, 6, 8, 10, 12],
    searching(),
    corpus="generated:20000",
    also={"dedup.pairs.compact_filter.LEAST_CHARACTERS": 0},
)

if __name__ == "__main__":
    main(CURVE)
