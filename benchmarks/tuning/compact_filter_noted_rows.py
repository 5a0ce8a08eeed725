"""`dedup.pairs.compact_filter.NOTED_ROWS`.

How many texts of a block are noted together.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.NOTED_ROWS",
    [1 << bits for bits in range(8, 18, 2)],
    searching(),
    corpus="generated:100000:150",
    also={"dedup.pairs.compact_filter.LEAST_CHARACTERS": 0},
)

if __name__ == "__main__":
    main(CURVE)
